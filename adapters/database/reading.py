"""Threads in which the database may block, and its errors in our own words."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TypeVar

from eventsourcing.persistence import PersistenceError
from sqlalchemy.exc import DBAPIError

from adapters.database.outcomes import CallOutcomes
from adapters.pools import PoolState
from domain.errors import AppointmentDatabaseError

T = TypeVar("T")
CALLERS_SECONDS = 4.0
"""How long somebody who waits for an answer waits for the database: a voice agent has to say something within five."""


@dataclass(slots=True)
class _Turn:
    """
    When a read was asked for, when a thread took it up, if one did, and when it was done with it.

    `came_too_late` clears the database.
    """

    asked_at: float = field(default_factory=monotonic)
    began_at: float | None = None
    ended_at: float | None = None
    came_too_late: bool = False

    @property
    def seconds(self) -> float:
        """Return how long the database had it, the wait for a thread left out; of one that goes on, until now."""
        return (self.ended_at or monotonic()) - (self.began_at or self.asked_at)

    def waited_longer_than_it_ran(self) -> bool:
        return self.began_at is None or self.began_at - self.asked_at > monotonic() - self.began_at


class Readers:
    """
    Run what blocks in a few threads of their own; the event loop waits no longer than `limit` seconds.

    Who has a caller waiting asks by `answer`, which may take `CALLERS_SECONDS` at most; who only watches by `glance`,
    which takes no time at all while the database is left alone.
    """

    def __init__(
        self,
        *,
        threads: int,
        limit: float,
        database_error: Callable[[BaseException], AppointmentDatabaseError],
        outcomes: CallOutcomes | None = None,
    ) -> None:
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="calsaga-reader")
        self._most = threads
        self._limit = limit
        self._lock = Lock()
        self._in_use = 0
        self._longest_wait = 0.0
        self._timeouts = 0
        self._answered_at = 0.0
        self._database_error = database_error
        self._outcomes = outcomes or CallOutcomes()

    async def answer(self, ask: Callable[[], T]) -> T:
        """
        Return what `ask` returns to somebody who waits for it.

        Raises:
            AppointmentDatabaseError: the database failed, or did not answer in time.

        """
        return await self._told(ask, min(self._limit, CALLERS_SECONDS))

    async def glance(self, ask: Callable[[], T]) -> T:
        """
        Return what `ask` returns to somebody who watches, and does without it for as long as the database is away.

        Raises:
            AppointmentDatabaseError: the database failed, did not answer in time, or is left alone because it has.

        """
        if self._outcomes.is_left_alone:
            raise AppointmentDatabaseError("the database has failed lately, and is left alone", kind="connection_lost")
        return await self.answer(ask)

    async def run(self, ask: Callable[[], T]) -> T:
        """
        Return what `ask` returns.

        One that spent its time waiting for a thread while others were answered says nothing of the database, and nobody
        is told of it.

        Raises:
            AppointmentDatabaseError: the database failed, or did not answer in time.

        """
        return await self._told(ask, self._limit)

    async def _told(self, ask: Callable[[], T], limit: float) -> T:
        turn = _Turn()
        try:
            answer = await self._run(ask, turn, limit)
        except AppointmentDatabaseError as error:
            if not turn.came_too_late:
                self._outcomes.tell(error, wrote=False, seconds=turn.seconds)
            raise
        self._outcomes.tell(None, wrote=False, seconds=turn.seconds)
        return answer

    async def _run(self, ask: Callable[[], T], turn: _Turn, limit: float) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(limit):
                return await loop.run_in_executor(self._threads, self._measured, ask, turn)
        except TimeoutError as exc:
            self._timeouts += 1
            # Who hangs in all threads is the database, if it has answered nobody meanwhile.
            turn.came_too_late = self._answered_at > turn.asked_at and turn.waited_longer_than_it_ran()
            late = "no thread was free in time to read the database"
            message = late if turn.came_too_late else "the database did not answer in time"
            raise AppointmentDatabaseError(message, kind="timeout") from exc
        except PersistenceError as exc:
            raise self._database_error(exc.__cause__ or exc) from exc
        except DBAPIError as exc:
            raise self._database_error(exc.orig or exc) from exc

    @property
    def state(self) -> PoolState:
        """Return how many threads read, and who waits for one; every read is counted, whichever connection it takes."""
        return PoolState(
            limit=self._most,
            size=self._most,
            in_use=self._in_use,
            waiting=self._threads._work_queue.qsize(),  # noqa: SLF001 - nobody else knows it
            longest_wait=self._longest_wait,
            timeouts=self._timeouts,
        )

    def _measured(self, ask: Callable[[], T], turn: _Turn) -> T:
        turn.began_at = monotonic()
        with self._lock:
            self._in_use += 1
            self._longest_wait = max(self._longest_wait, turn.began_at - turn.asked_at)
        try:
            answer = ask()
            self._answered_at = monotonic()
            return answer
        finally:
            turn.ended_at = monotonic()
            with self._lock:
                self._in_use -= 1

    def close(self) -> None:
        """Start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
