"""
Alerts are raised once, cleared once, and do not flap, whoever decides next.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alert import Alert, AlertCleared, AlertRaised, AlertSeverityChanged, alert_id_of, begin, evolve
from domain.alert_rules import API, APPOINTMENTS, FLEET, Reading, ServiceReading, judge
from domain.alerting import SLACK, Judgment, Level, Move, decide
from domain.service_level import SPANS, Counts, Objectives
from domain.spike import Found

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
STEP = timedelta(seconds=15)
NO_CALLS = Counts()


def level(value: float, *, warning: float = 30, critical: float = 120, settled: bool = True) -> Judgment:
    levels = (
        Level(severity="warning", value=value, threshold=warning),
        Level(severity="critical", value=value, threshold=critical),
    )
    return Judgment(rule="latency", service="calcom", levels=levels, settled=settled)


class Fleet:
    """
    The alerts of a fleet, as its log has them.
    """

    def __init__(self) -> None:
        self.alerts: dict[UUID, Alert] = {}
        self.told: list[str] = []
        self.now = NOW

    def sees(self, *judgments: Judgment) -> list[Move]:
        self.now += STEP
        latest = {(one.rule, one.service): one for one in sorted(self.alerts.values(), key=lambda one: one.occasion)}
        moves = decide(judgments, latest.values(), now=self.now)
        for move in moves:
            self.write(move)
        return moves

    def write(self, move: Move) -> None:
        last = self.alerts.get(move.alert_id)
        if move.expected_version != (0 if last is None else last.version):
            return
        if last is None:
            assert isinstance(move.event, AlertRaised)
            self.alerts[move.alert_id] = begin(move.event)
        else:
            self.alerts[move.alert_id] = evolve(last, move.event)
        self.told.append(type(move.event).__name__)


def test_an_alert_is_raised_grows_worse_and_is_cleared() -> None:
    fleet = Fleet()
    for value in (10, 31, 40, 121, 119, 100, 28, 26):
        fleet.sees(level(value))

    assert ["AlertRaised", "AlertSeverityChanged", "AlertSeverityChanged", "AlertCleared"] == fleet.told
    (alert,) = fleet.alerts.values()
    assert ("warning", 100, 30, False, 4) == (
        alert.severity,
        alert.value,
        alert.threshold,
        alert.is_active,
        alert.version,
    )


@given(st.lists(st.floats(0, 300), max_size=60))
def test_raises_and_clears_take_turns_whatever_the_figures_do(values: list[float]) -> None:
    fleet = Fleet()
    for value in values:
        fleet.sees(level(value))

    ends = [told for told in fleet.told if told != "AlertSeverityChanged"]
    assert ["AlertRaised", "AlertCleared"] * (len(ends) // 2) + ["AlertRaised"] * (len(ends) % 2) == ends
    assert list(range(1, len(fleet.alerts) + 1)) == sorted(one.occasion for one in fleet.alerts.values())
    assert sum(one.is_active for one in fleet.alerts.values()) == len(ends) % 2


@given(st.lists(st.floats(30 * (1 - SLACK), 30, exclude_min=True), min_size=1), st.booleans())
def test_between_both_thresholds_nothing_changes(values: list[float], raised: bool) -> None:
    fleet = Fleet()
    if raised:
        fleet.sees(level(31))
    before = list(fleet.told)
    for value in values:
        fleet.sees(level(value))

    assert before == fleet.told


@given(st.lists(st.floats(0, 300), max_size=20))
def test_what_is_not_settled_is_not_cleared_and_grows_no_milder(values: list[float]) -> None:
    fleet = Fleet()
    fleet.sees(level(31))
    for value in values:
        fleet.sees(level(value, settled=False))

    assert "AlertCleared" not in fleet.told
    assert fleet.told.count("AlertSeverityChanged") <= 1


@given(st.lists(st.tuples(st.floats(0, 300), st.integers(0, 3)), max_size=30))
def test_whoever_decides_on_an_old_view_writes_nothing_twice(told: list[tuple[float, int]]) -> None:
    """
    Some see the alerts as they were a few events ago, as a read model that lags would show them.
    """
    fleet = Fleet()
    views: list[list[Alert]] = [[]]
    for value, ago in told:
        view = views[max(len(views) - 1 - ago, 0)]
        latest = {(one.rule, one.service): one for one in sorted(view, key=lambda one: one.occasion)}
        for move in decide([level(value)], latest.values(), now=NOW):
            fleet.write(move)
        views.append([*fleet.alerts.values()])

    ends = [one for one in fleet.told if one != "AlertSeverityChanged"]
    assert len(fleet.alerts) == ends.count("AlertRaised")
    assert sum(not one.is_active for one in fleet.alerts.values()) == ends.count("AlertCleared")
    assert sum(one.is_active for one in fleet.alerts.values()) <= 1


def test_what_nobody_judges_any_more_is_cleared_and_what_is_over_stays_so() -> None:
    fleet = Fleet()
    fleet.sees(level(200))
    (move,) = fleet.sees()

    assert AlertCleared(at=fleet.now, value=None) == move.event
    assert [] == fleet.sees()


def test_without_data_an_alert_is_over() -> None:
    fleet = Fleet()
    fleet.sees(level(200))
    (move,) = fleet.sees(Judgment(rule="latency", service="calcom"))

    assert AlertCleared(at=fleet.now, value=None) == move.event


def test_an_occurrence_has_an_id_of_its_own() -> None:
    fleet = Fleet()
    for value in (200, 0, 200):
        fleet.sees(level(value))

    assert [alert_id_of("latency", "calcom", occasion) for occasion in (1, 2)] == list(fleet.alerts)
    assert alert_id_of("latency", "calcom", 1) != alert_id_of("latency", "database", 1)


def test_a_raise_in_the_middle_of_a_stream_changes_nothing() -> None:
    raised = AlertRaised(
        at=NOW, rule="latency", service="calcom", occasion=1, severity="critical", value=9, threshold=5, since=NOW
    )
    alert = begin(raised)

    assert replace(alert, version=2) == evolve(alert, raised)
    changed = evolve(alert, AlertSeverityChanged(at=NOW + STEP, severity="warning", value=3, threshold=1))
    assert ("warning", 3, 1, NOW + STEP) == (changed.severity, changed.value, changed.threshold, changed.updated_at)


def calm(**changes: object) -> ServiceReading:
    return replace(ServiceReading(service="calcom"), **changes)  # type: ignore[arg-type]


def raised(*services: ServiceReading, **changes: object) -> dict[str, tuple[str, str]]:
    """
    Return what a reading raises where nothing was raised before.
    """
    moves = decide(judge(Reading(at=NOW, services=services, **changes), Objectives()), (), now=NOW)  # type: ignore[arg-type]
    return {move.rule: (move.service, move.event.severity) for move in moves if isinstance(move.event, AlertRaised)}


def spans(counts: Counts, *, but: Counts | None = None, for_minutes: int = 5) -> dict[timedelta, Counts]:
    return {span: but if but is not None and span <= timedelta(minutes=for_minutes) else counts for span in SPANS}


GOOD, BAD, SLOW_BURN = Counts(succeeded=1000), Counts(succeeded=900, failed=100), Counts(succeeded=9985, failed=15)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"spans": spans(GOOD)}, {}),
        ({"spans": spans(BAD)}, {"availability": ("calcom", "critical")}),
        ({"spans": spans(Counts(succeeded=900, refused=100))}, {"availability": ("calcom", "critical")}),
        ({"spans": spans(SLOW_BURN)}, {"availability": ("calcom", "warning")}),
        ({"spans": spans(Counts(succeeded=989, failed=11))}, {"availability": ("calcom", "critical")}),
        ({"spans": spans(BAD, but=GOOD, for_minutes=360)}, {}),
        ({"spans": spans(GOOD, but=BAD)}, {}),
        ({"spans": spans(Counts(failed=9))}, {}),
        ({}, {}),
        ({"p99_seconds": 1.1, "p99_calls": 20}, {"latency": ("calcom", "warning")}),
        ({"p99_seconds": 5.1, "p99_calls": 20}, {"latency": ("calcom", "critical")}),
        ({"p99_seconds": 5.1, "p99_calls": 19}, {}),
        ({"failed": 100}, {}),
        ({"service": "database", "failed": 3}, {}),
        ({"service": "database", "failed": 4}, {"database_errors": ("database", "critical")}),
        ({"unwell_since": NOW - timedelta(seconds=30)}, {}),
        ({"unwell_since": NOW - timedelta(seconds=31)}, {"breaker_not_closed": ("calcom", "warning")}),
        ({"unwell_since": NOW - timedelta(seconds=121)}, {"breaker_not_closed": ("calcom", "critical")}),
        (
            {"unwell_since": NOW - timedelta(seconds=301)},
            {"breaker_not_closed": ("calcom", "critical"), "recovery": ("calcom", "warning")},
        ),
        (
            {"unwell_since": NOW - timedelta(seconds=601)},
            {"breaker_not_closed": ("calcom", "critical"), "recovery": ("calcom", "critical")},
        ),
    ],
)
def test_rules_raise_what_they_are_for(seen: dict[str, object], expected: dict[str, tuple[str, str]]) -> None:
    assert expected == raised(calm(**seen))


@given(st.lists(st.floats(0, 3600), min_size=0, max_size=4))
def test_two_breakers_that_are_not_closed_are_a_cascade(unwell: list[float]) -> None:
    services = [
        calm(service=f"s{place}", unwell_since=NOW - timedelta(seconds=ago)) for place, ago in enumerate(unwell)
    ]
    found = raised(*services, calm())

    assert ({"breaker_cascade": (FLEET, "critical")} if len(unwell) > 1 else {}).items() <= found.items()
    assert (len(unwell) > 1) == ("breaker_cascade" in found)


@pytest.mark.parametrize(
    ("bookings", "expected"),
    [
        (Counts(succeeded=95, failed=5), {}),
        (Counts(succeeded=94, failed=6), {"booking_success": (APPOINTMENTS, "warning")}),
        (Counts(succeeded=89, failed=11), {"booking_success": (APPOINTMENTS, "critical")}),
        (Counts(failed=9), {}),
    ],
)
def test_bookings_that_fail_are_told_of(bookings: Counts, expected: dict[str, tuple[str, str]]) -> None:
    assert expected == raised(bookings=bookings)


@pytest.mark.parametrize(
    ("p95", "expected"),
    [
        (None, {}),
        (1.5, {}),
        (1.51, {"slow_answers": (API, "warning")}),
        (2.0, {"slow_answers": (API, "warning")}),
        (2.01, {"slow_answers": (API, "critical")}),
    ],
)
def test_answers_of_our_own_that_are_slow_are_told_of(p95: float | None, expected: dict[str, tuple[str, str]]) -> None:
    assert expected == raised(answer_p95_seconds=p95)


@pytest.mark.parametrize(
    ("caches", "expected"),
    [
        ({"availability": Counts(succeeded=160, failed=40)}, {}),
        ({"availability": Counts(succeeded=159, failed=41)}, {"cache_misses": ("availability", "warning")}),
        ({"user": Counts(failed=200)}, {"cache_misses": ("user", "warning")}),
        ({"availability": Counts(failed=199)}, {}),
        ({"phone": Counts(failed=1000)}, {}),
    ],
)
def test_caches_that_miss_too_often_are_told_of(caches: object, expected: dict[str, tuple[str, str]]) -> None:
    assert expected == raised(caches=caches)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Found(lately=4), {}),
        (Found(lately=5), {"sync_failure_spike": (FLEET, "warning")}),
        (Found(lately=24, before=1680), {}),
        (Found(lately=25, before=1680), {"sync_failure_spike": (FLEET, "warning")}),
    ],
)
def test_more_sync_failures_than_usual_are_told_of(found: Found, expected: dict[str, tuple[str, str]]) -> None:
    assert expected == raised(sync_failures=found)


def test_a_breaker_must_be_closed_for_a_minute_before_its_alerts_are_cleared() -> None:
    fleet = Fleet()

    def sees(**changes: object) -> None:
        reading = Reading(at=fleet.now + STEP, services=(calm(**changes), calm(service="database", **changes)))
        fleet.sees(*judge(reading, Objectives()))

    sees(unwell_since=NOW - timedelta(hours=1))
    active = len(fleet.alerts)
    closed_at = fleet.now
    for _ in range(3):
        sees(well_since=closed_at)
    assert active == sum(one.is_active for one in fleet.alerts.values()) == 5
    sees(well_since=closed_at)
    assert 0 == sum(one.is_active for one in fleet.alerts.values())


def test_a_breaker_that_opens_anew_while_its_alert_stands_is_no_new_alert() -> None:
    fleet = Fleet()
    for changes in (
        {"unwell_since": NOW - timedelta(hours=1)},
        {"well_since": NOW},
        {"unwell_since": NOW + STEP},
        {"well_since": NOW + STEP},
        {},
    ):
        fleet.sees(*judge(Reading(at=fleet.now + STEP, services=(calm(**changes),)), Objectives()))

    assert {1} == {one.occasion for one in fleet.alerts.values()}
    assert ["AlertRaised", "AlertRaised", "AlertCleared", "AlertCleared"] == fleet.told
