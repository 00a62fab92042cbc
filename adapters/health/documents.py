"""How health looks to the outside, over HTTP and on the command line alike."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

from adapters.health.following import Standing
from adapters.health.seeing import Overview
from domain.health import Check, Uptime
from domain.health_forecast import Forecast

Document: TypeAlias = dict[str, Any]
"""What orjson writes: it knows instants."""


def overview_document(overview: Overview) -> Document:
    """Return what anybody may know: no address, no error's text, no count that grows with the business."""
    return {
        "status": overview.verdict,
        "problems": list(overview.problems),
        "services": {name: _open_document(check) for name, check in overview.checks.items()},
        "queue": {
            "due": overview.readiness.due,
            "oldest_due_seconds": max(overview.readiness.overdue.total_seconds(), 0.0),
        },
        "read_models": {name: _standing_document(one) for name, one in overview.standings.items()},
        "circuits": {name: one.state for name, one in overview.circuits.items()},
    }


def status_document(overview: Overview, uptimes: Mapping[str, Uptime]) -> Document:
    """Return what operators may know."""
    return {
        "status": overview.verdict,
        "problems": list(overview.said),
        "open_circuits": overview.circuits_that_are("open"),
        "half_open_circuits": overview.circuits_that_are("half_open"),
        "services": {
            name: {
                **_open_document(check),
                "detail": check.detail or None,
                "uptime": uptimes[name].share if name in uptimes else None,
                "checks": uptimes[name].checks if name in uptimes else 0,
            }
            for name, check in overview.checks.items()
        },
    }


def history_document(checks: Iterable[Check]) -> list[Document]:
    """Return what was found of one service."""
    return [
        {"timestamp": one.checked_at, "status": one.status, "response_time_ms": one.response_time_ms} for one in checks
    ]


def forecast_document(forecasts: Mapping[str, Forecast]) -> Document:
    """Return what is to be expected of each service, and what a person might do about it."""
    return {"services": {name: _forecast_document(one) for name, one in forecasts.items()}}


def _forecast_document(forecast: Forecast) -> Document:
    goes, differs = forecast.trend, forecast.anomaly
    return {
        "expected": forecast.expected,
        "until": forecast.until,
        "response_time_ms": forecast.response_time_ms,
        "signs": list(forecast.signs),
        "recommendations": list(forecast.recommendations),
        "trend": goes and {"ms_per_minute": goes.per_minute, "now_ms": goes.now_ms, "chance": goes.chance},
        "anomaly": differs and asdict(differs),
        "bad_hours": [asdict(one) for one in forecast.habits],
        "breaker_pressure": forecast.pressure,
    }


def _open_document(check: Check) -> Document:
    return {
        "status": check.status,
        "response_time_ms": check.response_time_ms,
        "threshold_ok": check.threshold_ok,
        "checked_at": check.checked_at,
    }


def _standing_document(standing: Standing) -> Document:
    return {
        "lag": standing.lag,
        "behind_seconds": round(standing.behind.total_seconds(), 3),
        "parked": standing.parked,
    }
