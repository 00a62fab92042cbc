"""
What is old is deleted by one process of all, and nothing else is; what comes next goes on as if it were there.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select

from adapters.database.failure_metrics import Calls, FailureMetrics
from adapters.database.passes import Passes
from adapters.database.pruning import Pruning
from adapters.database.tables import alert_figures, failure_metrics
from adapters.followers import Followers
from adapters.log.store import Store
from adapters.pruning import NAME, PruningRunner
from adapters.verify import verify
from domain.breaker_moved import BreakerMoved
from domain.failure_detector import FailureRule, minute_of
from projections.alerts import ALERTS
from projections.circuit_breaker_events import CIRCUIT_BREAKER_EVENTS
from projections.tables import alerts, circuit_breaker_events
from sagas.appending import Append, NothingDue
from tests.integration.alerting.watchers import Fleet

KEEP = timedelta(days=30)
NOT_CLOSED = "breaker_not_closed calcom"


@pytest.fixture
def fleet(store: Store) -> Fleet:
    """
    Two processes.
    """
    fleet = Fleet(store, "one", "two")
    fleet.followers = Followers(store, follow_seconds=1, projections=[ALERTS, CIRCUIT_BREAKER_EVENTS])
    return fleet


def runner(fleet: Fleet) -> PruningRunner:
    store = fleet.store
    passes = Passes(NAME, engine=store.engine, readers=store.readers, clock=fleet.clock)
    return PruningRunner(Pruning(engine=store.engine, readers=store.readers), passes, clock=fleet.clock, keep=KEEP)


async def an_outage(fleet: Fleet) -> None:
    """
    Have a breaker open, an alert raised and cleared, a transition and a minute of failures kept.
    """
    await fleet.watchers[0].opens()
    await _moves(fleet.store, fleet.clock.now())
    with fleet.store.engine.begin() as connection:
        FailureMetrics(engine=fleet.store.engine, readers=fleet.store.readers, rule=FailureRule()).add(
            connection, {("calcom", minute_of(fleet.clock.now())): Calls(requests=1, failures=1)}
        )
    await fleet.passes(45)
    await fleet.watchers[0].closes()
    await fleet.passes(90)
    assert {} == await fleet.active()


async def _moves(store: Store, at: datetime) -> None:
    moved = BreakerMoved(
        at=at,
        service="calcom",
        before="closed",
        after="open",
        cause="failures",
        reason=None,
        actor=None,
        failures=5,
        calls=5,
        epoch=int(at.timestamp()),
        instance=None,
    )
    await store.log.append(
        Append(
            stream_id=moved.stream_id,
            expected_version=0,
            append_id=uuid4().hex,
            correlation_id="test",
            recorded_at=at,
            events=(moved,),
            due=NothingDue(),
        )
    )


def rows(store: Store) -> tuple[int, ...]:
    with store.engine.connect() as connection:
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (alerts, alert_figures, circuit_breaker_events, failure_metrics)
        )


async def test_what_is_old_is_deleted_and_verify_does_not_miss_it(fleet: Fleet, store: Store) -> None:
    for _ in range(2):
        await an_outage(fleet)
        fleet.clock.advance(86_400)
    fleet.clock.advance(KEEP.total_seconds() - 2 * 86_400)
    await an_outage(fleet)
    assert (3, 3, 3, 3) == rows(store)

    assert await runner(fleet).take_turn()

    assert (2, 2, 2, 2) == rows(store)
    assert [] == await verify(store, look_again=[])
    fleet.clock.advance(KEEP.total_seconds())
    assert await runner(fleet).take_turn()
    assert (1, 1, 0, 0) == rows(store)
    assert [] == await verify(store, look_again=[])


async def test_the_next_alert_is_raised_all_the_same(fleet: Fleet) -> None:
    await an_outage(fleet)
    fleet.clock.advance(2 * KEEP.total_seconds())
    await runner(fleet).take_turn()
    await an_outage(fleet)
    fleet.clock.advance(2 * KEEP.total_seconds())
    await runner(fleet).take_turn()
    await fleet.watchers[0].opens()
    await fleet.passes(45)

    assert {NOT_CLOSED: "warning"} == await fleet.active()
    assert {"AlertRaised": 3, "AlertCleared": 2} == await fleet.told()


async def test_what_goes_on_is_kept_however_long(fleet: Fleet, store: Store) -> None:
    await fleet.watchers[0].opens()
    await fleet.passes(45)
    fleet.clock.advance(2 * KEEP.total_seconds())
    await fleet.watchers[0].notes.note()

    await runner(fleet).take_turn()

    assert 1 == rows(store)[0]
    assert {NOT_CLOSED: "warning"} == await fleet.active()


@pytest.mark.parametrize("has_pruned", [False, True])
async def test_rows_that_were_not_pruned_are_missed(fleet: Fleet, store: Store, *, has_pruned: bool) -> None:
    await an_outage(fleet)
    if has_pruned:
        await runner(fleet).take_turn()
    with store.engine.begin() as connection:
        connection.execute(delete(circuit_breaker_events))
        connection.execute(delete(alerts))

    assert {"circuit breaker event", "alert"} == {one.what for one in await verify(store, look_again=[])}


async def test_of_a_fleet_one_process_prunes_once_an_hour(fleet: Fleet) -> None:
    for _ in range(3):
        turns = await asyncio.gather(*(runner(fleet).take_turn() for _ in range(4)))
        assert 1 == sum(turns)
        fleet.clock.advance(3600)


async def test_a_rebuild_brings_back_what_the_next_turn_deletes_again(fleet: Fleet, store: Store) -> None:
    await an_outage(fleet)
    fleet.clock.advance(2 * KEEP.total_seconds())
    await runner(fleet).take_turn()
    await fleet.followers.rebuild(CIRCUIT_BREAKER_EVENTS.name)
    assert 1 == rows(store)[2]
    assert [] == await verify(store, look_again=[])
    fleet.clock.advance(3600)
    await runner(fleet).take_turn()

    assert 0 == rows(store)[2]


async def test_to_keep_more_from_now_on_makes_nothing_missed_that_is_gone(fleet: Fleet, store: Store) -> None:
    await an_outage(fleet)
    fleet.clock.advance(2 * KEEP.total_seconds())
    await runner(fleet).take_turn()
    pruning = Pruning(engine=store.engine, readers=store.readers)

    await pruning.prune(before=fleet.clock.now() - 10 * KEEP)

    assert [] == await verify(store, look_again=[])
