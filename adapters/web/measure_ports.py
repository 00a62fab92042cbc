"""What the API needs to tell how services do, in the API's words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from adapters.alerting.figures import Figure
from adapters.measuring.figures import Figures
from adapters.measuring.meter import Tallies
from domain.alert import Alert


class Alerts(Protocol):
    """The read model of alerts."""

    async def list(self, *, status: str | None, limit: int) -> Sequence[Alert]:
        """Return alerts, the active ones first, then the newest."""
        ...


class AlertFigures(Protocol):
    """How the figures of alerts go on."""

    async def of(self, alerts: Sequence[Alert]) -> Mapping[UUID, Figure]:
        """Return the figures of these alerts, as far as they were judged since they were raised."""
        ...


class Measures(Protocol):
    """How calls to other services end, and what they take, in all processes."""

    async def figures(self, *, window: timedelta) -> Figures:
        """Return what is known of every service in the last `window`."""
        ...

    async def breakdown(self, *, window: timedelta) -> Tallies:
        """Return what came of the calls by service and operation."""
        ...
