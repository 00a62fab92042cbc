from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic, sleep
from uuid import uuid4

import pytest

from adapters.database.outcomes import CallOutcomes
from adapters.log.appender import BATCH_LIMIT, Appender
from adapters.recording.batch import Late, nobody
from domain.errors import AppointmentDatabaseError, DatabaseKind
from sagas.appending import Append, Appended, AppendResult
from tests.integration.storage.appends import append, deferred, until


class FakeRecorder:
    """
    Keeps batches, and holds each up while the gate is shut.
    """

    def __init__(self, fail: Callable[[Sequence[Append]], None] = lambda _: None) -> None:
        self.batches: list[list[Append]] = []
        self.gate = threading.Event()
        self.gate.set()
        self._fail = fail

    def append(self, batch: Sequence[Append], _late: Late = nobody) -> list[AppendResult]:
        self.batches.append(list(batch))
        self.gate.wait()
        self._fail(batch)
        return [Appended(events=one.events) for one in batch]


@asynccontextmanager
async def appending(
    recorder: FakeRecorder, *, patience: float = 5.0, outcomes: CallOutcomes | None = None
) -> AsyncIterator[Appender]:
    appender = Appender(recorder.append, patience=patience, outcomes=outcomes)
    try:
        yield appender
    finally:
        recorder.gate.set()
        await appender.aclose(within=10)


def new() -> Append:
    return append(uuid4(), 0, deferred())


def failing(kind: DatabaseKind, *, times: int) -> Callable[[Sequence[Append]], None]:
    left = [times]

    def fail(_: Sequence[Append]) -> None:
        if left[0]:
            left[0] -= 1
            raise AppointmentDatabaseError("no", kind=kind)

    return fail


async def gathered(appender: Appender, recorder: FakeRecorder, appends: Sequence[Append]) -> list[object]:
    """
    Append behind a batch that is held up, so that all of them wait together.
    """
    recorder.gate.clear()
    first = asyncio.create_task(appender.append(new()))
    await until(lambda: recorder.batches)
    tasks = [asyncio.create_task(appender.append(one)) for one in appends]
    await asyncio.sleep(0.01)
    recorder.gate.set()
    await asyncio.gather(first, return_exceptions=True)
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def test_a_single_append_is_written_at_once() -> None:
    recorder = FakeRecorder()
    async with appending(recorder) as appender:
        began = monotonic()
        await appender.append(new())

    assert monotonic() - began < 0.5
    assert [1] == [len(batch) for batch in recorder.batches]


async def test_what_waits_is_written_together() -> None:
    recorder = FakeRecorder()
    async with appending(recorder) as appender:
        await gathered(appender, recorder, [new() for _ in range(600)])

    assert [1, BATCH_LIMIT, BATCH_LIMIT, 600 - 2 * BATCH_LIMIT] == [len(batch) for batch in recorder.batches]


async def test_appends_of_one_stream_stand_in_batches_of_their_own_in_their_order() -> None:
    recorder = FakeRecorder()
    stream_id = uuid4()
    same = [append(stream_id, version, deferred()) for version in range(3)]
    other = new()
    async with appending(recorder) as appender:
        await gathered(appender, recorder, [*same, other])

    assert [[same[0], other], [same[1]], [same[2]]] == recorder.batches[1:]


async def test_the_event_loop_goes_on_while_the_database_blocks() -> None:
    recorder = FakeRecorder()
    recorder.gate.clear()
    async with appending(recorder) as appender:
        waiting = asyncio.create_task(appender.append(new()))
        began = monotonic()
        await asyncio.sleep(0.05)
        assert monotonic() - began < 0.5
        assert not waiting.done()

        recorder.gate.set()
        assert isinstance(await waiting, Appended)


async def test_a_batch_with_a_fault_is_written_again_one_by_one() -> None:
    faulty = new()

    def fail(batch: Sequence[Append]) -> None:
        if faulty in batch:
            raise AppointmentDatabaseError("no", kind="data", sql_state="22021")

    recorder = FakeRecorder(fail)
    good = [new(), new()]
    async with appending(recorder) as appender:
        results = await gathered(appender, recorder, [good[0], faulty, good[1]])

    fault = results.pop(1)
    assert isinstance(fault, AppointmentDatabaseError)
    assert ("data", "22021", faulty.stream_id, "correlation") == (
        fault.kind,
        fault.sql_state,
        fault.booking_id,
        fault.correlation_id,
    )
    assert [Appended(events=one.events) for one in good] == results
    assert [3, 1, 1, 1] == [len(batch) for batch in recorder.batches[1:]]


async def test_a_fault_of_our_own_is_told_to_its_caller_alone() -> None:
    faulty = new()

    def fail(batch: Sequence[Append]) -> None:
        if faulty in batch:
            raise ZeroDivisionError

    recorder = FakeRecorder(fail)
    async with appending(recorder) as appender:
        results = await gathered(appender, recorder, [new(), faulty])

    assert isinstance(results[0], Appended)
    assert isinstance(results[1], ZeroDivisionError)


