from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.database.passes import Passes
from adapters.log.store import Store, open_store
from tests.fakes.time import FakeClock

EVERY = timedelta(seconds=300)
LITTLE = timedelta(milliseconds=1)
ZERO = timedelta(0)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind.
    """
    async with open_store(database_url) as store:
        yield store


def _passes(store: Store, clock: FakeClock, name: str = "reconciler") -> Passes:
    return Passes(name, engine=store.engine, readers=store.readers, clock=clock)


async def test_there_is_one_pass_an_interval(store: Store) -> None:
    clock = FakeClock()
    mine, theirs = _passes(store, clock), _passes(store, clock)

    assert EVERY == await mine.until_next(every=EVERY)
    assert (True, False) == (await mine.begin(every=EVERY), await theirs.begin(every=EVERY))
    clock.advance(299)
    assert (False, timedelta(seconds=1)) == (await theirs.begin(every=EVERY), await theirs.until_next(every=EVERY))
    clock.advance(1)
    assert (ZERO, True) == (await theirs.until_next(every=EVERY), await theirs.begin(every=EVERY))
    assert not await mine.begin(every=EVERY)


async def test_of_those_that_come_at_once_one_begins(store: Store, database_url: str) -> None:
    clock = FakeClock()

    async def all_at_once() -> list[bool]:
        async with open_store(database_url) as other:
            comers = [_passes(it, clock) for it in (store, other)] * 4
            return await asyncio.gather(*(one.begin(every=EVERY) for one in comers))

    for _ in range(5):
        assert 1 == sum(await all_at_once())
        clock.advance(300)


async def test_a_pass_that_goes_on_is_not_begun_beside(store: Store) -> None:
    clock = FakeClock()
    passes = _passes(store, clock)
    await passes.begin(every=EVERY)
    clock.advance(299)
    await passes.go_on()
    clock.advance(299)

    assert not await passes.begin(every=EVERY)
    clock.advance(1)
    assert await passes.begin(every=EVERY)


async def test_other_work_has_passes_of_its_own(store: Store) -> None:
    clock = FakeClock()
    await _passes(store, clock).begin(every=EVERY)

    assert await _passes(store, clock, "another").begin(every=EVERY)


async def test_a_clock_that_was_set_back_stops_nobody_for_long(store: Store) -> None:
    clock = FakeClock()
    passes = _passes(store, clock)
    await passes.begin(every=EVERY)
    clock.advance(-86_400)

    assert EVERY == await passes.until_next(every=EVERY)
    assert await passes.begin(every=EVERY)


async def test_a_shorter_interval_holds_from_the_next_question_on(store: Store) -> None:
    clock = FakeClock()
    passes = _passes(store, clock)
    await passes.begin(every=timedelta(days=1))
    clock.advance(300)

    assert await passes.begin(every=EVERY - LITTLE)
