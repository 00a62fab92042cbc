"""What the API needs of the fallback chain and of full fallback."""

from typing import Protocol

from adapters.database.queue import QueuePage
from adapters.fallback.rungs import Operation, RungCounts
from adapters.fallback.switch import Standing
from domain.degradation import Mode
from domain.fallback import Rung
from domain.full_fallback import SwitchOff, SwitchOn


class Fallback(Protocol):
    """The switch of full fallback."""

    @property
    def mode(self) -> Mode:
        """Return in which mode this process is, without asking anybody."""
        ...

    async def standing(self) -> Standing:
        """Return how full fallback stands."""
        ...

    async def on(self, wish: SwitchOn) -> Standing:
        """Switch it on."""
        ...

    async def off(self, wish: SwitchOff) -> Standing:
        """Switch it off."""
        ...


class Rungs(Protocol):
    """The counts of where answers came from."""

    @property
    def counts(self) -> RungCounts:
        """Return what this process has counted."""
        ...

    def answered(self, operation: Operation, rung: Rung) -> None:
        """Count one answer."""
        ...


class Queue(Protocol):
    """The retry queue."""

    async def page(self, company_id: str | None, *, limit: int, cursor: str | None) -> QueuePage:
        """
        Return a page of one company's queue.

        Raises:
            ValueError: the cursor was not handed out for this company's queue.

        """
        ...
