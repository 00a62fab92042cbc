"""What people ask and want of full fallback, over HTTP and on the command line alike."""

from dataclasses import dataclass

from adapters.fallback.degradation import Degradation
from adapters.fallback.known import KnownFallback
from adapters.fallback.switch import FallbackSwitch, Standing
from adapters.fallback.watch import FallbackWatch
from domain.degradation import Mode
from domain.errors import AppointmentDatabaseError
from domain.full_fallback import SwitchOff, SwitchOn
from sagas.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackDesk:
    """The switch, which this process obeys at once; all others do when they look next."""

    switch: FallbackSwitch
    watch: FallbackWatch
    known: KnownFallback
    degradation: Degradation
    clock: Clock

    @property
    def mode(self) -> Mode:
        """Return in which mode this process is."""
        return self.degradation.mode

    async def standing(self) -> Standing:
        """Return how it stands; while the database does not answer, what this process knows of it."""
        try:
            return await self.watch.look()
        except AppointmentDatabaseError:
            return Standing(holds=self.known.held, last=None, asked_at=self.clock.now())

    async def on(self, wish: SwitchOn) -> Standing:
        """
        Switch it on.

        Raises:
            AppointmentDatabaseError: the database did not take it, or did not answer.

        """
        await self.switch.on(wish)
        return await self.watch.look()

    async def off(self, wish: SwitchOff) -> Standing:
        """
        Switch it off.

        Raises:
            AppointmentDatabaseError: the database did not take it, or did not answer.

        """
        await self.switch.off(wish)
        return await self.watch.look()
