"""How failures look to the outside, over HTTP and on the command line alike."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from adapters.failure_detector import Found
from domain.failure_detector import FailureWindow, Severity

Document: TypeAlias = dict[str, Any]


def failures_document(found: Mapping[str, Found], windows: Iterable[tuple[FailureWindow, Severity]] = ()) -> Document:
    """Return how services have done, by their names, and the minutes that this is made of."""
    return {
        "services": {name: found_document(one) for name, one in found.items()},
        "windows": [_window_document(window, severity) for window, severity in windows],
    }


def found_document(found: Found) -> Document:
    """Return how a service has done lately."""
    detected, cleared = found.detected, found.cleared
    return {
        "status": detected.judgment,
        "severity": detected.severity,
        "requests": detected.requests,
        "failures": detected.failures,
        "rate": detected.rate,
        "failures_in_a_minute": detected.failures_in_a_minute,
        "cleared": None if cleared is None else {"at": cleared.at, "actor": cleared.actor, "reason": cleared.reason},
    }


def _window_document(window: FailureWindow, severity: Severity) -> Document:
    return {
        "service": window.service,
        "window_start": window.start,
        "requests": window.requests,
        "failures": window.failures,
        "rate": window.rate,
        "severity": severity,
    }
