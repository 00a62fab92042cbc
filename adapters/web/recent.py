"""
What is asked of others for whoever scrapes: once a second, however many ask, and waited for no longer than is said.

Scrapers come every few seconds and from several sides, and give up sooner than a Redis that hangs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from adapters.web.health_ports import Health
from adapters.web.resilience_ports import Standings
from domain.breaker_words import State
from domain.health import Check

T = TypeVar("T")

REMEMBERED_SECONDS = 1.0
REDIS_SECONDS = 0.25
"""How long is waited for Redis: it is no reason to send callers elsewhere, and neither is waiting for it."""


class Recent(Generic[T]):
    """An answer that is `REMEMBERED_SECONDS` old at most, for which nobody waits longer than `REDIS_SECONDS`."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asked: asyncio.Future[T] | None = None
        self._asked_at = 0.0

    async def get(self) -> T | None:
        """Return it, or None while nobody knows: whoever was asked has not answered in time, and is not asked again."""
        now = asyncio.get_running_loop().time()
        if self._asked is None or (self._asked.done() and now - self._asked_at > REMEMBERED_SECONDS):
            self._asked, self._asked_at = asyncio.ensure_future(self._ask()), now
        # Measured from the asking, so that of many who come while it hangs only the first ones wait.
        await asyncio.wait((self._asked,), timeout=max(self._asked_at + REDIS_SECONDS - now, 0.0))
        return self._asked.result() if self._asked.done() else None


def breaker_states(standings: Standings) -> Recent[Mapping[str, State]]:
    """Return how the breakers stand, those that are kept in Redis included."""

    async def ask() -> Mapping[str, State]:
        return {name: one.state for name, one in (await standings.look()).snapshots.items()}

    return Recent(ask)


def redis_check(health: Health) -> Recent[Check]:
    """Return whether Redis answers this process."""
    return Recent(lambda: health.own("redis", within=REDIS_SECONDS))
