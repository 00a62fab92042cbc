"""
Everything is counted once: what Prometheus is told, and what the meter holds, say the same.
"""

from __future__ import annotations

from collections import Counter
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from adapters.measuring.calls import Calls
from adapters.measuring.meter import of_services
from adapters.metrics import CacheOutcome, Metrics
from domain.booking_result import Result

TOLD = st.lists(
    st.one_of(
        st.tuples(
            st.just("called"),
            st.sampled_from(("calcom", "database")),
            st.sampled_from(("succeeded", "failed", "refused", "ignored")),
        ),
        st.tuples(st.just("ended"), st.sampled_from(get_args(Result))),
        st.tuples(st.just("cached"), st.sampled_from(get_args(CacheOutcome))),
    ),
    max_size=60,
)


@given(TOLD)
def test_whoever_reads_the_figures_reads_the_same(told: list[tuple[str, ...]]) -> None:
    metrics = Metrics()
    calls = Calls(metrics=metrics)
    for kind, *said in told:
        match kind:
            case "called":
                calls.called(said[0], "read", said[1], 0.1)  # type: ignore[arg-type]
            case "ended":
                calls.ended(said[0])  # type: ignore[arg-type]
            case _:
                calls.cached("availability", said[0])  # type: ignore[arg-type]

    found: Counter[tuple[str, str]] = Counter()
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            found[sample.name, sample.labels.get("service", sample.labels.get("outcome", ""))] += int(sample.value)
    measured = of_services(calls.meter.look())
    for service in ("calcom", "database"):
        tally = measured.get(service)
        assert (0 if tally is None else tally.failed) == found["circuit_breaker_failure_total", service]
        assert (0 if tally is None else tally.succeeded) == found["circuit_breaker_success_total", service]
        assert (0 if tally is None else tally.refused) == found["circuit_breaker_open_total", service]
        assert (0 if tally is None else tally.sketch.count) == found["calsaga_call_seconds_count", service]
    booked, cached = measured.get("appointments"), measured.get("cache")
    for outcome in get_args(Result):
        assert (0 if booked is None else getattr(booked, outcome)) == found["calsaga_bookings_total", outcome]
    missed = sum(found["calsaga_cache_lookups_total", outcome] for outcome in ("miss", "stale", "error"))
    assert (0 if cached is None else cached.failed) == missed
