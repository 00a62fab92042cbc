"""
A process with the fleet's breakers in Redis, and its own behind them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

from adapters.breakers.fleet import FleetBreakers
from adapters.breakers.local import LocalBreakers
from adapters.redis.breakers import RedisBreakers
from adapters.redis.connection import connect
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Permit
from tests.breakers.listening import Heard

ROOMY = 5.0


@dataclass
class Here:
    breakers: FleetBreakers
    shared: RedisBreakers
    heard: Heard

    async def call(self, outcome: str = "succeeded") -> Permit:
        permit = await self.breakers.acquire("x")
        assert isinstance(permit, Permit)
        await self.breakers.record(permit, outcome)  # type: ignore[arg-type]
        return permit

    async def is_shared(self) -> bool:
        return (await self.breakers.snapshot("x")).shared


@asynccontextmanager
async def here(
    url: str, *, rest: float = 0.1, policies: Mapping[str, BreakerPolicy] = MappingProxyType({})
) -> AsyncIterator[Here]:
    heard, client = Heard(), connect(url)
    shared = RedisBreakers(client, policies, listener=heard, limit=ROOMY)
    local = LocalBreakers(policies, listener=heard)
    try:
        yield Here(FleetBreakers(shared, local, listener=heard, rest=rest), shared, heard)
    finally:
        await client.aclose()
