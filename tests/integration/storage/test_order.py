"""
A follower misses nothing, whatever else happens to the log's table.

By default 4,000 events are appended. The large run of the design:
`CALSAGA_LARGE=100000 pytest tests/integration/storage/test_order.py`.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise
from uuid import uuid4

import psycopg

from adapters.log.store import Store, open_store
from sagas.appending import Appended, Recorded
from tests.integration.storage.appends import append, deferred, opened, rows
from tests.integration.storage.test_processes import in_processes

EVENTS = int(os.environ.get("CALSAGA_LARGE", "4000"))
CALLERS = 64


async def follow(store: Store, until: Callable[[], bool]) -> list[Recorded]:
    """
    Read on from the last position until nothing is left.
    """
    seen: list[Recorded] = []
    while True:
        last_round = until()
        found = await store.log.read_all(after=seen[-1].position if seen else 0, limit=500)
        for one in found:
            assert isinstance(one, Recorded)
            seen.append(one)
        if last_round and not found:
            return seen
        await asyncio.sleep(0 if found else 0.01)


async def maintain(url: str, until: Callable[[], bool]) -> Counter[str]:
    """
    Do to the log's table what operators and autovacuum do.
    """
    work = (
        "VACUUM stored_events",
        "ANALYZE stored_events",
        "CREATE INDEX CONCURRENTLY passing ON stored_events (topic)",
        "DROP INDEX CONCURRENTLY passing",
    )
    done: Counter[str] = Counter()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while not until():
            for statement in work:
                await connection.execute(statement)
                done[statement] += 1
    return done


async def write(store: Store, share: int) -> None:
    stream_id = uuid4()
    for version in range(0, share, 2):
        result = await store.log.append(append(stream_id, version, deferred(), deferred()))
        assert isinstance(result, Appended)


async def test_a_follower_misses_no_event_while_the_table_is_maintained(postgres_url: str) -> None:
    await followed(postgres_url, partial(maintain, postgres_url))


async def test_a_follower_misses_no_event(sqlite_url: str) -> None:
    await followed(sqlite_url, None)


async def followed(url: str, beside: Callable[[Callable[[], bool]], Awaitable[Counter[str]]] | None) -> None:
    share = EVENTS // CALLERS // 2 * 2
    async with open_store(url) as one, open_store(url) as other:
        writers = [asyncio.create_task(write(store, share)) for store in (one, other) for _ in range(CALLERS // 2)]

        def is_written() -> bool:
            return all(writer.done() for writer in writers)

        follower = asyncio.create_task(follow(one, is_written))
        maintainer = asyncio.ensure_future(beside(is_written)) if beside else None
        await asyncio.gather(*writers)
        seen = await follower
        done = await maintainer if maintainer else Counter(none=1)

    assert CALLERS * share == len(seen)
    assert all(earlier.position < later.position for earlier, later in pairwise(seen))
    versions: Counter[object] = Counter()
    for event in seen:
        versions[event.stream_id] += 1
        assert versions[event.stream_id] == event.version
    assert min(done.values()) >= 1


def append_many(url: str, *, batches: int) -> int:
    """
    Append in batches, and return how many events.
    """
    with opened(url) as database:
        for _ in range(batches):
            database.append([append(uuid4(), 0, deferred()) for _ in range(20)])
    return 20 * batches


def follow_many(url: str, *, until: int) -> list[int]:
    """
    Read on from the last position until so many have been seen.
    """
    seen: list[int] = []
    with opened(url) as database:
        while len(seen) < until:
            after = seen[-1] if seen else 0
            found = database.recorder.select_notifications(after, 100, inclusive_of_start=False)
            seen += [one.id for one in found]
    return seen


def test_a_follower_misses_no_event_of_several_processes(url: str) -> None:
    writers = [partial(append_many, url, batches=30)] * 3

    *written, seen = in_processes([*writers, partial(follow_many, url, until=1800)])

    assert 1800 == sum(written)
    assert seen == [position for (position,) in rows(url, "SELECT notification_id FROM stored_events ORDER BY 1")]
