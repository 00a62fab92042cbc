"""
Engagement and notification requests over a real log.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from uuid import UUID

from sqlalchemy import delete, select, update

from adapters.followers import Followers
from adapters.log.store import Store
from domain.events import BookingInitiated
from projections.checkpoints import advance
from projections.engagement import Engagement, engaged, load
from projections.follower import Follower
from projections.notification_requests import NotificationRequest, newest, requested
from projections.reactions import REACTIONS
from projections.standing import Change, changes
from projections.tables import appointment_standings, customer_engagement, notification_requests
from sagas.appending import Recorded
from tests.histories.appending import append
from tests.histories.bookings import history, wish
from tests.integration.projections.test_bookings import interleaved

SCRIPTS = Path(__file__).parent
CUSTOMERS = 5
MOVED = (63, 135, 150, 218, 220, 253, 329, 332)
"""
Seeds of appointments that are moved, which is rare.
"""


def histories(count: int) -> list[list[Recorded]]:
    """
    Return streams of a few customers who come again and again; the last are of appointments that are moved.
    """
    seeds = [*range(count - len(MOVED)), *MOVED]
    return [_of_customer(number % CUSTOMERS, history(Random(number), wish(number))) for number in seeds]


def _of_customer(number: int, stream: list[Recorded]) -> list[Recorded]:
    first = stream[0]
    assert isinstance(first.event, BookingInitiated)
    return [replace(first, event=replace(first.event, customer_id=UUID(int=number + 1))), *stream[1:]]


async def test_they_show_what_the_streams_say(store: Store) -> None:
    told = histories(60)
    await interleaved(store, told)
    await Followers(store, follow_seconds=1).catch_up()

    assert engaged_in(told) == engagement(store)
    assert requests_of(told) == requests(store)
    assert {"confirmation", "move", "cancellation"} == {one.kind for one in requests(store).values()}
    assert CUSTOMERS == len(engagement(store))
    assert {one.customer_id: one.score for one in engagement(store).values()} == scores(store)


async def test_batches_of_any_size_and_followers_at_once_count_everything_once(store: Store) -> None:
    told = histories(40)
    await interleaved(store, told)
    several = [Follower(REACTIONS, engine=store.engine, source=store.log, batch=size) for size in (1, 3, 7)]
    await asyncio.gather(*(one.catch_up() for one in several))

    assert engaged_in(told) == engagement(store)
    assert requests_of(told) == requests(store)


async def test_processes_that_follow_at_once_and_are_killed_ask_for_everything_once(
    store: Store, database_url: str
) -> None:
    told = histories(60)
    followers = [await _follow(database_url) for _ in range(2)]
    for place, one in enumerate(told):
        await append(store.log, one)
        if place == len(told) // 2:
            followers[0].kill()
            followers += [await _follow(database_url)]
    async with asyncio.timeout(30):
        while (await Followers(store, follow_seconds=1, projections=[REACTIONS]).status())[0].lag:  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.02)
    for follower in followers:
        if follower.returncode is None:
            follower.terminate()
        await follower.wait()

    assert engaged_in(told) == engagement(store)
    assert requests_of(told) == requests(store)


async def test_a_batch_that_comes_again_changes_nothing(store: Store) -> None:
    told = histories(20)
    await interleaved(store, told)
    follower = Follower(REACTIONS, engine=store.engine, source=store.log, batch=10)
    await follower.catch_up()
    with store.engine.begin() as connection:
        assert advance(connection, ["reactions"], expected=await store.log.head(), to=5)
    await follower.catch_up()

    assert engaged_in(told) == engagement(store)
    assert requests_of(told) == requests(store)
    assert () == (await follower.status()).parked


async def test_a_rebuild_mends_the_score_and_asks_for_nothing_twice(store: Store) -> None:
    told = histories(40)
    await interleaved(store, told)
    followers = Followers(store, follow_seconds=1)
    await followers.catch_up()
    sent, lost = list(requests_of(told))[:2]
    with store.engine.begin() as connection:
        c = notification_requests.c
        connection.execute(update(notification_requests).where(c.id == sent).values(status="sent"))
        connection.execute(delete(notification_requests).where(c.id == lost))
        connection.execute(update(customer_engagement).values(score=1, booked=77))
        connection.execute(update(appointment_standings).values(version=1_000))
    rebuilt = await followers.rebuild("reactions")

    assert engaged_in(told) == engagement(store)
    assert requests_of(told) | {sent: replace(requests_of(told)[sent], status="sent")} == requests(store)
    assert len(told) + CUSTOMERS + 1 == rebuilt.differences
    assert 0 == (await followers.rebuild("reactions")).differences


async def test_a_company_sees_its_own_requests_the_newest_first(store: Store) -> None:
    told = histories(20)
    other = history(Random(1), wish(1, company_id="another"))
    await interleaved(store, [*told, other])
    await Followers(store, follow_seconds=1).catch_up()
    ours = sorted(requests_of(told).values(), key=lambda it: (it.created_at, it.id.hex), reverse=True)

    with store.engine.connect() as connection:
        assert ours[:7] == newest(connection, company_id="salon", limit=7)
        assert [*requests_of([other]).values()] == newest(connection, company_id="another", limit=200)[::-1]


async def _follow(url: str) -> asyncio.subprocess.Process:
    root = str(SCRIPTS.parents[2])
    return await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPTS / "follow.py"), url, cwd=root, env={"PYTHONPATH": root}
    )


def changed_in(told: Sequence[Sequence[Recorded]]) -> list[Change]:
    return [change for one in told for change in changes(None, one)]


def engaged_in(told: Sequence[Sequence[Recorded]]) -> dict[UUID, Engagement]:
    return engaged({}, changed_in(told))


def requests_of(told: Sequence[Sequence[Recorded]]) -> dict[UUID, NotificationRequest]:
    return {one.id: one for change in changed_in(told) if (one := requested(change)) is not None}


def engagement(store: Store) -> dict[UUID, Engagement]:
    with store.engine.connect() as connection:
        return load(connection, customer_engagement, [UUID(int=number) for number in range(CUSTOMERS + 1)])


def scores(store: Store) -> dict[UUID, int]:
    c = customer_engagement.c
    with store.engine.connect() as connection:
        return {row.customer_id: row.score for row in connection.execute(select(c.customer_id, c.score))}


def requests(store: Store) -> dict[UUID, NotificationRequest]:
    with store.engine.connect() as connection:
        rows = connection.execute(select(notification_requests)).mappings()
        return {row["id"]: NotificationRequest(**row) for row in rows}
