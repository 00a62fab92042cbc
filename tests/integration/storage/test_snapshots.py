"""
How everything stood, kept once a minute for the whole fleet, and not for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.breakers.local import LocalBreakers
from adapters.breakers.registry import Registry
from adapters.breakers.telling import Telling
from adapters.breakers.watched import WatchedBreaker
from adapters.database.passes import Passes
from adapters.database.snapshots import Snapshots, latest_snapshot
from adapters.log.store import Store, open_store
from adapters.snapshots import NAME, SnapshotRunner
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command
from domain.failure_detector import minute_of
from tests.fakes.time import FakeClock

KEEP = timedelta(hours=1)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind.
    """
    async with open_store(database_url) as store:
        yield store


def registry() -> Registry:
    database = WatchedBreaker("database", BreakerPolicy(), listener=Telling())
    return Registry(LocalBreakers({}, listener=Telling()), watched=[database])


def kept(store: Store, clock: FakeClock) -> Snapshots:
    return Snapshots(engine=store.engine, readers=store.readers, clock=clock)


def runner(store: Store, clock: FakeClock, breakers: Registry | None = None) -> SnapshotRunner:
    return SnapshotRunner(
        (breakers or registry()).look,
        passes=Passes(NAME, engine=store.engine, readers=store.readers, clock=clock),
        snapshots=kept(store, clock),
        clock=clock,
        keep=KEEP,
    )


async def test_of_a_fleet_one_process_keeps_one_a_minute(store: Store, database_url: str) -> None:
    clock = FakeClock()
    async with open_store(database_url) as other:
        for _ in range(4):
            turns = await asyncio.gather(*(runner(one, clock).take_turn() for one in (store, other, store)))
            assert 1 == sum(turns)
            clock.advance(60)

    assert 4 == len(await kept(store, clock).lately(KEEP))


async def test_what_was_open_is_kept_with_its_reason(store: Store) -> None:
    clock, breakers = FakeClock(), registry()
    await runner(store, clock, breakers).take_turn()
    await breakers.control("calcom", Command(action="open", actor="ada", reason="they move house"))
    clock.advance(60)
    await runner(store, clock, breakers).take_turn()

    first, second = await kept(store, clock).lately(KEEP)

    assert ("healthy", "degraded") == (first.verdict, second.verdict)
    assert ("closed", "open") == tuple(one.document["services"]["calcom"]["state"] for one in (first, second))
    assert ["calcom"] == list(second.document["reasons"])
    with store.engine.connect() as connection:
        assert second == latest_snapshot(connection)


async def test_what_is_old_is_forgotten(store: Store) -> None:
    clock = FakeClock()
    start = minute_of(clock.now())
    for _ in range(3):
        await runner(store, clock).take_turn()
        clock.advance(40 * 60)

    assert [start + timedelta(minutes=40), start + timedelta(minutes=80)] == [
        one.at for one in await kept(store, clock).lately(timedelta(days=1))
    ]


async def test_without_any_there_is_no_latest(store: Store) -> None:
    with store.engine.connect() as connection:
        assert latest_snapshot(connection) is None
