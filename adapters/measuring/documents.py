"""How figures look to the outside: rates are shares from 0 to 1, latencies milliseconds, everything else seconds."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, TypeAlias

from adapters.measuring.figures import BreakerFigures, Figures, Levels, ServiceFigures
from adapters.measuring.meter import Tallies, Tally
from adapters.measuring.process import ProcessUse
from domain.service_level import Counts, Objectives

Document: TypeAlias = dict[str, Any]
"""What orjson writes: it knows instants."""
MINUTE = timedelta(minutes=1)


def resilience_document(figures: Figures, process: ProcessUse) -> Document:
    """Return everything about all services."""
    return {
        "at": figures.at,
        "minutes": round(figures.window / MINUTE),
        "all_processes": figures.of_all,
        "services": {name: _service(one, figures.objectives) for name, one in figures.services.items()},
        "bookings": _counts(figures.bookings),
        "trend": {
            "direction": figures.trend,
            "hours": [{"starts_at": one.starts_at, **_counts(one.counts)} for one in figures.hours],
        },
        "process": asdict(process),
    }


def breakdown_document(tallies: Tallies, *, minutes: int) -> Document:
    """Return what came of calls, by service and operation."""
    services: dict[str, Document] = {}
    for (service, operation), tally in tallies.items():
        services.setdefault(service, {})[operation] = _calls(tally)
    return {"minutes": minutes, "services": services}


def _service(one: ServiceFigures, goals: Objectives) -> Document:
    return {
        **_calls(one.tally),
        **_breaker(one.breaker),
        "health_score": one.health,
        "trend": one.trend,
        "slos_met": one.levels.are_met,
        "slos": _levels(one.levels, goals, p99=one.tally.sketch.quantile(0.99)),
    }


def _calls(tally: Tally) -> Document:
    sketch = tally.sketch
    return {
        **_counts(tally.counts),
        "p50_latency_ms": _ms(sketch.quantile(0.5)),
        "p95_latency_ms": _ms(sketch.quantile(0.95)),
        "p99_latency_ms": _ms(sketch.quantile(0.99)),
        "avg_latency_ms": _ms(sketch.mean),
        "min_latency_ms": _ms(sketch.shortest if sketch.count else None),
        "max_latency_ms": _ms(sketch.longest if sketch.count else None),
    }


def _counts(counts: Counts) -> Document:
    rate = counts.success_rate
    return {
        "requests": counts.requests,
        "succeeded": counts.succeeded,
        "failed": counts.failed,
        "refused": counts.refused,
        "success_rate": rate,
        "failure_rate": None if rate is None else counts.bad_share,
    }


def _breaker(breaker: BreakerFigures | None) -> Document:
    if breaker is None:
        return {"breaker": None}
    seen = breaker.history
    recoveries = [one.total_seconds() for one in seen.recoveries]
    return {
        "breaker": {
            "state": breaker.snapshot.state,
            "shared": breaker.snapshot.shared,
            "observed_since": seen.observed_since,
            "transitions": seen.transitions,
            "seconds_in_state": {state: time.total_seconds() for state, time in seen.in_state.items()},
            "unwell_since": seen.unwell_since,
            "recoveries": len(recoveries),
            "last_recovery_seconds": recoveries[-1] if recoveries else None,
            "longest_recovery_seconds": max(recoveries, default=None),
        }
    }


def _levels(levels: Levels, goals: Objectives, *, p99: float | None) -> Document:
    return {
        "availability": {
            "target": goals.availability,
            "critical": goals.availability_critical,
            "value": levels.spending.availability,
            "met": levels.availability_met,
            "period_days": goals.period / timedelta(days=1),
            "budget_spent": levels.spending.budget.spent,
            "budget_left": levels.spending.budget.left,
            "burn_rates": {span_name(span): rate for span, rate in levels.spending.burn_rates.items()},
        },
        "p99_latency": {
            "target_ms": _ms(goals.p99_seconds),
            "critical_ms": _ms(goals.p99_critical_seconds),
            "value_ms": _ms(p99),
            "met": levels.latency_met,
        },
        "recovery": {
            "target_seconds": goals.recovery_seconds,
            "critical_seconds": goals.recovery_critical_seconds,
            "value_seconds": levels.recovery,
            "met": levels.recovery_met,
        },
    }


def span_name(span: timedelta) -> str:
    """Write a window as people of Prometheus do."""
    minutes = round(span / MINUTE)
    for unit, length in (("d", 24 * 60), ("h", 60)):
        if minutes % length == 0:
            return f"{minutes // length}{unit}"
    return f"{minutes}m"


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 3)
