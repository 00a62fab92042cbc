"""Following the switch of full fallback, off everybody's way, and letting those go on who have waited for its end."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from adapters.fallback.known import KnownFallback
from adapters.fallback.switch import FallbackSwitch, Standing
from adapters.recording.errors import UnreadableEvent
from domain.errors import AppointmentDatabaseError


class FallbackWatch:
    """
    Asks once every `seconds`; `let_go` wakes the sagas that wait.

    Every process that sees full fallback end wakes them, and so does every one that starts: it is the same wake however
    often it is done, and none is missed because one process dies.
    """

    def __init__(
        self, switch: FallbackSwitch, known: KnownFallback, *, let_go: Callable[[], Awaitable[int]], seconds: float
    ) -> None:
        self._switch = switch
        self._known = known
        self._let_go = let_go
        self._seconds = seconds
        self._held = True
        self._log = structlog.get_logger("calsaga.fallback")

    async def run(self) -> None:
        """Follow the switch, until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            await self.learn()

    async def learn(self) -> None:
        """Ask how it stands now; if nobody can say, what was known last holds until it expires."""
        try:
            await self.look()
        except AppointmentDatabaseError as error:
            self._log.info("fallback.unknown", **error.as_log())
        except UnreadableEvent as problem:
            # A newer calsaga has switched it.
            self._log.error("fallback.unreadable", problem=str(problem))

    async def look(self) -> Standing:
        """
        Ask how it stands now, and act upon it as far as the database takes it; what it does not is done next time.

        Raises:
            AppointmentDatabaseError: the database did not answer.
            UnreadableEvent: a newer calsaga has switched it.

        """
        standing = await self._switch.standing()
        self._known.learn(standing.holds, now=standing.asked_at)
        try:
            return await self._act_upon(standing)
        except AppointmentDatabaseError as error:
            self._log.warning("fallback.not_ended", **error.as_log())
            return standing

    async def _act_upon(self, standing: Standing) -> Standing:
        if standing.holds is not None:
            self._held = True
            return standing
        if standing.expired:
            standing = await self._switch.expire()
            self._known.learn(standing.holds, now=standing.asked_at)
        if self._held and standing.holds is None:
            woken = await self._let_go()
            self._held = False
            if woken:
                self._log.info("fallback.let_go", bookings=woken)
        return standing
