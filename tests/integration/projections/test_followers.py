"""
Followers over a real log: nothing is missed, nothing counts twice, nothing stops the rest.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select, text

from adapters.followers import Followers
from adapters.log.store import Store
from domain.notice import OperatorNotified
from projections.bookings import BOOKINGS
from projections.follower import Follower
from sagas.appending import Recorded
from tests.histories.appending import append
from tests.histories.bookings import history, wish
from tests.integration.projections.counting import COUNTED, COUNTING, counts, listed, reached, rows_of

SCRIPTS = Path(__file__).parent


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
