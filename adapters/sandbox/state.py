"""
Everything that one running sandbox knows.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from adapters.sandbox.bookings import Bookings, utc_now
from adapters.sandbox.desk import Desk
from adapters.sandbox.event_types import EventType, default_event_types
from adapters.sandbox.faults import FaultPlan, Profile
from adapters.sandbox.keys import Keys
from adapters.sandbox.rate_limit import RateLimiter


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


class Sandbox:
    """
    The state of the sandbox, in the memory of one process and one event loop.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self._late: set[asyncio.TimerHandle] = set()
        self.reset()

    def reset(self) -> None:
        """
        Forget everything and begin as configured. Commits that are late by now never come.
        """
        for handle in self._late:
            handle.cancel()
        self._late = set()
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

    def later(self, action: Callable[[], None], *, seconds: float) -> None:
        """
        Do something after some time, unless a reset comes first.
        """

        def run() -> None:
            self._late.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(seconds, run)
        self._late.add(handle)
