"""
What was open when Redis went, or when Redis lost it, is tried by probes before anything else goes.
"""

from __future__ import annotations

import pytest
import redis

from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command, Permit, Refusal
from tests.breakers.alone import here
from tests.integration.system.installation import eventually
from tests.servers.redis import RedisServer


@pytest.mark.parametrize("knows_by", ["a refusal", "a look"])
async def test_what_was_open_or_half_open_is_probed_before_anything_else_goes(
    mortal_redis: RedisServer, knows_by: str
) -> None:
    quick = {"x": BreakerPolicy(open_seconds=0.1, open_cap_seconds=0.1)}
    async with here(mortal_redis.url, policies=quick) as caller, here(mortal_redis.url, policies=quick) as process:
        await process.call()
        for _ in range(5):
            await caller.call("failed")
        if knows_by == "a look":
            await process.breakers.snapshot("x")
        else:
            assert isinstance(await process.breakers.acquire("x", probe=False), Refusal)

        async def is_due() -> bool:
            return isinstance(await caller.breakers.acquire("x"), Permit)

        await eventually(is_due, "the time of being open is over")
        mortal_redis.kill()

        create = await process.breakers.acquire("x", probe=False)
        assert isinstance(create, Refusal)
        policy = BreakerPolicy()
        for _ in range(policy.success_threshold):
            assert not (await process.call()).shared
        assert isinstance(await process.breakers.acquire("x", probe=False), Permit)


@pytest.mark.parametrize("knows_by", ["a refusal", "a look"])
async def test_a_redis_that_has_lost_what_was_open_has_it_probed_before_anything_else_goes(
    mortal_redis: RedisServer, knows_by: str
) -> None:
    async with here(mortal_redis.url) as caller, here(mortal_redis.url) as process:
        for _ in range(5):
            await caller.call("failed")
        if knows_by == "a look":
            await process.breakers.snapshot("x")
        else:
            assert isinstance(await process.breakers.acquire("x", probe=False), Refusal)
        with redis.Redis.from_url(mortal_redis.url) as client:
            client.flushdb()

        create = await process.breakers.acquire("x", probe=False)

        # For others, too, who know nothing.
        assert isinstance(create, Refusal)
        async with here(mortal_redis.url) as stranger:
            assert isinstance(await stranger.breakers.acquire("x", probe=False), Refusal)
        for _ in range(BreakerPolicy().success_threshold):
            assert (await process.call()).shared
        # Whoever knows what was before takes this for what it is.
        for one in (process, caller):
            permit = await one.breakers.acquire("x", probe=False)
            assert isinstance(permit, Permit)
            assert permit.shared
        assert "closed" == (await caller.breakers.snapshot("x")).state


async def test_a_look_is_enough_to_have_probed_what_a_redis_has_lost(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url) as process:
        for _ in range(5):
            await process.call("failed")
        assert isinstance(await process.breakers.acquire("x", probe=False), Refusal)
        mortal_redis.kill()
        mortal_redis.start()
        await eventually(process.is_shared, "Redis is back, and empty")

        assert "open" == (await process.breakers.snapshot("x")).state
        assert "suspected" == process.heard.moves[-1].cause


async def test_what_a_person_makes_of_it_outweighs_what_was_heard_before(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url) as process:
        for _ in range(5):
            await process.call("failed")
        assert isinstance(await process.breakers.acquire("x", probe=False), Refusal)
        with redis.Redis.from_url(mortal_redis.url) as client:
            client.flushdb()
        await process.breakers.control("x", Command(action="reset", actor="ann", reason="it is well"))

        assert isinstance(await process.breakers.acquire("x", probe=False), Permit)


async def test_what_a_person_has_closed_is_not_suspected_when_redis_goes(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url) as process:
        for _ in range(5):
            await process.call("failed")
        assert isinstance(await process.breakers.acquire("x", probe=False), Refusal)
        await process.breakers.control("x", Command(action="close", actor="ann", reason="it is well"))
        mortal_redis.kill()

        assert isinstance(await process.breakers.acquire("x", probe=False), Permit)


async def test_what_was_closed_again_is_not_suspected_when_redis_goes(mortal_redis: RedisServer) -> None:
    quick = {"x": BreakerPolicy(open_seconds=0.1, open_cap_seconds=0.1)}
    async with here(mortal_redis.url, policies=quick) as process:
        for _ in range(5):
            await process.call("failed")
        assert isinstance(await process.breakers.acquire("x", probe=False), Refusal)

        async def is_closed() -> bool:
            probe = await process.breakers.acquire("x")
            if isinstance(probe, Permit):
                await process.breakers.record(probe, "succeeded")
            create = await process.breakers.acquire("x", probe=False)
            if isinstance(create, Permit):
                await process.breakers.record(create, "succeeded")
            return isinstance(create, Permit)

        await eventually(is_closed, "the probes have closed it")
        mortal_redis.kill()

        assert isinstance(await process.breakers.acquire("x", probe=False), Permit)


async def test_a_look_that_finds_it_closed_ends_the_suspicion(mortal_redis: RedisServer) -> None:
    quick = {"x": BreakerPolicy(open_seconds=0.1, open_cap_seconds=0.1)}
    async with here(mortal_redis.url, policies=quick) as caller, here(mortal_redis.url, policies=quick) as process:
        for _ in range(5):
            await caller.call("failed")
        assert isinstance(await process.breakers.acquire("x", probe=False), Refusal)

        async def is_closed() -> bool:
            probe = await caller.breakers.acquire("x")
            if isinstance(probe, Permit):
                await caller.breakers.record(probe, "succeeded")
            return (await process.breakers.snapshot("x")).state == "closed"

        await eventually(is_closed, "the other one's probes have closed it")
        mortal_redis.kill()

        assert isinstance(await process.breakers.acquire("x", probe=False), Permit)
