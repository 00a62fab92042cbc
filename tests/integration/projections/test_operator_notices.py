"""
Notices to the operators over a real log: one of each, from several processes, across deaths.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

from sqlalchemy import func, select, update

from adapters.database.tables import saga_due, stored_events
from adapters.followers import Followers
from adapters.log.store import Store
from adapters.verify import verify
from domain.notice import OperatorNotified
from projections.operator_notices import OPERATOR_NOTICES, notices
from sagas.appending import Recorded
from tests.histories.appending import append
from tests.integration.projections.test_bookings import interleaved
from tests.integration.projections.test_reactions import _follow
from tests.integration.projections.test_sync_failures import histories


class ProcessDied(Exception):
    """
    A batch ended in the middle.
    """


def expected(told: list[list[Recorded]]) -> set[UUID]:
    return {one.notice_id for stream in told for one in notices(stream)}


async def written(store: Store) -> Counter[UUID]:
    """
    Return how many notices stand in the log under each id.
    """
    entries = await store.log.read_all(after=0, limit=100_000)
    return Counter(one.stream_id for one in entries if isinstance(one.event, OperatorNotified))  # type: ignore[union-attr]


async def test_each_open_finding_is_told_once(store: Store) -> None:
    told = histories(60)
    await interleaved(store, told)
    await Followers(store, follow_seconds=1).catch_up()
    await Followers(store, follow_seconds=1).catch_up()
    with store.engine.connect() as connection:
        due = connection.execute(select(func.count()).select_from(saga_due)).scalar_one()
        query = select(stored_events.c.originator_id, func.count()).group_by(stored_events.c.originator_id)
        streams = {row[0]: row[1] for row in connection.execute(query)}

    assert expected(told)
    assert Counter(expected(told)) == await written(store)
    assert 0 == due
    assert {one[0].stream_id: len(one) for one in told}.items() <= streams.items()
    assert {one.lag for one in await Followers(store, follow_seconds=1).status()} == {0}


async def test_a_process_that_dies_before_its_checkpoint_moves_tells_nothing_twice(store: Store) -> None:
    told = histories(30)
    await interleaved(store, told)
    left = 2

    def dies(point: str) -> None:
        nonlocal left
        if point == "follower.before:operator_notices" and left:
            left -= 1
            raise ProcessDied

    for _ in range(3):
        followers = Followers(store, follow_seconds=1, probe=dies, projections=[OPERATOR_NOTICES])
        try:
            await followers.catch_up()
        except ProcessDied:
            assert Counter(expected(told)) == await written(store)

    assert 0 == left
    assert Counter(expected(told)) == await written(store)


async def test_several_processes_tell_each_finding_once(store: Store, database_url: str) -> None:
    told = histories(40)
    followers = [await _follow(database_url) for _ in range(2)]
    ours = [Followers(store, follow_seconds=1) for _ in range(2)]
    for place, one in enumerate(told):
        await append(store.log, one)
        if place == len(told) // 2:
            followers[0].kill()
    await asyncio.gather(*(one.catch_up() for one in ours))
    for follower in followers:
        if follower.returncode is None:
            follower.terminate()
        await follower.wait()
    await ours[0].catch_up()

    assert Counter(expected(told)) == await written(store)


async def test_a_notice_is_nothing_that_verify_objects_to(store: Store) -> None:
    told = histories(20)
    await interleaved(store, told)
    await Followers(store, follow_seconds=1).catch_up()
    notified = set(await written(store))

    assert notified
    assert set() == {one.stream_id for one in await verify(store, look_again=[])} & notified


async def test_rebuilding_writes_the_notices_that_are_missing(store: Store) -> None:
    told = histories(60)
    await interleaved(store, told)

    await Followers(store, follow_seconds=1).rebuild(OPERATOR_NOTICES.name)

    assert expected(told)
    assert Counter(expected(told)) == await written(store)


async def test_a_stream_that_could_not_be_read_is_told_of_once_it_can(store: Store) -> None:
    told = histories(60)
    await interleaved(store, told)
    stream_id = next(stream for stream in told if expected([stream]))[0].stream_id
    its_first = (stored_events.c.originator_id == stream_id) & (stored_events.c.originator_version == 1)
    with store.engine.begin() as connection:
        topic = connection.execute(select(stored_events.c.topic).where(its_first)).scalar_one()
        connection.execute(update(stored_events).where(its_first).values(topic="booking.from-the-future.v9"))
    await Followers(store, follow_seconds=1).catch_up()
    with store.engine.begin() as connection:
        connection.execute(update(stored_events).where(its_first).values(topic=topic))

    assert await Followers(store, follow_seconds=1).unpark(OPERATOR_NOTICES.name, stream_id)

    assert Counter(expected(told)) == await written(store)
