"""
Everything that one running sandbox knows.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from adapters.sandbox.bookings import Bookings, utc_now
from adapters.sandbox.courier import Courier
from adapters.sandbox.desk import Desk
from adapters.sandbox.event_types import EventType, default_event_types
from adapters.sandbox.fault_plan import FaultPlan
from adapters.sandbox.faults import Profile
from adapters.sandbox.keys import Keys
from adapters.sandbox.rate_limit import RateLimiter
from adapters.sandbox.webhooks import Webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxConfig:
    """
    How a sandbox starts, and what a reset brings it back to.
    """

    faults: Profile = field(default_factory=Profile)
    rate_limit: int = 120
    rate_window_seconds: float = 60.0
    block_seconds: float = 60.0
    keys: Keys = field(default_factory=Keys)
    clock: Callable[[], datetime] = utc_now
    webhook_transport: httpx.AsyncBaseTransport | None = None
    webhook_limit_seconds: float = 5.0


class Sandbox:
    """
    The state of the sandbox, in the memory of one process and one event loop.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.courier = Courier(transport=config.webhook_transport, limit_seconds=config.webhook_limit_seconds)
        self._late: set[asyncio.Task[None]] = set()
        self.reset()

    def reset(self) -> None:
        """
        Forget everything and begin as configured. Commits and webhooks that are late by now never come.
        """
        for task in self._late:
            task.cancel()
        self.courier.forget()
        self.webhooks = Webhooks()
        self.bookings = Bookings()
        self.event_types: dict[int, EventType] = default_event_types()
        self.desk = Desk(bookings=self.bookings, event_types=self.event_types)
        self.faults = FaultPlan(self.config.faults)
        self.limiter = RateLimiter(
            limit=self.config.rate_limit,
            window_seconds=self.config.rate_window_seconds,
            block_seconds=self.config.block_seconds,
        )
        self.keys = self.config.keys
        self.calls: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self.late_refused = 0

    def now(self) -> datetime:
        return self.config.clock()

    @property
    def late(self) -> int:
        """
        Return how many commits are still to come.
        """
        return len(self._late)

    def later(self, action: Callable[[], Awaitable[None]], *, seconds: float) -> None:
        """
        Do something after some time, unless a reset comes first.
        """

        async def run() -> None:
            await asyncio.sleep(seconds)
            await action()

        task = asyncio.create_task(run())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def close(self) -> None:
        """
        End: what is late never comes.
        """
        self.reset()
        await self.courier.close()
