"""
Alerts over a real log: raised once and cleared once, whichever process judges, and whichever sees what is wrong.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, update

from adapters.followers import Followers
from adapters.log.store import Store
from adapters.measuring.stored import Slice
from adapters.verify import verify
from domain.full_fallback import FullFallbackBegun
from domain.service_level import Counts
from projections.alerts import ALERTS
from projections.failures import SyncFailure
from projections.tables import alerts, sync_failures
from tests.integration.alerting.watchers import Fleet

NOT_CLOSED = "breaker_not_closed calcom"


def a_failure(failure_type: str, at: datetime) -> dict[str, object]:
    """
    Return the row of a sync failure.
    """
    failure = SyncFailure(
        id=uuid4(),
        company_id="acme",
        booking_id=uuid4(),
        appointment_id=None,
        calcom_booking_id="uid",
        attempt_id=None,
        failure_type=failure_type,
        error_message="",
        proposed_repair="cancel",
        status="pending",
        resolution=None,
        actor=None,
        attempt_count=1,
        created_at=at,
        updated_at=at,
        resolved_at=None,
    )
    return vars(failure)


@pytest.fixture
def fleet(store: Store) -> Fleet:
    """
    Three processes.
    """
    return Fleet(store, "one", "two", "three")


async def test_an_open_breaker_is_raised_grows_critical_and_is_cleared_a_minute_after_it_closed(fleet: Fleet) -> None:
    await fleet.watchers[0].opens()
    await fleet.passes(30)
    assert {} == await fleet.active()
    await fleet.passes(15)
    assert {NOT_CLOSED: "warning"} == await fleet.active()
    await fleet.passes(90)
    assert {NOT_CLOSED: "critical"} == await fleet.active()
    await fleet.watchers[0].closes()
    await fleet.passes(45)
    assert {NOT_CLOSED: "critical"} == await fleet.active()
    await fleet.passes(30)

    assert {} == await fleet.active()
    assert {"AlertRaised": 1, "AlertSeverityChanged": 1, "AlertCleared": 1} == await fleet.told()


async def test_a_key_that_one_process_knows_to_be_rejected_is_raised_by_another_and_cleared(fleet: Fleet) -> None:
    knows = fleet.watchers[1]
    knows.rejected = {"acme": fleet.clock.now()}
    await fleet.passes(30)
    assert {} == await fleet.active()
    await fleet.passes(15)
    assert {"key_rejected acme": "warning"} == await fleet.active()
    # The only one beside it: nobody can book any more.
    knows.rejected |= {"default": fleet.clock.now()}
    await fleet.passes(45)
    assert {"key_rejected acme": "critical", "key_rejected default": "critical"} == await fleet.active()
    knows.rejected = {}
    await fleet.passes(15)

    assert {} == await fleet.active()
    assert {"AlertRaised": 2, "AlertSeverityChanged": 1, "AlertCleared": 2} == await fleet.told()


async def test_full_fallback_that_lasts_is_raised_and_is_cleared_when_it_ends(fleet: Fleet) -> None:
    now = fleet.clock.now()
    held = FullFallbackBegun(at=now, since=now, expires_at=now + timedelta(hours=4), actor="ada", reason="they move")
    for one in fleet.watchers:
        one.fallback = held
    await fleet.passes(900)
    assert {} == await fleet.active()
    await fleet.passes(15)
    assert {"full_fallback fleet": "warning"} == await fleet.active()
    for one in fleet.watchers:
        one.fallback = None
    await fleet.passes(15)

    assert {} == await fleet.active()


async def test_whoever_judges_and_however_many_at_once_there_is_one_raise_and_one_clear(fleet: Fleet) -> None:
    async def all_judge() -> None:
        await asyncio.gather(*(watcher.watch.look() for watcher in fleet.watchers * 3))
        await fleet.followers.catch_up()

    for occasion in (1, 2, 3):
        await fleet.watchers[0].opens()
        fleet.clock.advance(100)
        for watcher in fleet.watchers:
            await watcher.notes.note()
        await all_judge()
        assert {NOT_CLOSED: "warning"} == await fleet.active()
        await fleet.watchers[0].closes()
        for watcher in fleet.watchers:
            await watcher.notes.note()
        fleet.clock.advance(100)
        await all_judge()
        assert {"AlertRaised": occasion, "AlertCleared": occasion} == await fleet.told()


async def test_who_sees_an_old_read_model_writes_nothing_twice(fleet: Fleet) -> None:
    await fleet.watchers[0].opens()
    fleet.clock.advance(40)
    for _ in range(3):
        await fleet.watchers[0].watch.look()

    assert {"AlertRaised": 1} == await fleet.told()


async def test_a_breaker_that_only_one_process_has_open_is_seen_by_whoever_judges(fleet: Fleet) -> None:
    await fleet.watchers[2].opens()
    for judge in range(8):
        await fleet.passes(15, judge=judge)
    assert {NOT_CLOSED: "warning"} == await fleet.active()
    await fleet.watchers[2].closes()
    for judge in range(8):
        await fleet.passes(15, judge=judge)

    assert {} == await fleet.active()
    assert {"AlertRaised": 1, "AlertCleared": 1} == await fleet.told()


async def test_what_a_dead_process_noted_is_forgotten_within_a_minute(fleet: Fleet) -> None:
    dying = fleet.watchers[2]
    await dying.opens()
    await fleet.passes(60)
    assert {NOT_CLOSED: "warning"} == await fleet.active()
    fleet.watchers.remove(dying)
    await fleet.passes(45)
    assert {NOT_CLOSED: "warning"} == await fleet.active()
    await fleet.passes(15)

    assert {} == await fleet.active()


async def test_two_breakers_that_are_open_in_different_processes_are_a_cascade(fleet: Fleet) -> None:
    await fleet.watchers[1].opens("calcom")
    await fleet.watchers[2].opens("retell")
    await fleet.passes(15)

    assert {"breaker_cascade fleet": "critical"} == await fleet.active()


async def test_a_breaker_that_nobody_uses_raises_nothing_whatever_a_person_makes_of_it(fleet: Fleet) -> None:
    await fleet.watchers[1].opens("calcom")
    await fleet.watchers[2].opens("retell", used=False)
    await fleet.passes(600)

    assert {NOT_CLOSED, "recovery calcom"} == {*await fleet.active()}


async def test_calls_that_fail_spend_the_budget_until_it_is_told(fleet: Fleet) -> None:
    now = fleet.clock.now()
    fleet.calls.ended.append(
        Slice(service="calcom", starts_at=now, ends_at=now, counts=Counts(succeeded=90, failed=10))
    )
    await fleet.passes(15)
    assert {"availability calcom": "critical"} == await fleet.active()
    await fleet.passes(300, judge=1)

    # The short window is clean; the longest pair still burns.
    assert {"availability calcom": "critical"} == await fleet.active()
    await fleet.passes(1800, judge=2)
    assert {"availability calcom": "warning"} == await fleet.active()


async def test_bookings_that_fail_are_told(fleet: Fleet) -> None:
    for number in range(20):
        fleet.calls.meter.record("appointments", "book", "failed" if number % 5 == 0 else "succeeded")
    await fleet.passes(15)

    assert {"booking_success appointments": "critical"} == await fleet.active()


async def test_failures_of_the_database_are_told_and_cleared(fleet: Fleet) -> None:
    for outcome in ("failed",) * 4 + ("succeeded",) * 9996:
        fleet.calls.meter.record("database", "read", outcome)
    await fleet.passes(15)
    assert {"database_errors database": "critical"} == await fleet.active()
    fleet.calls.meter.take()
    await fleet.passes(15, judge=1)

    assert {} == await fleet.active()
    assert {"AlertRaised": 1, "AlertCleared": 1} == await fleet.told()


async def test_a_cache_that_misses_too_often_is_told_and_cleared(fleet: Fleet) -> None:
    for number in range(300):
        fleet.calls.meter.record("cache", "availability", "succeeded" if number % 3 else "failed")
        fleet.calls.meter.record("cache", "phone", "failed")
    await fleet.passes(15)
    assert {"cache_misses availability": "warning"} == await fleet.active()
    for _ in range(300):
        fleet.calls.meter.record("cache", "availability", "succeeded")
    await fleet.passes(15, judge=1)

    assert {} == await fleet.active()


async def test_more_sync_failures_than_usual_are_told_until_an_hour_has_gone_by(fleet: Fleet, store: Store) -> None:
    def finds(times: int, failure_type: str = "orphan") -> None:
        with store.engine.begin() as connection:
            connection.execute(
                insert(sync_failures), [a_failure(failure_type, fleet.clock.now()) for _ in range(times)]
            )

    finds(4)
    finds(50, "foreign_booking")
    await fleet.passes(15)
    assert {} == await fleet.active()
    finds(1)
    await fleet.passes(15)
    assert {"sync_failure_spike fleet": "warning"} == await fleet.active()
    await fleet.passes(3600, judge=1)

    assert {} == await fleet.active()
    assert {"AlertRaised": 1, "AlertCleared": 1} == await fleet.told()


async def test_an_active_alert_is_seen_at_its_present_figure_and_its_worst(fleet: Fleet) -> None:
    def takes(seconds: float) -> None:
        fleet.calls.meter.take()
        for _ in range(20):
            fleet.calls.meter.record("calcom", "create", "succeeded", seconds)

    async def seen() -> tuple[float, float, float] | None:
        watcher = fleet.watchers[2]
        (alert,) = await watcher.alerts.list(status=None, limit=9)
        figure = (await watcher.figures.of([alert])).get(alert.id)
        return None if figure is None else (round(alert.value), round(figure.value), round(figure.worst))

    takes(2.0)
    await fleet.passes(15)
    assert await seen() is None
    for judge, seconds, expected in ((0, 4.0, 4), (1, 3.0, 4), (2, 3.5, 4), (0, 4.5, 4)):
        takes(seconds)
        await fleet.passes(15, judge=judge)
        assert (2, round(seconds), max(expected, round(seconds))) == await seen()
    takes(0.1)
    await fleet.passes(15)
    fleet.calls.meter.take()
    await fleet.passes(15)

    assert {"AlertRaised": 1, "AlertCleared": 1} == await fleet.told()
    assert (2, 0, 4) == await seen()


async def test_who_judges_on_an_old_view_makes_no_figure_less_bad(fleet: Fleet) -> None:
    await fleet.watchers[0].opens()
    await fleet.passes(300)
    alerts = await fleet.watchers[0].alerts.list(status="active", limit=9)
    before = await fleet.watchers[0].figures.of(alerts)
    low = {one.id: 1.0 for one in alerts}

    await asyncio.gather(*(it.figures.note(low, alerts, now=fleet.clock.now()) for it in fleet.watchers))

    after = await fleet.watchers[0].figures.of(alerts)
    assert {1.0} == {one.value for one in after.values()}
    assert {key: one.worst for key, one in before.items()} == {key: one.worst for key, one in after.items()}
    assert {300.0} == {one.worst for one in after.values()}


async def test_alerts_are_nothing_that_verify_objects_to_and_a_rebuild_finds_the_same(
    fleet: Fleet, store: Store
) -> None:
    await fleet.watchers[0].opens()
    await fleet.passes(150)
    before = await fleet.watchers[0].alerts.list(status=None, limit=200)

    rebuilt = await Followers(store, follow_seconds=1).rebuild(ALERTS.name)

    assert 0 == rebuilt.differences
    assert before == await fleet.watchers[0].alerts.list(status=None, limit=200)
    assert [] == await verify(store, look_again=[])


async def test_verify_finds_an_alert_whose_row_says_something_else(fleet: Fleet, store: Store) -> None:
    await fleet.watchers[0].opens()
    await fleet.passes(45)
    with store.engine.begin() as connection:
        alert_id = connection.execute(select(alerts.c.id)).scalar_one()
        connection.execute(update(alerts).values(severity="critical", cleared_at=fleet.clock.now()))

    found = await verify(store, look_again=[])

    assert {(alert_id, "alert, severity"), (alert_id, "alert, cleared_at")} == {
        (one.stream_id, one.what) for one in found
    }


async def test_verify_finds_rows_without_alerts_and_alerts_without_rows(fleet: Fleet, store: Store) -> None:
    await fleet.watchers[0].opens()
    await fleet.passes(45)
    with store.engine.begin() as connection:
        connection.execute(update(alerts).values(id=(stray := UUID(int=7))))

    found = await verify(store, look_again=[])

    assert {"alert"} == {one.what for one in found}
    assert {stray} < {one.stream_id for one in found}
