"""What the API needs to tell how calsaga is, in the API's words."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from adapters.breakers.registry import Look
from adapters.health.readiness import Readiness
from adapters.health.seeing import Overview
from domain.health import Check, Uptime
from domain.health_forecast import Forecast


class Probes(Protocol):
    """Looks at what the API stands on."""

    async def readiness(self) -> Readiness:
        """Return whether requests can be served, quickly and without raising."""
        ...


class Health(Protocol):
    """How calsaga is."""

    async def overview(self) -> Overview:
        """Return how everything is, within seconds and without raising."""
        ...

    async def look(self) -> Look:
        """Return how everything stands by breakers and probes, within seconds and without raising."""
        ...

    async def own(self, service: str, *, within: float | None = None) -> Check:
        """Return how a service is from where this process stands, without raising; down if it takes too long."""
        ...

    async def uptimes(self, *, minutes: int) -> Mapping[str, Uptime]:
        """Return of each service how many checks have found it up; of none if nobody can say."""
        ...

    async def history(self, service: str, *, minutes: int) -> Sequence[Check]:
        """Return what was found of a service."""
        ...

    async def forecasts(self) -> Mapping[str, Forecast]:
        """Return what is to be expected of each service that is configured."""
        ...
