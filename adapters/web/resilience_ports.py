"""What the API needs to tell how everything stands, in the API's words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from adapters.breakers.registry import Look
from adapters.database.snapshots import KeptSnapshot
from adapters.failure_detector import Found
from domain.breaker_words import Refusal
from domain.failure_detector import FailureWindow, Severity


class Standings(Protocol):
    """All breakers together."""

    @property
    def obeying(self) -> Sequence[str]:
        """Return the breakers in use that obey commands."""
        ...

    def held_back(self, name: str) -> Refusal | None:
        """Say that callers who need a service of this process's own should be refused, or None; asks nobody."""
        ...

    async def look(self) -> Look:
        """Return how everything stands."""
        ...


class SnapshotHistory(Protocol):
    """How everything stood, minute by minute."""

    async def lately(self, back: timedelta) -> Sequence[KeptSnapshot]:
        """Return the snapshots since so long ago, the oldest first."""
        ...


class FailureReports(Protocol):
    """How services have done lately."""

    async def find(self) -> Mapping[str, Found]:
        """Return how each service has done."""
        ...

    async def windows(self, *, minutes: int, service: str | None = None) -> Sequence[tuple[FailureWindow, Severity]]:
        """Return the last minutes, the oldest first."""
        ...

    async def clear(self, service: str, *, actor: str, reason: str) -> Found:
        """Let nothing count that failed until now."""
        ...
