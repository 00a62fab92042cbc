"""
What is told of services: their calls, their breakers, and what they are held to.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.breakers.local import LocalBreakers
from adapters.measuring.documents import breakdown_document, resilience_document, span_name
from adapters.measuring.figures import Measures
from adapters.measuring.process import process_use
from adapters.measuring.publishing import Publisher
from adapters.measuring.stored import Slice
from adapters.metrics import Metrics
from domain.breaker_words import Command
from domain.errors import AppointmentDatabaseError
from domain.service_level import SPANS, Counts, Objectives
from tests.breakers.listening import Heard
from tests.fakes.measures import FakeCalls, FakeTransitions
from tests.fakes.time import FakeClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Place:
    """
    Measures over calls and breakers that a test makes up, an hour after the breakers were made.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.calls = FakeCalls()
        heard = Heard()
        self.breakers = LocalBreakers({}, listener=heard, clock=lambda: self.clock.now().timestamp())
        self.stored = FakeTransitions(heard.moves)
        self.measures = Measures(
            self.calls,
            breakers=self.breakers,
            transitions=self.stored,
            names=("calcom",),
            objectives=Objectives(),
            clock=self.clock,
        )

    def ended(self, counts: Counts, *, ago: timedelta, service: str = "calcom", lasts: timedelta = MINUTE) -> None:
        starts_at = self.clock.now() - ago
        self.calls.ended.append(Slice(service=service, starts_at=starts_at, ends_at=starts_at + lasts, counts=counts))

    async def document(self) -> dict[str, Any]:
        return resilience_document(await self.measures.figures(window=HOUR), process_use())

    async def service(self, name: str = "calcom") -> dict[str, Any]:
        found: dict[str, Any] = (await self.document())["services"][name]
        return found


async def test_a_service_is_told_by_what_its_calls_came_to() -> None:
    here = Place()
    for seconds in (0.1, 0.2, 0.3, 0.4):
        here.calls.meter.record("calcom", "create", "succeeded", seconds)
    here.calls.meter.record("calcom", "look", "failed", 2.0)
    here.calls.meter.record("calcom", "look", "refused")
    here.calls.meter.record("calcom", "look", "ignored")

    found = await here.service()

    assert {"requests": 6, "succeeded": 4, "failed": 1, "refused": 1}.items() <= found.items()
    assert (pytest.approx(4 / 6), pytest.approx(2 / 6)) == (found["success_rate"], found["failure_rate"])
    assert (100, 2000, 600) == (found["min_latency_ms"], found["max_latency_ms"], found["avg_latency_ms"])
    assert found["p50_latency_ms"] == pytest.approx(300, rel=0.01)
    assert found["health_score"] == 0


async def test_a_service_that_nobody_called_has_no_rates_and_meets_everything() -> None:
    found = await Place().service()

    assert [None] * 4 == [found[name] for name in ("success_rate", "failure_rate", "p99_latency_ms", "avg_latency_ms")]
    assert (100, True, "unknown") == (found["health_score"], found["slos_met"], found["trend"])
    assert (None, 1.0, True) == tuple(found["slos"]["availability"][name] for name in ("value", "budget_left", "met"))


async def test_a_service_without_a_breaker_is_measured_as_well_and_bookings_are_no_service() -> None:
    here = Place()
    here.calls.meter.record("database", "append", "succeeded", 0.002)
    here.calls.meter.record("appointments", "book", "failed")
    here.ended(Counts(failed=1), ago=MINUTE, service="appointments")

    document = await here.document()

    assert ["calcom", "database"] == list(document["services"])
    assert document["services"]["database"]["breaker"] is None
    assert (1, 0.0) == (document["bookings"]["requests"], document["bookings"]["success_rate"])
    assert [] == document["trend"]["hours"]
    assert {"calcom": {}} | {"database": {"append"}} == {"calcom": {}} | {
        service: set(operations)
        for service, operations in breakdown_document(await here.measures.breakdown(window=HOUR), minutes=60)[
            "services"
        ].items()
    }


async def test_the_breakers_states_recoveries_and_transitions_are_told() -> None:
    here = Place()
    here.clock.advance(3000)
    await here.breakers.control("calcom", Command(action="open", actor="ada", reason="a test"))
    here.clock.advance(400)
    await here.breakers.control("calcom", Command(action="reset", actor="ada", reason="over"))
    here.clock.advance(200)

    found = await here.service()

    breaker = found["breaker"]
    assert {"closed": 3200, "open": 400, "half_open": 0} == breaker["seconds_in_state"]
    assert ("closed", 2, 1, 400, 400, None) == tuple(
        breaker[name]
        for name in (
            "state",
            "transitions",
            "recoveries",
            "last_recovery_seconds",
            "longest_recovery_seconds",
            "unwell_since",
        )
    )
    assert (400, False) == (found["slos"]["recovery"]["value_seconds"], found["slos"]["recovery"]["met"])
    assert not found["slos_met"]


