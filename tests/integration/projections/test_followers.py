"""
Followers over a real log: nothing is missed, nothing counts twice, nothing stops the rest.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Uuid, func, insert, select, text, update

from adapters.followers import Followers
from adapters.log.store import Store
from domain.booking import initial_state
from domain.events import BookingInitiated
from domain.evolving import fold
from domain.notice import OperatorNotified
from projections.booking_pages import BookingFilter, list_bookings
from projections.booking_row import BookingRow
from projections.bookings import BOOKINGS, summary
from projections.catalog import PROJECTIONS
from projections.checkpoints import advance
from projections.errors import LogRestored, NotParked, UnknownProjection
from projections.follower import Follower, FollowerStatus, Stepped, step_together
from projections.source import Entry, Projection
from projections.tables import booking_list, projection_checkpoints
from sagas.appending import Recorded, booking_events
from tests.histories.appending import append
from tests.histories.bookings import history, wish

SCRIPTS = Path(__file__).parent
COUNTED = Table("counted", MetaData(), Column("stream_id", Uuid, nullable=False), Column("position", Integer))


def count(connection: Connection, tables: Sequence[Table], recorded: Sequence[Recorded]) -> None:
    """
    Write down every event; one of the wrong kind is refused.
    """
    (table,) = tables
    for one in recorded:
        if isinstance(one.event, BookingInitiated) and one.event.person.name.endswith("13"):
            raise ValueError("thirteen brings bad luck")
    connection.execute(insert(table), [{"stream_id": one.stream_id, "position": one.position} for one in recorded])


COUNTING = Projection(name="counting", tables=(COUNTED,), apply=count)


@pytest.fixture
def counted(store: Store) -> None:
    """
    A read model that would show every event that counts twice.
    """
    with store.engine.begin() as connection:
        COUNTED.create(connection)


async def test_a_background_follower_keeps_up(store: Store) -> None:
    followers = Followers(store, follow_seconds=0.05)
    running = asyncio.create_task(followers.run())
    histories = [history(Random(seed), wish(seed)) for seed in range(20)]
    for one in histories:
        await append(store.log, one)
    head = await store.log.head()
    await reached(followers, lambda it: it.position >= head)
    await followers.stop()
    await running

    assert rows_of(histories) == listed(store)


async def test_two_followers_at_once_count_every_event_once(store: Store, counted: None) -> None:
    histories = [history(Random(seed), wish(20 + seed)) for seed in range(30)]
    for one in histories:
        await append(store.log, one)
    several = [Follower(COUNTING, engine=store.engine, source=store.log, batch=7) for _ in range(4)]
    await asyncio.gather(*(follower.catch_up() for follower in several))

    with store.engine.connect() as connection:
        positions = list(connection.execute(select(COUNTED.c.position).order_by(COUNTED.c.position)).scalars())
    assert list(range(1, sum(map(len, histories)) + 1)) == positions


async def test_a_poison_event_parks_its_stream_and_the_rest_goes_on(store: Store, counted: None) -> None:
    histories = [history(Random(seed), wish(number)) for seed, number in enumerate([12, 13, 14])]
    for one in histories:
        await append(store.log, one)
    followers = Followers(store, follow_seconds=1, projections=[COUNTING])
    await followers.catch_up()
    (status,) = await followers.status()

    assert 0 == status.lag
    assert [histories[1][0].stream_id] == [one.stream_id for one in status.parked]
    assert "ValueError: thirteen brings bad luck" == status.parked[0].error
    assert {one[0].stream_id: len(one) for one in (histories[0], histories[2])} == counts(store)


async def test_an_unparked_stream_is_made_up_for(store: Store, counted: None) -> None:
    poisoned = history(Random(2), wish(13))
    await append(store.log, poisoned[:1])
    followers = Followers(store, follow_seconds=1, projections=[COUNTING])
    await followers.catch_up()
    await append(store.log, poisoned[1:])
    await append(store.log, history(Random(3), wish(1)))
    await followers.catch_up()
    stream_id = poisoned[0].stream_id
    cured = Projection(name="counting", tables=(COUNTED,), apply=count_anything)

    assert not await followers.unpark("counting", stream_id)
    assert await Followers(store, follow_seconds=1, projections=[cured]).unpark("counting", stream_id)
    assert len(poisoned) == counts(store)[stream_id]
    assert () == (await followers.status())[0].parked
    with pytest.raises(NotParked):
        await followers.unpark("counting", stream_id)


def count_anything(connection: Connection, tables: Sequence[Table], recorded: Sequence[Recorded]) -> None:
    """
    Write down every event.
    """
    (table,) = tables
    connection.execute(insert(table), [{"stream_id": one.stream_id, "position": one.position} for one in recorded])


async def test_an_unreadable_event_parks_its_stream(store: Store) -> None:
    good, bad = (history(Random(seed), wish(seed), longest=9) for seed in range(2))
    await append(store.log, bad)
    await append(store.log, good)
    with store.engine.begin() as connection:
        connection.execute(
            text("UPDATE stored_events SET topic = 'booking.unheard-of.v9' WHERE notification_id = :position"),
            {"position": 1},
        )
    followers = Followers(store, follow_seconds=1)
    await followers.catch_up()

    assert [bad[0].stream_id] == [one.stream_id for one in (await followers.status())[0].parked]
    assert rows_of([good]) == listed(store)


async def test_a_database_in_trouble_is_no_poison(store: Store) -> None:
    await append(store.log, history(Random(1)))
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE booking_list RENAME TO elsewhere"))
    followers = Followers(store, follow_seconds=0.01, projections=[BOOKINGS])
    running = asyncio.create_task(followers.run())
    await reached(followers, lambda it: it.problem is not None)
    (troubled,) = await followers.status()
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO booking_list"))
    await reached(followers, lambda it: not it.lag)
    running.cancel()

    assert () == troubled.parked
    assert 0 == troubled.position


async def test_the_troubles_of_one_read_model_do_not_stop_the_others(store: Store, counted: None) -> None:
    told = history(Random(1))
    await append(store.log, told)
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE booking_list RENAME TO elsewhere"))
    followers = Followers(store, follow_seconds=0.01, projections=[BOOKINGS, COUNTING])
    running = asyncio.create_task(followers.run())
    await reached(followers, lambda it: it.problem is not None if it.name == "bookings" else not it.lag)
    counted_alone = counts(store)
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO booking_list"))
    await reached(followers, lambda it: not it.lag and it.problem is None)
    await followers.stop()
    await running

    assert {told[0].stream_id: len(told)} == counted_alone == counts(store)
    assert rows_of([told]) == listed(store)


class CountingSource:
    """
    The log, and how often it was read.
    """

    def __init__(self, store: Store) -> None:
        self._log = store.log
        self.reads = 0

    async def read_all(self, *, after: int, limit: int) -> Sequence[Entry]:
        self.reads += 1
        return await self._log.read_all(after=after, limit=limit)

    async def head(self) -> int:
        return await self._log.head()


async def test_one_that_has_much_to_make_up_for_keeps_nobody_back_and_meets_the_others(
    store: Store, counted: None
) -> None:
    told = [history(Random(seed), wish(seed), longest=20) for seed in range(9)]
    for one in told[:6]:
        await append(store.log, one)
    await Follower(BOOKINGS, engine=store.engine, source=store.log).catch_up()
    before = await store.log.head()
    await append(store.log, told[6])
    source = CountingSource(store)
    bookings, counting = both = [
        Follower(one, engine=store.engine, source=source, batch=7) for one in (BOOKINGS, COUNTING)
    ]
    await step_together(both)
    ahead, behind = (await bookings.status()).position, (await counting.status()).position
    while await step_together(both) is not Stepped.NOTHING_NEW:
        pass
    for one in told[7:]:
        await append(store.log, one)
    source.reads = 0
    while await step_together(both) is not Stepped.NOTHING_NEW:
        pass

    assert behind == 7 < before < ahead
    # One reading for both: they stand at the same place.
    assert -(-sum(map(len, told[7:])) // 7) + 1 == source.reads
    assert sum(map(len, told)) == sum(counts(store).values())
    assert rows_of(told) == listed(store)


async def test_they_meet_although_there_is_always_something_new(store: Store, counted: None) -> None:
    told = [history(Random(seed), wish(seed), longest=20) for seed in range(30)]
    for one in told[:10]:
        await append(store.log, one)
    await Follower(BOOKINGS, engine=store.engine, source=store.log).catch_up()
    both = [Follower(one, engine=store.engine, source=store.log, batch=20) for one in (BOOKINGS, COUNTING)]
    for one in told[10:]:
        await append(store.log, one[:1])
        await step_together(both)
        positions = {(await follower.status()).position for follower in both}
        if len(positions) == 1:
            break

    assert {await store.log.head()} == positions


async def test_a_batch_that_comes_too_late_for_one_of_them_moves_none(store: Store, counted: None) -> None:
    told = history(Random(1))
    await append(store.log, told)
    faster = Follower(COUNTING, engine=store.engine, source=store.log, batch=1)

    def overtaken(point: str) -> None:
        if point == "follower.before:bookings":
            with store.engine.begin() as connection:
                assert advance(connection, "counting", expected=0, to=1)

    both = [Follower(one, engine=store.engine, source=store.log, probe=overtaken) for one in (BOOKINGS, COUNTING)]

    assert Stepped.LOST is await step_together(both)
    assert (0, 1) == ((await both[0].status()).position, (await faster.status()).position)
    assert {} == listed(store)


async def test_a_restored_log_stops_the_follower_until_a_rebuild(store: Store) -> None:
    histories = [history(Random(seed), wish(seed)) for seed in range(3)]
    for one in histories:
        await append(store.log, one)
    followers = Followers(store, follow_seconds=0.01, projections=[BOOKINGS])
    await followers.catch_up()
    with store.engine.begin() as connection:
        connection.execute(update(projection_checkpoints).values(position=10_000))
        connection.execute(update(booking_list).values(status="failed", company_id="salon"))
    with pytest.raises(LogRestored, match="rebuild bookings"):
        await followers.catch_up()
    await followers.rebuild("bookings")
    await followers.catch_up()

    assert rows_of(histories) == listed(store)


async def test_a_rebuild_mends_the_list_while_it_is_followed(store: Store) -> None:
    histories = [history(Random(seed), wish(seed)) for seed in range(60)]
    for one in histories[:30]:
        await append(store.log, one)
    followers = Followers(store, follow_seconds=0.01)
    await followers.catch_up()
    with store.engine.begin() as connection:
        connection.execute(update(booking_list).where(booking_list.c.status == "booked").values(status="failed"))
        connection.execute(insert(booking_list).values(stray_row(store)))
    running = asyncio.create_task(followers.run())

    async def go_on_booking() -> None:
        for one in histories[30:]:
            await append(store.log, one)

    _, *rebuilt = await asyncio.gather(go_on_booking(), followers.rebuild("bookings"), followers.rebuild("bookings"))
    await followers.stop()
    await running
    await followers.catch_up()

    assert rows_of(histories) == listed(store)
    assert max(one.differences for one in rebuilt) > 1
    with store.engine.connect() as connection:
        names = set(connection.execute(select(projection_checkpoints.c.name)).scalars())
    assert {one.name for one in PROJECTIONS} == names


async def test_there_is_nothing_to_rebuild_under_a_wrong_name(store: Store) -> None:
    with pytest.raises(UnknownProjection):
        await Followers(store, follow_seconds=1).rebuild("nonsense")


@pytest.mark.slow
async def test_nothing_is_missed_while_four_processes_append_and_two_follow(store: Store, database_url: str) -> None:
    followers = [await run("follow.py", database_url) for _ in range(2)]
    writers = [await run("append.py", database_url, str(number)) for number in range(4)]
    for writer in writers:
        assert 0 == await writer.wait()
    head = await store.log.head()
    ours = Followers(store, follow_seconds=1)
    await reached(ours, lambda it: it.position >= head)
    for follower in followers:
        follower.terminate()
        await follower.wait()
    histories = [history(Random(seed), wish(seed), longest=12) for seed in range(4 * 50)]

    told = [one for one in await store.log.read_all(after=0, limit=10_000) if one.position <= head]
    notices = [one for one in told if isinstance(one, Recorded) and isinstance(one.event, OperatorNotified)]

    assert sum(map(len, histories)) == head - len(notices)
    assert rows_of(histories) == listed(store)
    assert () == (await ours.status())[0].parked


async def run(script: str, *arguments: str) -> asyncio.subprocess.Process:
    """
    Start another process that works on the same database.
    """
    root = str(SCRIPTS.parents[2])
    return await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPTS / script), *arguments, cwd=root, env={"PYTHONPATH": root}
    )


async def reached(followers: Followers, holds: Callable[[FollowerStatus], bool]) -> None:
    """
    Wait until the status of every read model is like that.
    """
    async with asyncio.timeout(30):
        while not all(map(holds, await followers.status())):  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.02)


def rows_of(histories: Sequence[Sequence[Recorded]]) -> dict[UUID, BookingRow]:
    bookings = [fold(initial_state(one[0].stream_id), booking_events(one)) for one in histories]
    return {one.booking_id: summary(one) for one in bookings}


def listed(store: Store) -> dict[UUID, BookingRow]:
    with store.engine.connect() as connection:
        page = list_bookings(connection, BookingFilter(company_id="salon"), head=0, limit=200)
    return {row.booking_id: row for row in page.bookings}


def stray_row(store: Store) -> dict[str, object]:
    with store.engine.connect() as connection:
        row = connection.execute(select(booking_list).limit(1)).mappings().one()
    return dict(row) | {"booking_id": UUID(int=1)}


def counts(store: Store) -> dict[UUID, int]:
    query = select(COUNTED.c.stream_id, func.count()).group_by(COUNTED.c.stream_id)
    with store.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
