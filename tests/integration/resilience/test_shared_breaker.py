"""
The breaker that a caller's own code is behind is the fleet's where there is a Redis.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest

from adapters.breakers.registry import Registry
from adapters.redis.opening_breakers import open_breakers
from adapters.resilience import retry
from domain.breaker_policy import BreakerPolicy
from domain.errors import CircuitOpenError
from domain.retry import RetryPolicy
from tests.breakers.listening import Heard

THRESHOLD = BreakerPolicy().failure_threshold


async def registry(stack: AsyncExitStack, name: str, redis_url: str | None) -> Registry:
    """
    Return the breakers of one process.
    """
    opened = open_breakers({}, listener=Heard(), instance=name, redis_url=redis_url, limit=5.0)
    return Registry(await stack.enter_async_context(opened))


@pytest.mark.parametrize("shared", [True, False])
async def test_what_one_process_has_seen_of_a_far_side_holds_for_all_that_share_a_redis(
    redis_url: str, shared: bool
) -> None:
    calls: list[str] = []

    async with AsyncExitStack() as stack:
        mine, yours = [await registry(stack, name, redis_url if shared else None) for name in ("mine", "yours")]

        @retry(policy=RetryPolicy(retries=0), breakers=mine, breaker="email")
        async def mine_fails() -> None:
            raise ConnectionResetError

        @retry(policy=RetryPolicy(retries=0), breakers=yours, breaker="email")
        async def yours_calls() -> None:
            calls.append("yours")

        for _ in range(THRESHOLD):
            with pytest.raises(ConnectionResetError):
                await mine_fails()
        if shared:
            with pytest.raises(CircuitOpenError):
                await yours_calls()
        else:
            await yours_calls()

        assert "email" in yours.names

    assert (0 if shared else 1) == len(calls)
