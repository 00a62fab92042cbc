"""Where every call of a process is told: in the figures of Prometheus, and in the meter."""

from adapters.measuring.meter import CallOutcome, Meter
from adapters.metrics import Metrics

DATABASE, APPEND = "database", "append"


class Calls:
    """Takes a few microseconds, from any thread, and asks nobody."""

    def __init__(self, *, metrics: Metrics) -> None:
        self.meter = Meter()
        self._metrics = metrics

    def called(self, service: str, operation: str, outcome: CallOutcome, seconds: float | None) -> None:
        """Count a call, and how long it took if it came to something."""
        self.meter.record(service, operation, outcome, seconds)
        if seconds is not None:
            self._metrics.call_took(service, operation, seconds)

    def appended(self, succeeded: bool, seconds: float) -> None:  # noqa: FBT001 - as the appender tells it
        """Count a batch that the log was to take."""
        self.called(DATABASE, APPEND, "succeeded" if succeeded else "failed", seconds)
