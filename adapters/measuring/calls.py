"""
Where everything that a process counts is told, once: calls, how bookings end, what caches hold, our own answers.

All figures are made of this: those of Prometheus here, all others of the meter, and so of what `keeping` stores.
"""

from adapters.measuring.meter import CallOutcome, Meter
from adapters.metrics import CacheName, CacheOutcome, Metrics
from domain.alert_rules import API, APPOINTMENTS, CACHE
from domain.booking_result import Result

BOOK = "book"
_FOUND: dict[CacheOutcome, CallOutcome] = {"hit": "succeeded", "miss": "failed", "stale": "failed", "error": "failed"}


class Calls:
    """Takes a few microseconds, from any thread, and asks nobody."""

    def __init__(self, *, metrics: Metrics) -> None:
        self.meter = Meter()
        self._metrics = metrics

    def called(self, service: str, operation: str, outcome: CallOutcome, seconds: float | None) -> None:
        """Count a call that its breaker has heard of, and how long it took, if that is known."""
        self.meter.record(service, operation, outcome, seconds)
        self._metrics.breaker_called(service, outcome)
        if seconds is not None:
            self._metrics.call_took(service, operation, seconds)

    def ended(self, result: Result) -> None:
        """Count a booking that has ended."""
        self.meter.record(APPOINTMENTS, BOOK, result)
        self._metrics.booking_ended(result)

    def answered(self, operation: str, outcome: CallOutcome, seconds: float) -> None:
        """Count an answer of our own API, and how long whoever asked has waited for it."""
        self.meter.record(API, operation, outcome, seconds)
        self._metrics.answered(operation, seconds)

    def cached(self, cache: CacheName, outcome: CacheOutcome) -> None:
        """Count a question to a cache; what had to be loaded, or was old, is a miss."""
        self.meter.record(CACHE, cache, _FOUND[outcome])
        self._metrics.cached(cache, outcome)
