"""
What a process has counted of its calls since it was last asked.

It is written to on the way of a booking, from the event loop and from the thread that writes the log: a lock, two
additions, nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, TypeAlias

from adapters.measuring.sketches import Sketch
from domain.service_level import Counts

CallOutcome: TypeAlias = Literal["succeeded", "failed", "refused", "ignored"]
"""What came of a call; *refused* ones were never sent, *ignored* ones say nothing of the service."""
CallKind: TypeAlias = tuple[str, str]
"""A service and an operation."""


@dataclass(slots=True)
class Tally:
    """What came of the calls of one kind, and how long those took that succeeded or failed."""

    succeeded: int = 0
    failed: int = 0
    refused: int = 0
    ignored: int = 0
    sketch: Sketch = field(default_factory=Sketch)

    def add(self, other: "Tally") -> None:
        """Take another one in, which stays as it is."""
        self.succeeded += other.succeeded
        self.failed += other.failed
        self.refused += other.refused
        self.ignored += other.ignored
        self.sketch.merge(other.sketch)

    @property
    def counts(self) -> Counts:
        """Return what counts for the service's availability."""
        return Counts(succeeded=self.succeeded, failed=self.failed, refused=self.refused)


Tallies: TypeAlias = dict[CallKind, Tally]


class Meter:
    """Counts calls by service and operation."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tallies: Tallies = {}

    def record(self, service: str, operation: str, outcome: CallOutcome, seconds: float | None = None) -> None:
        """Count a call, and how long it took if it came to something."""
        with self._lock:
            tally = self._tallies.get((service, operation))
            if tally is None:
                tally = self._tallies[service, operation] = Tally()
            if outcome == "succeeded":
                tally.succeeded += 1
            elif outcome == "failed":
                tally.failed += 1
            elif outcome == "refused":
                tally.refused += 1
            else:
                tally.ignored += 1
            if seconds is not None:
                tally.sketch.add(seconds)

    def take(self) -> Tallies:
        """Return what was counted since the last time, and begin anew."""
        with self._lock:
            taken, self._tallies = self._tallies, {}
        return taken

    def look(self) -> Tallies:
        """Return what was counted since it was last taken."""
        with self._lock:
            return merged(self._tallies)


def merged(*several: Mapping[CallKind, Tally]) -> Tallies:
    """Return all together, in tallies of their own."""
    found: Tallies = {}
    for kind, tally in _each(several):
        found.setdefault(kind, Tally()).add(tally)
    return found


def of_services(tallies: Mapping[CallKind, Tally]) -> dict[str, Tally]:
    """Return all operations of each service together."""
    found: dict[str, Tally] = {}
    for (service, _), tally in tallies.items():
        found.setdefault(service, Tally()).add(tally)
    return found


def _each(several: tuple[Mapping[CallKind, Tally], ...]) -> Iterator[tuple[CallKind, Tally]]:
    for tallies in several:
        yield from tallies.items()
