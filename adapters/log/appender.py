"""
The one writer of a process.

A thread takes every append that waits and writes them together. There is no timer: a
single append goes at once, and while one batch is being written, or waits for the
writer lock, the next ones gather.
"""

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

from adapters.database.outcomes import CallOutcomes
from adapters.recording.batch import Late, WriteBatch, nobody
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, AppendResult

BATCH_LIMIT = 256
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

Outcome: TypeAlias = AppendResult | BaseException


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waiting:
    """An append whose caller waits."""

    append: Append
    future: "asyncio.Future[AppendResult]"
    since: float = field(default_factory=time.monotonic)


class Appender:
    """
    Write appends in batches, away from the event loop.

    When the database fails for a passing reason, the same batch is written again until
    its youngest append has waited for `patience` seconds. When it fails for any other
    reason, its appends are written one by one, so that the faulty one fails alone.
    """

    def __init__(self, write: WriteBatch, *, patience: float, outcomes: CallOutcomes | None = None) -> None:
        self._write_batch = write
        self._outcomes = outcomes or CallOutcomes()
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._closed = False
        self._gives_up_at = math.inf
        # The thread's alone from here on: who waits, whether more may come, and how long the last try to write took.
        self._waiting: deque[Waiting] = deque()
        self._more = True
        self._took = 0.0
        self._thread = Thread(target=self._run, name="calsaga-writer", daemon=True)
        self._thread.start()

    async def append(self, append: Append) -> AppendResult:
        """
        Write one append, together with whatever else waits.

        A caller who goes away cancels nothing.

        Raises:
            AppointmentDatabaseError: it is not known to be written.

        """
        if self._closed:
            raise AppointmentDatabaseError("the log is closed", kind="other", booking_id=append.stream_id).correlated(
                append.correlation_id
            )
        future = self._loop.create_future()
        self._queue.put(Waiting(append=append, future=future))
        result: AppendResult = await future
        return result

    async def aclose(self, *, within: float) -> None:
        """Take no more appends, and return when all that wait are written, or given up after so many seconds."""
        if not self._closed:
            self._closed = True
            self._gives_up_at = time.monotonic() + within
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while self._more or self._waiting:
            self._gather(block=not self._waiting)
            batch = _take(self._waiting)
            if batch:
                outcomes = self._write(batch, partial(self._late, batch))
                self._tell(batch, outcomes)

    def _gather(self, *, block: bool) -> None:
        with suppress(Empty):
            while self._more:
                one = self._queue.get(block=block)
                if one is None:
                    self._more = False
                else:
                    self._waiting.append(one)
                    block = False

    def _late(self, batch: list[Waiting]) -> Sequence[Append]:
        """Add to the batch who has come since it was made, and return what they append."""
        self._gather(block=False)
        late = _take(self._waiting, beside=batch)
        batch += late
        return [one.append for one in late]

    def _tell(self, batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
        self._in_the_loop(partial(self._settle, batch, outcomes, self._took))

    def _settle(self, batch: Sequence[Waiting], outcomes: Sequence[Outcome], seconds: float) -> None:
        _settle(batch, outcomes)
        if not all(isinstance(outcome, BaseException) for outcome in outcomes):
            self._tell_soon(None, seconds)

    def _tell_soon(self, error: AppointmentDatabaseError | None, seconds: float) -> None:
        """Tell whoever listens, once those who waited have gone on, of a failure and of a success alike: in order."""
        self._loop.call_soon(partial(self._outcomes.tell, error, wrote=True, seconds=seconds))

    def _in_the_loop(self, call: Callable[[], object]) -> None:
        # The loop may be gone: then nobody waits any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)

    def _write(self, batch: Sequence[Waiting], late: Late = nobody) -> Sequence[Outcome]:
        try:
            return self._persist(batch, late)
        except BaseException as exc:  # noqa: BLE001 - a thread that died of it would let everybody wait for ever
            if len(batch) == 1 or _is_passing(exc):
                return [_own(one.append, exc) for one in batch]
        return [self._write([one])[0] for one in batch]

    def _persist(self, batch: Sequence[Waiting], late: Late) -> Sequence[Outcome]:
        pause = FIRST_PAUSE
        while time.monotonic() < self._gives_up_at:
            try:
                return self._try([one.append for one in batch], late)
            except AppointmentDatabaseError as exc:
                self._in_the_loop(partial(self._tell_soon, exc, self._took))
                deadline = max(one.since for one in batch) + self._patience
                if not exc.retryable or time.monotonic() + pause > min(deadline, self._gives_up_at):
                    raise
            # Once is enough: with ever younger ones it would be tried for ever.
            late = nobody
            time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads retries, keeps no secret
            pause = min(2 * pause, LONGEST_PAUSE)
        raise AppointmentDatabaseError("the log was closed before it could be written", kind="timeout")

    def _try(self, appends: Sequence[Append], late: Late) -> Sequence[Outcome]:
        """Write once, and note how long that took, the wait for the writer lock included."""
        began = time.perf_counter()
        try:
            return self._write_batch(appends, late)
        finally:
            self._took = time.perf_counter() - began


def _take(waiting: deque[Waiting], *, beside: Sequence[Waiting] = ()) -> list[Waiting]:
    """Take those who can be written together, and together with those `beside`: one a stream."""
    batch: list[Waiting] = []
    streams = {one.append.stream_id for one in beside}
    left: list[Waiting] = []
    while waiting and len(beside) + len(batch) < BATCH_LIMIT:
        one = waiting.popleft()
        if one.append.stream_id in streams:
            left.append(one)
        else:
            streams.add(one.append.stream_id)
            batch.append(one)
    waiting.extendleft(reversed(left))
    return batch


def _settle(batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    for one, outcome in zip(batch, outcomes, strict=True):
        if one.future.done():
            continue
        if isinstance(outcome, BaseException):
            one.future.set_exception(outcome)
        else:
            one.future.set_result(outcome)


def _is_passing(exc: BaseException) -> bool:
    return isinstance(exc, AppointmentDatabaseError) and exc.retryable


def _own(append: Append, exc: BaseException) -> BaseException:
    if not isinstance(exc, AppointmentDatabaseError):
        return exc
    own = AppointmentDatabaseError(exc.message, kind=exc.kind, sql_state=exc.sql_state, booking_id=append.stream_id)
    own.__cause__ = exc.__cause__
    return own.correlated(append.correlation_id)
