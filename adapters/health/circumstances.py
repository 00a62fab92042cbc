"""What health is made of beside probes, breakers and the database: rejected keys, full fallback, calls that failed."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.breakers.registry import Look, Registry
from domain.concerns import RejectedKey, concerns_of
from domain.errors import AppointmentDatabaseError
from domain.full_fallback import FullFallbackBegun
from domain.verdict import Concern, Failures

LOOK_SECONDS = 3.0
"""How long is waited for what the database has to say."""


class Keys(Protocol):
    """The keys that Cal.com rejects."""

    async def find(self) -> Sequence[RejectedKey]:
        """Return them, as far as they are known."""
        ...


class Detector(Protocol):
    """What failures say of services."""

    async def unwell(self) -> Mapping[str, Failures]:
        """Return the services that it calls degraded or critical."""
        ...


class Fallback(Protocol):
    """What is known of full fallback."""

    @property
    def held(self) -> FullFallbackBegun | None:
        """Return what holds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Asks each; what does not answer in time has nothing to say."""

    keys: Keys
    fallback: Fallback
    detector: Detector

    async def concerns(self) -> tuple[Concern, ...]:
        """Return what is wrong with the whole."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                rejected = await self.keys.find()
        except TimeoutError:
            rejected = ()
        return tuple(concerns_of(rejected, self.fallback.held))

    async def failures(self) -> Mapping[str, Failures]:
        """Return which services' calls failed lately, too often."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self.detector.unwell()
        except (AppointmentDatabaseError, TimeoutError):
            return {}

    async def look(self, registry: Registry) -> Look:
        """Return how everything stands for who probes nothing."""
        return await registry.look(failures=await self.failures(), concerns=await self.concerns())
