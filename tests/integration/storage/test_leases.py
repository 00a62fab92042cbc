"""
Work that one process has at a time: whoever holds it keeps it, and if it dies, another takes over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text

from adapters.database.leases import Lease
from adapters.log.store import Store, open_store
from tests.fakes.time import FakeClock

LITTLE = 0.001


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    A database of either kind.
    """
    async with open_store(database_url) as opened:
        yield opened


def lease(store: Store, clock: FakeClock, name: str = "health") -> Lease:
    return Lease(name, holder=uuid4(), engine=store.engine, readers=store.readers, clock=clock)


async def test_whoever_holds_it_keeps_it_and_nobody_else_gets_it_meanwhile(store: Store) -> None:
    clock = FakeClock()
    mine, other = lease(store, clock), lease(store, clock)

    assert await mine.hold(seconds=30)
    for _ in range(3):
        clock.advance(30 - LITTLE)
        assert not await other.hold(seconds=30)
        assert await mine.hold(seconds=30)
    clock.advance(30)
    assert await other.hold(seconds=30)
    assert not await mine.hold(seconds=30)


async def test_of_those_that_come_at_once_one_gets_it(store: Store, database_url: str) -> None:
    clock = FakeClock()
    async with open_store(database_url) as second:
        for _ in range(5):
            comers = [lease(it, clock) for it in (store, second)] * 4
            assert 1 == len({id(one) for one in comers if await one.hold(seconds=30)})
            clock.advance(30)
            held = await asyncio.gather(*(lease(it, clock).hold(seconds=30) for it in (store, second) * 4))
            assert 1 == sum(held)
            clock.advance(30)


async def test_what_is_given_back_is_free_at_once(store: Store) -> None:
    clock = FakeClock()
    mine, other = lease(store, clock), lease(store, clock)
    await mine.hold(seconds=30)
    await other.release()
    assert not await other.hold(seconds=30)

    await mine.release()

    assert await other.hold(seconds=30)


async def test_other_work_has_a_lease_of_its_own(store: Store) -> None:
    clock = FakeClock()
    await lease(store, clock).hold(seconds=30)

    assert await lease(store, clock, "other").hold(seconds=30)


async def test_a_clock_that_was_set_back_keeps_nobody_out_for_long(store: Store) -> None:
    clock = FakeClock()
    await lease(store, clock).hold(seconds=30)
    clock.advance(-86_400)

    assert await lease(store, clock).hold(seconds=30)


@pytest.mark.parametrize("whose", ["mine", "another's"])
async def test_neither_who_waits_writes_anything_nor_who_has_it_for_half_its_length(store: Store, whose: str) -> None:
    clock = FakeClock()
    mine = lease(store, clock)
    await mine.hold(seconds=30)
    clock.advance(15 - LITTLE)
    with store.engine.connect() as connection:
        before = connection.execute(text("SELECT * FROM leases")).all()
    if store.engine.dialect.name == "sqlite":
        with store.engine.begin() as connection:
            connection.execute(
                text("CREATE TRIGGER no_writes BEFORE UPDATE ON leases BEGIN SELECT raise(ABORT, 'written'); END")
            )

    comer = mine if whose == "mine" else lease(store, clock)
    assert (whose == "mine") == await comer.hold(seconds=30)

    with store.engine.connect() as connection:
        assert before == connection.execute(text("SELECT * FROM leases")).all()


async def test_it_is_renewed_once_half_of_it_is_over(store: Store) -> None:
    clock = FakeClock()
    mine, other = lease(store, clock), lease(store, clock)
    await mine.hold(seconds=30)
    clock.advance(15)
    assert await mine.hold(seconds=30)
    clock.advance(30 - LITTLE)

    assert not await other.hold(seconds=30)
    clock.advance(LITTLE)
    assert await other.hold(seconds=30)
