"""
Redis away, late or out of its mind: this process decides alone, and the fleet together again as soon as may be.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import redis

from domain.breaker_words import Command, Permit, Refusal
from tests.breakers.alone import ROOMY, here
from tests.integration.system.installation import eventually
from tests.servers.redis import RedisServer


async def test_this_process_decides_alone_until_redis_is_back(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url) as process:
        assert (await process.call()).shared
        mortal_redis.kill()
        for _ in range(5):
            assert not (await process.call("failed")).shared
        refusal = await process.breakers.acquire("x")
        assert isinstance(refusal, Refusal)
        assert "open" == refusal.reason

        mortal_redis.start()
        await eventually(process.is_shared, "the fleet decides again")

        assert (await process.call()).shared
        assert ["degraded", "recovered"] == process.heard.words


async def test_what_a_process_decided_alone_is_forgotten(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url) as process:
        mortal_redis.kill()
        alone = await process.breakers.acquire("x")
        for _ in range(5):
            await process.call("failed")
        mortal_redis.start()
        await eventually(process.is_shared, "the fleet decides again")
        assert isinstance(alone, Permit)
        await process.breakers.record(alone, "failed")
        mortal_redis.kill()

        look = await process.breakers.snapshot("x")

        assert ("closed", 0, False) == (look.state, look.failures, look.shared)


async def test_a_permit_of_the_fleets_is_given_back_to_nobody_while_it_is_away(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url) as process:
        permits = [await process.breakers.acquire("x") for _ in range(3)]
        mortal_redis.kill()

        for permit in permits:
            assert isinstance(permit, Permit)
            await process.breakers.record(permit, "failed")

        assert 0 == (await process.breakers.snapshot("x")).failures
        assert ["degraded"] == process.heard.words


async def test_what_the_fleet_has_opened_stays_open_when_redis_goes(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url) as process:
        for _ in range(5):
            await process.call("failed")
        before = await process.breakers.acquire("x")
        assert isinstance(before, Refusal)
        mortal_redis.kill()

        after = await process.breakers.acquire("x")

        assert isinstance(after, Refusal)
        assert "open" == after.reason
        assert before.retry_after is not None
        assert after.retry_after is not None
        assert 55 < after.retry_after < before.retry_after
        assert isinstance(await process.breakers.acquire("another"), Permit)


async def test_what_a_person_has_opened_stays_open_until_a_person_says_otherwise(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url) as process:
        await process.breakers.control("x", Command(action="open", actor="ann", reason="maintenance"))
        before = await process.breakers.acquire("x")
        mortal_redis.kill()
        assert before == await process.breakers.acquire("x")

        look = await process.breakers.control("x", Command(action="reset", actor="ann", reason="it is over"))

        assert not look.shared
        assert isinstance(await process.breakers.acquire("x"), Permit)


async def test_a_command_that_a_redis_slept_through_is_not_done_when_it_wakes(
    mortal_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here(mortal_redis.url, rest=60) as process:
        process.shared._limit = 0.3
        ask = process.shared._ask

        async def sleeps_before_a_command(operation: str, *said: Any) -> dict[str, Any]:  # noqa: ANN401
            if operation == "control":
                mortal_redis.suspend()
            return await ask(operation, *said)

        monkeypatch.setattr(process.shared, "_ask", sleeps_before_a_command)
        look = await process.breakers.control("x", Command(action="open", actor="ann", reason="maintenance"))
        mortal_redis.resume()

        assert ("open", False) == (look.state, look.shared)
        process.shared._limit = ROOMY
        fleet = await process.shared.snapshot("x")
        assert ("closed", 0) == (fleet.state, fleet.epoch)


async def test_a_slow_redis_costs_one_caller_the_limit(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url, rest=60) as process:
        await process.call()
        process.shared._limit = 0.3
        mortal_redis.suspend()
        began = time.monotonic()
        await process.call()
        first = time.monotonic() - began
        for _ in range(1000):
            await process.call()
        mortal_redis.resume()

        assert 0.3 <= first < 1.0
        assert 1.5 > time.monotonic() - began


async def test_one_caller_at_a_time_finds_out_whether_redis_is_back(mortal_redis: RedisServer) -> None:
    async with here(mortal_redis.url, rest=0.5) as process:
        held = await process.breakers.acquire("x")
        assert isinstance(held, Permit)
        process.shared._limit = 0.4
        mortal_redis.suspend()
        await process.call()
        began = time.monotonic()
        await process.breakers.record(held, "failed")
        assert 0.3 > time.monotonic() - began
        await asyncio.sleep(0.5)

        async def took() -> float:
            began = time.monotonic()
            await process.breakers.acquire("x")
            return time.monotonic() - began

        waited = await asyncio.gather(*(took() for _ in range(20)))
        mortal_redis.resume()

        assert 1 == sum(seconds > 0.3 for seconds in waited)


async def test_a_caller_who_leaves_takes_nobodys_answer_along(redis_url: str) -> None:
    async with here(redis_url) as process:
        for _ in range(50):
            asking = [asyncio.create_task(process.breakers.acquire("x")) for _ in range(10)]
            await asyncio.sleep(0.0005)
            for gone in asking[::3]:
                gone.cancel()
            answers = await asyncio.gather(*asking, return_exceptions=True)
            ids = [answer.id for answer in answers if isinstance(answer, Permit)]
            assert len(set(ids)) == len(ids) >= 6
            look = await process.breakers.snapshot("x")
            assert ("x", True) == (look.name, look.shared)


async def test_foreign_values_under_its_keys_are_an_absence(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        for key in ("state", "window", "permits", "operations", "transitions"):
            client.flushdb()
            client.set(f"circuit_breaker:{{x}}:{key}", "something else")
            async with here(redis_url) as process:
                await process.call("failed")
                await process.breakers.snapshot("x")
                assert ["degraded"] == process.heard.words


@pytest.mark.parametrize(
    "foreign",
    [
        {"state": "ajar", "epoch": "many"},
        {"state": "open"},
        {"state": "half_open", "epoch": "3"},
        {"state": "open", "open_until": "tomorrow"},
    ],
)
async def test_a_state_that_makes_no_sense_wedges_nothing(redis_url: str, foreign: dict[str, str]) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.hset("circuit_breaker:{x}:state", mapping=foreign)

    async with here(redis_url) as process:
        answers = [await process.breakers.acquire("x") for _ in range(2)]
        if not isinstance(answers[0], Permit):
            assert (await process.breakers.snapshot("x")).open_until is not None
        assert [] == process.heard.words


async def test_everything_stands_under_the_breakers_prefix_in_one_slot(redis_url: str) -> None:
    async with here(redis_url) as process:
        await process.call("failed")
        await process.breakers.acquire("x", operation="look")
        await process.breakers.control("x", Command(action="observe", actor="ann", reason="a test"))

    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        keys = set(client.keys("*"))
        names = {"state", "window", "operations", "transitions"}
        assert {f"circuit_breaker:{{x}}:{name}" for name in names} == keys
        assert client.ttl("circuit_breaker:{x}:window") > 0
        assert -1 == client.ttl("circuit_breaker:{x}:state")