async def test_nobody_waits_for_ever_whatever_is_raised() -> None:
    class Crash(BaseException):
        pass

    def fail(_: Sequence[Append]) -> None:
        raise Crash

    async with appending(FakeRecorder(fail)) as appender:
        for _ in range(2):
            with pytest.raises(Crash):
                await appender.append(new())


@pytest.mark.parametrize("kind", ["deadlock", "timeout", "connection_lost"])
async def test_a_passing_failure_is_written_again_as_it_was(kind: DatabaseKind) -> None:
    recorder = FakeRecorder(failing(kind, times=2))
    one = new()
    async with appending(recorder) as appender:
        assert Appended(events=one.events) == await appender.append(one)

    assert [[one], [one], [one]] == recorder.batches


async def test_a_failure_that_does_not_pass_is_told_to_all_after_a_while() -> None:
    recorder = FakeRecorder(failing("connection_lost", times=10_000))
    async with appending(recorder, patience=0.3) as appender:
        began = monotonic()
        results = await asyncio.gather(*(appender.append(new()) for _ in range(5)), return_exceptions=True)

    assert 0.1 < monotonic() - began < 3
    assert all(isinstance(result, AppointmentDatabaseError) and result.retryable for result in results)
    assert 5 == len({id(result) for result in results})


async def test_whoever_has_waited_long_enough_is_tried_once_and_told() -> None:
    recorder = FakeRecorder(failing("connection_lost", times=10_000))
    late = new()
    recorder.gate.clear()
    async with appending(recorder, patience=0.1) as appender:
        first = asyncio.create_task(appender.append(new()))
        await until(lambda: recorder.batches)
        second = asyncio.create_task(appender.append(late))
        await asyncio.sleep(0.2)
        recorder.gate.set()
        await asyncio.gather(first, second, return_exceptions=True)

    assert [late] == recorder.batches[-1]
    assert 2 == len(recorder.batches)


async def test_a_caller_who_goes_away_cancels_nothing() -> None:
    recorder = FakeRecorder()
    recorder.gate.clear()
    gone = new()
    async with appending(recorder) as appender:
        held = asyncio.create_task(appender.append(new()))
        waiting = asyncio.create_task(appender.append(gone))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        recorder.gate.set()
        await held

    assert gone in [one for batch in recorder.batches for one in batch]


async def test_closing_writes_what_waits_and_takes_no_more() -> None:
    recorder = FakeRecorder()
    appender = Appender(recorder.append, patience=5)
    waiting = [asyncio.create_task(appender.append(new())) for _ in range(10)]
    await asyncio.sleep(0)
    await appender.aclose(within=10)
    await appender.aclose(within=10)

    assert all(isinstance(one, Appended) for one in await asyncio.gather(*waiting))
    with pytest.raises(AppointmentDatabaseError):
        await appender.append(new())


async def test_each_try_is_told_with_the_time_it_took_and_not_with_what_was_waited_in_between() -> None:
    outcomes, told = CallOutcomes(), []

    def hear(error: AppointmentDatabaseError | None, *, wrote: bool, seconds: float | None = None) -> None:
        told.append((error is None, wrote, seconds))

    def fail(_: Sequence[Append]) -> None:
        sleep(0.02)
        if len(recorder.batches) <= 2:
            raise AppointmentDatabaseError("no", kind="connection_lost")

    outcomes.listen(hear)
    recorder = FakeRecorder(fail)
    async with appending(recorder, outcomes=outcomes) as appender:
        await appender.append(new())

    assert [(False, True), (False, True), (True, True)] == [one[:2] for one in told]
    assert all(seconds is not None and 0.02 <= seconds < 0.045 for *_, seconds in told)


async def test_a_failure_is_told_after_the_success_before_it_however_busy_the_loop_was() -> None:
    outcomes, told = CallOutcomes(), []

    def hear(error: AppointmentDatabaseError | None, *, wrote: bool, seconds: float | None = None) -> None:
        told.append(error is None)

    def fail(_: Sequence[Append]) -> None:
        if len(recorder.batches) == 2:
            failed.set()
            raise AppointmentDatabaseError("no", kind="data")

    outcomes.listen(hear)
    recorder, failed = FakeRecorder(fail), threading.Event()
    recorder.gate.clear()
    async with appending(recorder, outcomes=outcomes) as appender:
        first = asyncio.create_task(appender.append(new()))
        await until(lambda: recorder.batches)
        second = asyncio.create_task(appender.append(new()))
        await asyncio.sleep(0)
        recorder.gate.set()
        failed.wait()
        # The loop is held up, so that its next turn finds both.
        threading.Event().wait(0.1)
        await asyncio.gather(first, second, return_exceptions=True)
        await asyncio.sleep(0)

    assert [True, False] == told