async def test_what_the_breaker_has_forgotten_of_the_window_is_told_as_it_was_stored() -> None:
    here = Place()
    for _ in range(30):
        await here.breakers.control("calcom", Command(action="open", actor="ada", reason="a test"))
        here.clock.advance(20)
        await here.breakers.control("calcom", Command(action="reset", actor="ada", reason="over"))
        here.clock.advance(40)
    # What moved last is not stored yet.
    del here.stored.moves[-3:]

    breaker = (await here.service())["breaker"]

    assert {"closed": 3000, "open": 600, "half_open": 0} == {
        state: round(seconds) for state, seconds in breaker["seconds_in_state"].items()
    }
    assert (60, 30) == (breaker["transitions"], breaker["recoveries"])


async def test_a_recovery_under_way_counts_already() -> None:
    here = Place()
    here.clock.advance(3000)
    await here.breakers.control("calcom", Command(action="open", actor="ada", reason="a test"))
    here.clock.advance(301)

    found = await here.service()

    assert (301, False, 25) == (
        found["slos"]["recovery"]["value_seconds"],
        found["slos"]["recovery"]["met"],
        found["health_score"],
    )


async def test_a_budget_is_that_of_the_period_as_far_as_it_was_seen() -> None:
    here = Place()
    here.ended(Counts(succeeded=99_800, failed=200), ago=timedelta(days=15))
    here.ended(Counts(succeeded=10**6), ago=timedelta(days=31))

    availability = (await here.service())["slos"]["availability"]

    # Twice as fast as it may, in half of the period.
    assert (pytest.approx(1), pytest.approx(0), False) == tuple(
        availability[name] for name in ("budget_spent", "budget_left", "met")
    )
    assert {"5m": 0, "30m": 0, "1h": 0, "6h": 0, "3d": 0} == availability["burn_rates"]


async def test_burn_rates_are_those_of_their_windows() -> None:
    here = Place()
    for ago, failed in ((1, 10), (20, 5), (50, 0), (300, 100)):
        here.ended(Counts(succeeded=1000 - failed, failed=failed), ago=ago * MINUTE)

    rates = (await here.service())["slos"]["availability"]["burn_rates"]

    assert {"5m": 10, "30m": 7.5, "1h": 5, "6h": 28.75, "3d": 28.75} == {
        window: pytest.approx(rate) for window, rate in rates.items()
    }


async def test_the_trend_is_of_all_services_by_the_hour() -> None:
    here = Place()
    here.ended(Counts(succeeded=100), ago=5 * HOUR)
    here.ended(Counts(succeeded=90, failed=10), ago=10 * MINUTE)
    here.ended(Counts(succeeded=100), ago=10 * MINUTE, service="database")

    document = await here.document()

    assert ("worse", [100, 200]) == (
        document["trend"]["direction"],
        [one["requests"] for one in document["trend"]["hours"]],
    )
    assert "worse" == document["services"]["calcom"]["trend"]


async def test_prometheus_is_told_what_is_left_of_the_budget() -> None:
    here, metrics = Place(), Metrics()
    here.ended(Counts(succeeded=985, failed=15), ago=MINUTE)
    here.ended(Counts(failed=1), ago=MINUTE, service="appointments")

    await Publisher(here.measures, metrics=metrics, seconds=60).publish()

    told = metrics.exposition().decode()
    assert 'calsaga_slo_burn_rate{service="calcom",window="1h"} 15.0' in told.replace("14.999999999999986", "15.0")
    assert 'calsaga_slo_error_budget_left{service="calcom"} 0.99' in told
    assert 'service="appointments"' not in told


async def test_without_a_database_the_gauges_stay_what_they_were() -> None:
    here, metrics = Place(), Metrics()
    publisher = Publisher(here.measures, metrics=metrics, seconds=60)
    here.ended(Counts(succeeded=1000), ago=MINUTE)
    await publisher.publish()
    before = metrics.exposition()

    async def away(**_: object) -> None:
        raise AppointmentDatabaseError("away", kind="connection_lost")

    here.calls.slices = away  # type: ignore[method-assign, assignment]
    await publisher.publish()

    def levels(told: bytes) -> list[str]:
        return [line for line in told.decode().splitlines() if "calsaga_slo" in line]

    assert levels(before) == levels(metrics.exposition())


def test_windows_are_named_as_prometheus_would() -> None:
    assert ["5m", "30m", "1h", "6h", "3d"] == [span_name(span) for span in SPANS]


def test_a_process_tells_what_it_takes() -> None:
    use = process_use()

    assert use.memory_bytes > 10_000_000
    assert use.cpu_seconds > 0
