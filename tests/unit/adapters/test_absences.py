"""
Since when and how often a process goes on without Redis, as people and Prometheus are told.
"""

from __future__ import annotations

from adapters.absences import Absences
from adapters.metrics import Metrics
from tests.fakes.time import FakeClock


def test_of_a_redis_that_was_always_there_nothing_is_said() -> None:
    absences = Absences(now=FakeClock().now)
    absences.of("marks")(0)

    assert "" == absences.said()


def test_each_use_says_since_when_it_goes_on_by_itself_and_how_often_it_did() -> None:
    clock = FakeClock()
    absences, began = Absences(now=clock.now), clock.now()
    breakers, marks = absences.of("breakers"), absences.of("marks")
    breakers(1)
    clock.advance(5)
    # Whoever is late once more says so once more.
    breakers(1)
    marks(1)
    clock.advance(60)
    back = clock.now()
    marks(0)
    marks(1)
    marks(0)

    assert (
        f"breakers: this process goes on without it since {began:%Y-%m-%d %H:%M:%S} UTC, 1 time since it began; "
        f"marks: shared again since {back:%Y-%m-%d %H:%M:%S} UTC, this process was without it 2 times since it began"
    ) == absences.said()


def test_prometheus_is_told_the_same() -> None:
    clock, metrics = FakeClock(), Metrics()
    absences = Absences(now=clock.now, tell=metrics.redis_away)

    def told() -> dict[str, float]:
        found = {}
        for line in metrics.exposition().decode().splitlines():
            name, _, value = line.rpartition(" ")
            if name.startswith(("calsaga_redis_", "calsaga_breakers_alone", "calsaga_api_rate_limits_alone")):
                found[name.removesuffix('"}').replace('{used_for="', " ")] = float(value)
        return {name: value for name, value in found.items() if "_created" not in name}

    assert {0.0} == set(told().values())
    absences.of("breakers")(1)
    absences.of("rate_limits")(1)
    absences.of("rate_limits")(0)

    assert {
        "calsaga_redis_losses_total breakers": 1.0,
        "calsaga_redis_losses_total rate_limits": 1.0,
        "calsaga_redis_losses_total marks": 0.0,
        "calsaga_redis_away_since_timestamp_seconds breakers": clock.now().timestamp(),
        "calsaga_redis_away_since_timestamp_seconds rate_limits": 0.0,
        "calsaga_redis_away_since_timestamp_seconds marks": 0.0,
        "calsaga_breakers_alone": 1.0,
        "calsaga_api_rate_limits_alone": 0.0,
    } == told()
