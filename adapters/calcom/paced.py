"""
Requests that are in no hurry: those who book keep their share of Cal.com's rate limit, and what is kept for looks.

Waiting is nobody's fault: it does not count towards the time limit of the work that the
requests are made for.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Protocol

from adapters.calcom.endpoints import Call
from adapters.calcom.rate_limit import BLOCK_SECONDS
from adapters.calcom.replies import Reply, Unsent
from adapters.calcom.wire import ANSWER_LIMIT, Wire
from sagas.ports import Pace


class Sender(Protocol):
    """Whatever sends requests that change nothing."""

    async def send(self, call: Call, *, size_limit: int = ANSWER_LIMIT) -> Reply:
        """Send a request, and read the whole answer."""
        ...


class PacedWire:
    """Send each request in its turn, and none of the reserve; `limit` stands still meanwhile."""

    def __init__(self, wire: Wire, *, pace: Pace, limit: asyncio.Timeout) -> None:
        self._wire = wire
        self._pace = pace
        self._limit = limit

    async def send(self, call: Call, *, size_limit: int = ANSWER_LIMIT) -> Reply:
        """Send a request when it is its turn; one that the rate limit holds back waits for the next window, once."""
        unhurried = replace(call, spends_reserve=False)
        await self._outside_the_limit(self._pace.wait())
        reply = await self._wire.send(unhurried, size_limit=size_limit)
        if not isinstance(reply, Unsent) or reply.reason != "rate_limited" or reply.retry_after is None:
            return reply
        await self._outside_the_limit(asyncio.sleep(min(reply.retry_after, BLOCK_SECONDS)))
        return await self._wire.send(unhurried, size_limit=size_limit)

    async def _outside_the_limit(self, waiting: Awaitable[None]) -> None:
        loop, ends_at = asyncio.get_running_loop(), self._limit.when()
        left = None if ends_at is None else ends_at - loop.time()
        self._limit.reschedule(None)
        await waiting
        self._limit.reschedule(None if left is None else loop.time() + left)
