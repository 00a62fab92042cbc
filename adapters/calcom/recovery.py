"""Finding out whether Cal.com is well again, so that no booking has to be the first to try."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.calcom.circuit import LONGEST_MEMORY, Circuit
from adapters.calcom.replies import Reply, Unsent

BETWEEN_PROBES = 0.2
"""Seconds between two requests that are let through."""


class Recovery:
    """
    Sends a read whenever the breaker lets one through, from its first refusal on until it is closed.

    `ping` sends it, and returns None if no company has a key to send it with.
    """

    def __init__(self, circuit: Circuit, *, ping: Callable[[], Awaitable[Reply | None]]) -> None:
        self._circuit = circuit
        self._ping = ping

    async def run(self) -> None:
        """Wait for refusals, until cancelled."""
        while True:
            await self._circuit.refused.wait()
            while not await self._circuit.is_closed():
                await self._probe()

    async def _probe(self) -> None:
        reply = await self._ping()
        await asyncio.sleep(_pause_after(reply))


def _pause_after(reply: Reply | None) -> float:
    match reply:
        case Unsent(retry_after=float() as wait):
            return min(max(wait, BETWEEN_PROBES), LONGEST_MEMORY)
        case Unsent() | None:
            return LONGEST_MEMORY
        case _:
            return BETWEEN_PROBES
