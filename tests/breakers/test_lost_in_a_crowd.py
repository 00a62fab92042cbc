"""
A crowd of which some are answered in time and some are not: Redis is lost once, and comes back once.
"""

from __future__ import annotations

import asyncio

from adapters.breakers.fleet import FleetBreakers
from adapters.breakers.local import LocalBreakers
from adapters.breakers.ports import SharedStateAway
from domain.breaker_words import Permit
from tests.breakers.listening import Heard

REST = 5.0


class EveryOther(LocalBreakers):
    """
    Breakers of which every other question is lost, as long as they are `flaky`.
    """

    def __init__(self) -> None:
        super().__init__({}, listener=Heard())
        self.flaky = True
        self._asked = 0

    async def acquire(self, name: str, *, operation: str = "call", probe: bool = True, settles: bool = False) -> Permit:
        self._asked += 1
        asked = self._asked
        await asyncio.sleep(0)
        if self.flaky and asked % 2:
            raise SharedStateAway("TimeoutError: ")
        return Permit(name=name, id=str(asked), epoch=0, operation=operation, shared=True)


async def test_a_crowd_loses_redis_once() -> None:
    now, heard, shared = [100.0], Heard(), EveryOther()
    breakers = FleetBreakers(shared, LocalBreakers({}, listener=heard), listener=heard, rest=REST, clock=lambda: now[0])

    await asyncio.gather(*(breakers.acquire("x") for _ in range(50)))

    assert ["degraded"] == heard.words
    shared.flaky = False
    now[0] += REST
    await asyncio.gather(*(breakers.acquire("x") for _ in range(50)))
    assert ["degraded", "recovered"] == heard.words
