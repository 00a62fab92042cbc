"""
Those who wait for full fallback to end are let go in their order, at a pace, whoever else does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from adapters.database.line import CHUNK, Line
from adapters.database.tables import saga_due
from adapters.log.store import Store, open_store
from sagas.appending import Append, DueAfter, LegRows, SlotClaim
from sagas.engine import IN_LINE, IN_TURN, NORMAL
from tests.integration.storage.appends import COMPANY, HALF_HOUR, SERVICE, TEN, append, deferred

PER_SECOND = 50.0
STEP = timedelta(seconds=1 / PER_SECOND)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=45)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with open_store(url) as store:
        yield store


def line(store: Store) -> Line:
    return Line(engine=store.engine, readers=store.readers, clock=store.clock, per_second=PER_SECOND)


class Interrupted:
    """
    Reads, and right after the first time has somebody else write.
    """

    def __init__(self, store: Store, then: Append) -> None:
        self._store = store
        self._then = [then]

    async def run(self, ask: Callable[[], object]) -> object:
        found = await self._store.readers.run(ask)
        if self._then:
            await self._store.log.append(self._then.pop())
        return found


async def waiting(store: Store, count: int, *, priority: int = IN_LINE, after: timedelta = HOUR) -> list[UUID]:
    due = [after + place * timedelta(milliseconds=1) for place in range(count)]
    appends = [append(uuid4(), 0, deferred(), due=DueAfter(delay=delay, priority=priority)) for delay in due]
    for one in appends:
        await store.log.append(one)
    return [one.stream_id for one in appends]


def rows(store: Store, among: Sequence[UUID]) -> list[tuple[UUID, datetime]]:
    query = select(saga_due.c.saga_id, saga_due.c.due_at).order_by(saga_due.c.due_at)
    with store.engine.connect() as connection:
        return [(row.saga_id, row.due_at) for row in connection.execute(query) if row.saga_id in among]


def claim(hour: int, *, leg: int = 0) -> SlotClaim:
    starts_at = TEN + hour * HOUR
    return SlotClaim(
        company_id=COMPANY,
        customer_id=uuid4(),
        service_id=SERVICE.service_id,
        offered_as=SERVICE.offered_as,
        staff_id=None,
        starts_at=starts_at,
        ends_at=starts_at + HALF_HOUR,
        allow_near_duplicate=False,
        leg=leg,
    )


def waiting_since_now(hour: int, priority: int) -> Append:
    """
    Return what waits in line for an appointment at that hour, and is due.
    """
    return append(uuid4(), 0, deferred(), due=DueAfter(delay=timedelta(0), priority=priority), claim=claim(hour))


async def test_they_come_in_their_order_and_no_faster_than_they_may(store: Store) -> None:
    line_of_three = await waiting(store, 3)

    assert 3 == await line(store).let_go()

    found = rows(store, line_of_three)
    assert line_of_three == [saga_id for saga_id, _ in found]
    assert {STEP} == {later - sooner for (_, sooner), (_, later) in pairwise(found)}
    assert found[0][1] <= store.clock.now()


async def test_whose_appointment_comes_first_goes_first_whoever_came_when(store: Store) -> None:
    due = DueAfter(delay=HOUR, priority=IN_LINE)
    hours = [5, 3, 4, 1]
    came = {hour: append(uuid4(), 0, deferred(), due=due, claim=claim(hour)) for hour in hours}
    # Of several services at once the first one counts, and who claims nothing has nothing to be late for.
    legs = tuple(LegRows(leg=leg, claim=claim(hour, leg=leg)) for leg, hour in enumerate([6, 2], start=1))
    several, without = append(uuid4(), 0, deferred(), due=due, legs=legs), append(uuid4(), 0, deferred(), due=due)
    for one in (without, *came.values(), several):
        await store.log.append(one)

    await line(store).let_go()

    wanted = [came[1], several, came[3], came[4], came[5], without]
    streams = [one.stream_id for one in wanted]
    assert streams == [saga_id for saga_id, _ in rows(store, streams)]


async def test_whose_appointment_comes_first_is_claimed_first_and_nobody_in_line_with_all_the_others(
    store: Store,
) -> None:
    came = {hour: waiting_since_now(hour, IN_TURN if hour % 2 else IN_LINE) for hour in (5, 3, 4, 1, 2)}
    without = append(uuid4(), 0, deferred(), due=DueAfter(delay=timedelta(0), priority=IN_TURN))
    later = append(uuid4(), 0, deferred(), due=DueAfter(delay=HOUR, priority=IN_TURN), claim=claim(0))
    ordinary = append(uuid4(), 0, deferred(), due=DueAfter(delay=timedelta(0), priority=9))
    for one in (without, later, *came.values(), ordinary):
        await store.log.append(one)

    assert timedelta(0) == await store.agenda.next_due(in_line=True) == await store.agenda.next_due(in_line=False)
    assert [ordinary.stream_id] == [one.saga_id for one in await store.agenda.claim(limit=10, lease=LEASE)]
    claimed = [await store.agenda.claim_in_line(lease=timedelta(seconds=1)) for _ in range(6)]
    assert await store.agenda.claim_in_line(lease=LEASE) is None
    left = await store.agenda.next_due(in_line=True)

    wanted = [*(came[hour].stream_id for hour in (1, 2, 3, 4, 5)), without.stream_id]
    assert wanted == [one.saga_id for one in claimed if one is not None]
    assert left is not None
    assert timedelta(minutes=50) < left <= HOUR
    # If whoever has them dies they are in no line any more.
    await asyncio.sleep(1.1)
    assert {*wanted} == {one.saga_id for one in await store.agenda.claim(limit=10, lease=LEASE)}


async def test_two_who_claim_at_the_same_time_get_different_ones(store: Store) -> None:
    for hour in range(8):
        await store.log.append(waiting_since_now(hour, IN_TURN))

    claimed = await asyncio.gather(*(store.agenda.claim_in_line(lease=LEASE) for _ in range(8)))

    found = [one.saga_id for one in claimed if one is not None]
    assert len(found) == len({*found}) > 1


async def test_nobody_else_is_woken(store: Store) -> None:
    others = await waiting(store, 2, priority=NORMAL)
    before = rows(store, others)
    due = await waiting(store, 1, after=timedelta(0))
    claimed = await store.agenda.claim_in_line(lease=LEASE)
    assert claimed is not None

    assert 0 == await line(store).let_go()

    assert before == rows(store, others)
    assert due == [claimed.saga_id]
    await store.agenda.release([(claimed.saga_id, claimed.token)])


async def test_a_crowd_that_would_come_at_once_comes_one_by_one(store: Store) -> None:
    # As they do when full fallback ends by itself: all were to be looked at again just after its end.
    soon = await waiting(store, round(timedelta(seconds=3) / STEP), after=timedelta(seconds=2))

    await line(store).let_go()

    found = rows(store, soon)
    assert soon == [saga_id for saga_id, _ in found]
    assert {STEP} == {later - sooner for (_, sooner), (_, later) in pairwise(found)}


async def test_that_others_let_go_at_the_same_time_changes_nothing(store: Store) -> None:
    many = await waiting(store, 40)

    await asyncio.gather(*(line(store).let_go() for _ in range(4)))

    found = rows(store, many)
    assert many == [saga_id for saga_id, _ in found]
    assert found[-1][1] - found[0][1] <= 40 * STEP + timedelta(seconds=5)


async def test_what_somebody_has_put_off_meanwhile_is_left_alone(store: Store) -> None:
    put_off, other = await waiting(store, 2)
    readers = Interrupted(store, append(put_off, 1, deferred(), due=DueAfter(delay=2 * HOUR)))

    await Line(engine=store.engine, readers=readers, clock=store.clock, per_second=PER_SECOND).let_go()  # type: ignore[arg-type]

    found = dict(rows(store, [put_off, other]))
    assert found[put_off] > store.clock.now() + HOUR
    assert found[other] <= store.clock.now() + STEP


async def test_a_line_of_any_length_is_let_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.database.line.CHUNK", 7)
    many = await waiting(store, 20)

    assert 20 == await line(store).let_go()

    assert many == [saga_id for saga_id, _ in rows(store, many)]
    assert CHUNK > 7


async def test_a_streams_last_event_is_found_however_long_it_is(store: Store) -> None:
    stream_id = uuid4()
    assert await store.log.last(stream_id) is None
    for version in range(3):
        await store.log.append(append(stream_id, version, deferred()))

    last = await store.log.last(stream_id)

    assert last is not None
    assert (stream_id, 3) == (last.stream_id, last.version)
