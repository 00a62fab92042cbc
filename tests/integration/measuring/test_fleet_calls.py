"""
What the processes of a fleet have counted is seen by all of them, once.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from adapters.database.tables import failure_metrics, measured_calls
from adapters.log.store import Store
from adapters.measuring.sketches import Sketch
from adapters.measuring.stored import StoredCalls
from domain.alert_rules import API
from tests.fakes.time import FakeClock
from tests.integration.measuring.counting import DAY, Process


def rows(store: Store) -> int:
    with store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(measured_calls)).scalar_one()


async def test_a_fleets_percentiles_are_those_of_all_its_calls(store: Store) -> None:
    clock, random = FakeClock(), Random(4)
    fleet = [Process(store, clock, f"p{number}") for number in range(3)]
    whole = Sketch()
    for minute in range(4):
        for process in fleet:
            seconds = [random.lognormvariate(-2, 1) for _ in range(1 + 20 * minute)]
            process.calls(*seconds)
            for one in seconds:
                whole.add(one)
        clock.advance(60)
        for process in fleet:
            await process.keeper.keep()

    for process in fleet:
        seen = (await process.sees()).sketch
        shares = (0.0, 0.5, 0.95, 0.99, 1.0)
        assert [whole.quantile(share) for share in shares] == [seen.quantile(share) for share in shares]
        assert seen.mean == pytest.approx(whole.mean)


async def test_answers_of_our_own_are_seen_by_all_and_are_no_failures_of_a_service(store: Store) -> None:
    clock = FakeClock()
    one, other = Process(store, clock, "one"), Process(store, clock, "other")
    one.meter.record(API, "GET /api/bookings", "failed", 3.0)
    clock.advance(60)
    await one.keeper.keep()

    (kind,) = await other.fleet.tallies(since=clock.start)
    assert (API, "GET /api/bookings") == kind
    with store.engine.connect() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(failure_metrics)).scalar_one()


async def test_a_process_sees_its_own_minute_at_once_and_others_see_it_once_it_is_over(store: Store) -> None:
    clock = FakeClock()
    one, other = Process(store, clock, "one"), Process(store, clock, "other")
    one.calls(0.1)

    assert (1, 0) == ((await one.sees()).succeeded, (await other.sees()).succeeded)
    clock.advance(60)
    await one.keeper.keep()
    one.calls(0.1)
    assert (2, 1) == ((await one.sees()).succeeded, (await other.sees()).succeeded)


async def test_nothing_is_seen_twice_while_it_is_being_stored(store: Store) -> None:
    clock = FakeClock()
    process = Process(store, clock, "one")
    for minute in range(10):
        process.calls(0.1)
        clock.advance(60)
        seen, _ = await asyncio.gather(process.sees(), process.keeper.keep())
        assert minute + 1 == seen.succeeded


async def test_storing_the_same_again_changes_nothing(store: Store) -> None:
    clock = FakeClock()
    process = Process(store, clock, "one")
    process.calls(0.1, 0.2)
    (measured,) = process.keeper.unstored()
    for _ in range(3):
        await process.stored.store(measured)

    assert 2 == (await Process(store, clock, "other").sees()).succeeded
    # It does not know yet that it is stored, and must not add its own to it.
    assert 2 == (await process.sees()).succeeded
    assert 2 == sum(one.counts.succeeded for one in await process.fleet.slices(since=clock.start - DAY))


async def test_hours_that_are_over_are_folded_to_one_row_and_nothing_is_lost(store: Store) -> None:
    clock = FakeClock()
    fleet = [Process(store, clock, f"p{number}") for number in range(3)]
    for _ in range(150):
        for process in fleet:
            process.calls(0.1)
            process.calls(2.0, operation="look", outcome="failed")
        clock.advance(60)
        for process in fleet:
            await process.keeper.keep()
    before = rows(store)
    clock.advance(4 * 3600)
    await asyncio.gather(*(process.keeper.keep() for process in fleet))

    seen = await fleet[0].sees()
    assert (450, 450, 900) == (seen.succeeded, seen.failed, seen.sketch.count)
    assert seen.sketch.quantile(0.99) == pytest.approx(2.0, rel=0.01)
    assert 2 * 3 == rows(store) < before


async def test_who_comes_late_is_folded_in_later(store: Store) -> None:
    clock = FakeClock()
    early, late = Process(store, clock, "early"), Process(store, clock, "late")
    early.calls(0.1)
    late.calls(0.3)
    clock.advance(60)
    await early.keeper.keep()
    clock.advance(3 * 3600)
    await early.keeper.keep()
    await late.keeper.keep()
    assert 2 == (await early.sees()).succeeded

    for _ in range(2):
        clock.advance(3600)
        await early.keeper.keep()
        await late.keeper.keep()
    assert (2, 1) == ((await early.sees()).succeeded, rows(store))


async def test_what_is_too_old_is_forgotten(store: Store) -> None:
    clock = FakeClock()
    process = Process(store, clock, "one", keep=DAY)
    process.calls(0.1)
    clock.advance(60)
    await process.keeper.keep()
    clock.advance(26 * 3600)
    await process.keeper.keep()

    assert 0 == rows(store)


async def test_only_what_reaches_into_the_window_is_seen(store: Store) -> None:
    clock = FakeClock()
    process = Process(store, clock, "one")
    for _ in range(10):
        process.calls(0.1)
        clock.advance(60)
        await process.keeper.keep()
    process.calls(0.1)

    seen = [(await process.sees(since=clock.now() - timedelta(minutes=ago))).succeeded for ago in (0, 1, 5, 60)]
    assert [1, 2, 6, 11] == seen
    slices = await process.fleet.slices(since=clock.now() - timedelta(minutes=5))
    assert (6, [1] * 6) == (len(slices), [one.counts.succeeded for one in slices])
    assert {"calcom"} == {one.service for one in slices}


async def test_what_a_killed_process_had_stored_stays(store: Store) -> None:
    clock = FakeClock()
    killed, other = Process(store, clock, "killed"), Process(store, clock, "other")
    killed.calls(0.1)
    clock.advance(60)
    await killed.keeper.keep()
    killed.calls(0.1, 0.1)
    del killed

    assert 1 == (await other.sees()).succeeded


async def test_a_process_that_ends_stores_its_last_minute(store: Store) -> None:
    clock = FakeClock()
    ending, other = Process(store, clock, "ending"), Process(store, clock, "other")
    ending.calls(0.1)
    await ending.keeper.aclose()

    assert (1, 1) == ((await other.sees()).succeeded, (await ending.sees()).succeeded)


async def test_processes_of_different_names_do_not_leave_each_other_out(store: Store) -> None:
    clock = FakeClock()
    one, other = Process(store, clock, "one"), Process(store, clock, "other")
    one.calls(0.1)
    clock.advance(60)
    await one.keeper.keep()
    stored = StoredCalls(engine=store.engine, readers=store.readers, process="other", failures=other.failures)

    since = clock.start - DAY
    assert {} == await one.stored.tallies(since=since, but_for=[clock.start])
    assert 1 == len(await stored.tallies(since=since, but_for=[clock.start]))
    assert 1 == (await other.sees()).succeeded
