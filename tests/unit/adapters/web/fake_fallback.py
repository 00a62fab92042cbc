"""
The fallback parts of what the API under test stands on, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from adapters.database.queue import Queued, QueuePage
from adapters.fallback.switch import Standing
from domain.degradation import Mode
from domain.full_fallback import FullFallbackEvent, SwitchOff, SwitchOn, holding, switch_off, switch_on
from tests.unit.adapters.web.given import BOOKING_ID, NOW, SERVICE

QUEUED = Queued(
    booking_id=BOOKING_ID,
    company_id=SERVICE.company_id,
    service_id=SERVICE.service_id,
    status="pending",
    waits_for="full_fallback",
    since=NOW,
    next_try_at=NOW + timedelta(minutes=5),
    tries=1,
    in_hand=False,
)


@dataclass
class FakeFallback:
    """A switch whose stream is a list."""

    events: list[FullFallbackEvent] = field(default_factory=list)
    failing: bool = False

    @property
    def mode(self) -> Mode:
        if self._standing().holds is not None:
            return "full_fallback"
        return "degraded" if self.failing else "normal"

    async def standing(self) -> Standing:
        return self._standing()

    async def on(self, wish: SwitchOn) -> Standing:
        self.events += switch_on(self.events[-1] if self.events else None, wish, now=NOW)
        return self._standing()

    async def off(self, wish: SwitchOff) -> Standing:
        self.events += switch_off(self.events[-1] if self.events else None, wish, now=NOW)
        return self._standing()

    def _standing(self) -> Standing:
        last = self.events[-1] if self.events else None
        return Standing(holds=holding(last, NOW), last=last, asked_at=NOW)


@dataclass
class FakeQueue:
    held: tuple[Queued, ...] = (QUEUED,)
    asked: list[tuple[str | None, int, str | None]] = field(default_factory=list)

    async def page(self, company_id: str | None, *, limit: int, cursor: str | None) -> QueuePage:
        self.asked.append((company_id, limit, cursor))
        if cursor == "bad":
            raise ValueError(cursor)
        own = tuple(one for one in self.held if one.company_id == company_id)
        return QueuePage(queued=own, next_cursor="more")
