"""
Who comes while a batch waits for the writer lock is written with it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from adapters.log.appender import BATCH_LIMIT, Appender
from adapters.postgres.session import WRITER_LOCK
from adapters.recording.backend import Backend
from adapters.recording.batch import Late, nobody
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, Appended, AppendResult, Lost
from tests.integration.storage.appends import append, deferred, opened, rows

CROWD = 3
TOLD_SECONDS = 5.0
"""How long anybody waits for what became of an append, and nobody does who is left out."""


def new() -> Append:
    return append(uuid4(), 0, deferred())


def crowd() -> list[Append]:
    return [new() for _ in range(CROWD)]


def is_locked(url: str) -> bool:
    """
    Tell whether somebody else holds the writer lock.
    """
    if url.startswith("postgresql"):
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (WRITER_LOCK,)).fetchone()
            return row == (False,)
    file = sqlite3.connect(str(make_url(url).database), timeout=0, isolation_level=None)
    try:
        file.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    else:
        return False
    finally:
        file.close()


def test_those_who_came_late_are_asked_for_behind_the_lock_and_written_in_the_same_commit(url: str) -> None:
    points: list[str] = []
    batch, late, locked = crowd(), [new(), new()], list[bool]()

    def ask() -> Sequence[Append]:
        locked.append(is_locked(url))
        return late

    with opened(url, probe=lambda point: points.append(point.split(":")[0])) as database:
        results = database.append(batch, ask)
        again = database.append([*batch, *late])

    assert [True] == locked
    assert [Appended(events=one.events) for one in (*batch, *late)] == results == again
    number = len(batch) + len(late)
    assert number * ["append.before"] + number * ["append.written"] + number * ["append.after"] == points[: 3 * number]
    assert [(number,)] == rows(url, "SELECT count(*) FROM stored_events")


def test_one_that_cannot_be_written_undoes_all_and_leaves_nothing_open(url: str) -> None:
    batch, claimed_without_events = crowd(), append(uuid4(), 0, legs=())
    broken = [append(claimed_without_events.stream_id, 0, deferred()), append(claimed_without_events.stream_id, 0)]

    with opened(url) as database:
        with pytest.raises(ValueError, match="one append a stream"):
            database.append(batch, lambda: broken)
        assert not is_locked(url)
        with pytest.raises(ZeroDivisionError):
            database.append(batch, _fail)
        assert not is_locked(url)
        assert [Appended(events=one.events) for one in batch] == database.append(batch)


def _fail() -> Sequence[Append]:
    raise ZeroDivisionError


def test_a_crowd_that_does_not_get_the_lock_is_told_and_may_come_again(url: str) -> None:
    batch = crowd()
    with opened(url) as holder, opened(url, lock_timeout=0.2) as database, ThreadPoolExecutor(1) as pool:

        def meanwhile() -> Sequence[Append]:
            # Our lock is held for as long as this takes.
            with pytest.raises(AppointmentDatabaseError) as refused:
                pool.submit(database.append, batch).result(TOLD_SECONDS)
            assert "timeout" == refused.value.kind
            return ()

        holder.append(crowd(), meanwhile)
        assert [Appended(events=one.events) for one in batch] == database.append(batch)


def test_two_writers_in_a_crowd_lose_and_double_nothing(url: str) -> None:
    mine, yours = [[crowd() for _ in range(20)] for _ in range(2)]
    with opened(url) as one, opened(url) as other, ThreadPoolExecutor(2) as pool:
        written = [pool.submit(_append_all, *it) for it in ((one, mine), (other, yours))]
        assert all(isinstance(result, Appended) for it in written for result in it.result(TOLD_SECONDS))

    assert [(40 * (CROWD + 1),)] == rows(url, "SELECT count(*) FROM stored_events")
    # The number of a row says in which order the log has it: nobody wrote between another's rows.
    assert [(40 * (CROWD + 1),)] == rows(url, "SELECT max(notification_id) FROM stored_events")


def _append_all(database: Backend, batches: Sequence[list[Append]]) -> list[AppendResult]:
    return [result for batch in batches for result in database.append(batch, lambda: [new()])]


class LateRecorder:
    """
    A recorder at which more arrive while the lock is waited for: as many as `arrivals` says, batch by batch.
    """

    def __init__(self, arrivals: Sequence[Sequence[Append]], *, faulty: Append | None = None) -> None:
        self.batches: list[list[Append]] = []
        self.asked: list[Append] = []
        self.tasks: list[asyncio.Task[AppendResult]] = []
        self.appender: Appender | None = None
        self._arrivals = [list(one) for one in arrivals]
        self._loop = asyncio.get_running_loop()
        self._faulty = faulty

    def append(self, batch: Sequence[Append], late: Late = nobody) -> list[AppendResult]:
        arriving = self._arrivals.pop(0) if self._arrivals else []
        asyncio.run_coroutine_threadsafe(self._arrive(arriving), self._loop).result(TOLD_SECONDS)
        together = [*batch, *late()]
        self.batches.append(together)
        if self._faulty in together:
            raise AppointmentDatabaseError("no", kind="data")
        return [Appended(events=one.events) if one.expected_version == 0 else Lost() for one in together]

    async def _arrive(self, arriving: Sequence[Append]) -> None:
        assert self.appender is not None
        self.asked += arriving
        self.tasks += [asyncio.create_task(self.appender.append(one)) for one in arriving]
        # Each task has asked once it has had its first turn.
        await asyncio.sleep(0)


async def play(first: Append, arrivals: Sequence[Sequence[Append]], *, faulty: Append | None = None) -> LateRecorder:
    recorder = LateRecorder(arrivals, faulty=faulty)
    recorder.appender = appender = Appender(recorder.append, patience=5)
    recorder.tasks = [asyncio.create_task(appender.append(first))]
    try:
        async with asyncio.timeout(TOLD_SECONDS):
            while not all(task.done() for task in recorder.tasks):
                await asyncio.wait(recorder.tasks)
    except TimeoutError:
        left_out = sum(not task.done() for task in recorder.tasks)
        pytest.fail(f"{left_out} of {len(recorder.tasks)} were told nothing")
    finally:
        for task in recorder.tasks:
            task.cancel()
        await appender.aclose(within=5)
    return recorder


@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=6), max_size=4))
def test_everybody_is_told_their_own_result_and_no_stream_is_twice_in_a_batch(
    drawn: list[list[tuple[int, bool]]],
) -> None:
    streams = [uuid4() for _ in range(4)]
    arrivals = [[append(streams[stream], int(loses), deferred()) for stream, loses in one] for one in drawn]

    async def run() -> None:
        recorder = await play(new(), arrivals)
        told = [task.result() for task in recorder.tasks[1:]]
        wanted = [Appended(events=one.events) if one.expected_version == 0 else Lost() for one in recorder.asked]
        assert wanted == told
        for batch in recorder.batches:
            assert len(batch) == len({one.stream_id for one in batch})
        for stream in streams:
            # In the order in which they were asked for.
            of_stream = [one for batch in recorder.batches for one in batch if one.stream_id == stream]
            assert [one for one in recorder.asked if one.stream_id == stream] == of_stream

    asyncio.run(run())


async def test_those_who_came_late_stand_in_the_batch_that_was_waiting() -> None:
    first, late = new(), [new(), new()]
    recorder = await play(first, [late])

    assert [[first, *late]] == recorder.batches


async def test_a_batch_takes_no_more_than_the_limit() -> None:
    first, late = new(), [new() for _ in range(BATCH_LIMIT + 5)]
    recorder = await play(first, [late])

    assert [BATCH_LIMIT, 6] == [len(batch) for batch in recorder.batches]


async def test_a_fault_of_one_who_came_late_is_told_to_it_alone() -> None:
    first, good, faulty = new(), new(), new()
    recorder = await play(first, [[good, faulty]], faulty=faulty)

    told = await asyncio.gather(*recorder.tasks, return_exceptions=True)
    assert [Appended(events=first.events), Appended(events=good.events)] == told[:2]
    assert isinstance(told[2], AppointmentDatabaseError)
    assert faulty.stream_id == told[2].booking_id
    assert [[first, good, faulty], [first], [good], [faulty]] == recorder.batches
