"""
Rate limits of a fleet, on a real Redis: never more than the bound, whoever asks when, and nobody waits for Redis.

CALSAGA_SWEEP=2 and more multiplies the number of runs, and makes them other ones each time.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from adapters.limits.leasing import LeasingLimiter, handful
from adapters.limits.local import LocalLimiter
from adapters.limits.ports import Exceeded, Limits, RateLimit
from adapters.redis import tokens as redis_tokens
from adapters.redis.connection import connect
from adapters.redis.tokens import RedisTokens
from tests.breakers.stores import BEGAN, CLOCK, TEST_CLOCK, set_redis_clock
from tests.integration.system.installation import eventually
from tests.servers.redis import RedisServer

TIMES = int(os.environ.get("CALSAGA_SWEEP", "1"))
ROOMY = 30.0
SLOW = RateLimit(per_second=0.01, burst=40)

# Who asks, for which company, and how much later.
steps = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.sampled_from([0, 0, 0, 0.25, 1, 7])),
    min_size=1,
    max_size=120,
)
limits_of_all = st.builds(
    RateLimit, per_second=st.sampled_from([0.5, 3, 4, 40]), burst=st.sampled_from([1, 3, 10, 25, 40])
)


@pytest.fixture
def clock_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Have Redis take its time from the test.
    """
    script = redis_tokens.script()
    assert CLOCK in script
    monkeypatch.setattr(redis_tokens, "script", lambda: script.replace(CLOCK, TEST_CLOCK))


@dataclass
class Fleet:
    """
    Processes with one clock, and what each company was let through.
    """

    client: Redis
    limit: RateLimit
    processes: int
    now: float = BEGAN
    admitted: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        limits: Limits = {"company": self.limit}
        self.members = [
            LeasingLimiter(limits, RedisTokens(self.client, limits, limit=ROOMY), within=ROOMY, clock=lambda: self.now)
            for _ in range(self.processes)
        ]

    async def play(self, plan: Sequence[tuple[int, str, float]]) -> None:
        await self.client.flushdb()
        await set_redis_clock(self.client, self.now)
        for process, company, later in plan:
            if later:
                self.now += later
                await set_redis_clock(self.client, self.now)
            if await self.members[process % self.processes].take({"company": company}) is None:
                self.admitted[company].append(self.now)


@pytest.mark.usefixtures("clock_of_the_test")
def test_no_span_of_time_sees_more_than_the_bound(redis_url: str) -> None:
    @settings(max_examples=60 * TIMES, derandomize=TIMES == 1)
    @given(limit=limits_of_all, processes=st.integers(1, 3), plan=steps)
    def never_more(limit: RateLimit, processes: int, plan: list[tuple[int, str, float]]) -> None:
        async def run() -> Fleet:
            async with Redis.from_url(redis_url) as client:
                fleet = Fleet(client, limit, processes)
                await fleet.play(plan)
                return fleet

        fleet = asyncio.run(run())
        # A bucket whose tokens are fetched one by one leaves nothing in anybody's hand.
        in_hand = processes * handful(limit) if handful(limit) > 1 else 0
        for moments in fleet.admitted.values():
            for first, began in enumerate(moments):
                for last in range(first, len(moments)):
                    allowed = limit.burst + limit.per_second * (moments[last] - began) + in_hand
                    assert last - first + 1 <= allowed + 0.001

    never_more()


@pytest.mark.usefixtures("clock_of_the_test")
def test_one_process_alone_is_let_through_as_if_it_counted_by_itself(redis_url: str) -> None:
    @settings(max_examples=40 * TIMES, derandomize=TIMES == 1)
    @given(limit=limits_of_all, plan=steps)
    def alike(limit: RateLimit, plan: list[tuple[int, str, float]]) -> None:
        async def run() -> tuple[Fleet, LocalLimiter]:
            async with Redis.from_url(redis_url) as client:
                fleet = Fleet(client, limit, 1)
                alone = LocalLimiter({"company": limit}, clock=lambda: fleet.now - BEGAN)
                await fleet.client.flushdb()
                await set_redis_clock(client, fleet.now)
                for _, company, later in plan:
                    fleet.now += later
                    await set_redis_clock(client, fleet.now)
                    expected = alone.take_now({"company": company})
                    found = await fleet.members[0].take({"company": company})
                    if handful(limit) == 1:
                        # Redis's clock counts microseconds.
                        assert (expected is None) == (found is None)
                        assert wait(found) == pytest.approx(wait(expected), abs=1e-5)
                    else:
                        # What is in hand is out of the bucket, which so fills no further than without it.
                        assert expected is not None or found is None
                return fleet, alone

        asyncio.run(run())

    alike()


def wait(answer: Exceeded | None) -> float:
    return 0.0 if answer is None else answer.wait


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url) as client:
        yield client


def limiter(client: Redis, limit: RateLimit = SLOW, *, within: float = ROOMY, rest: float = 5.0) -> LeasingLimiter:
    limits: Limits = {"company": limit}
    return LeasingLimiter(limits, RedisTokens(client, limits, limit=within), within=within, rest=rest)


async def test_a_fleet_shares_one_bucket(client: Redis) -> None:
    fleet = [limiter(client) for _ in range(4)]
    answers = [await fleet[turn % 4].take({"company": "acme"}) for turn in range(160)]
    refused = [answer for answer in answers if answer is not None]

    assert 40 == answers.count(None)
    assert {True} == {0 < answer.wait <= 100 for answer in refused}
    assert await fleet[0].take({"company": "another"}) is None


async def test_all_at_once_get_what_there_is(client: Redis) -> None:
    fleet = [limiter(client) for _ in range(4)]
    answers = await asyncio.gather(*(fleet[turn % 4].take({"company": "acme"}) for turn in range(400)))

    assert 40 == answers.count(None)


async def test_a_bucket_is_forgotten_once_it_is_full(client: Redis) -> None:
    await limiter(client, RateLimit(per_second=1000, burst=1000)).take({"company": "acme"})
    left = await client.pttl("rate_limit:company:acme")

    # A handful of a hundred is back within a tenth of a second; gone already counts as well.
    assert left <= 100


async def test_what_makes_no_sense_keeps_nobody_away(client: Redis) -> None:
    await client.set("rate_limit:company:mad", "what?")
    await client.set("rate_limit:company:ahead", "9e18")
    await client.rpush("rate_limit:company:list", "x")
    here = limiter(client, RateLimit(per_second=10, burst=2))
    ahead = await here.take({"company": "ahead"})

    assert await here.take({"company": "mad"}) is None
    assert ahead is not None
    assert ahead.wait <= 0.11
    assert await here.take({"company": "list"}) is None


async def test_redis_away_is_no_error(mortal_redis: RedisServer) -> None:
    async with connect(mortal_redis.url) as client:
        here = limiter(client, rest=0.05)
        assert await here.take({"company": "acme"}) is None
        mortal_redis.kill()
        # What is in hand, then this process's own bucket.
        answers = [await here.take({"company": "acme"}) for _ in range(60)]
        assert 40 <= answers.count(None) <= 43
        assert here._left_alone.is_away

        mortal_redis.start()

        async def asks_again() -> bool:
            await here.take({"company": "acme"})
            return not here._left_alone.is_away

        await eventually(asks_again, "the fleet counts together again")
        assert await client.exists("rate_limit:company:acme")


async def test_nobody_waits_for_a_redis_that_stands_still(mortal_redis: RedisServer) -> None:
    async with connect(mortal_redis.url) as client:
        here = limiter(client, within=0.05)
        await here.take({"company": "acme"})
        mortal_redis.suspend()
        loop = asyncio.get_running_loop()
        waits: list[float] = []

        async def ask(number: int) -> None:
            began = loop.time()
            await here.take({"company": str(number)})
            waits.append(loop.time() - began)

        # Far more than it may take, and far less than Redis stands still: what is shown is that nobody waits for it.
        async with asyncio.timeout(20):
            await asyncio.gather(*(ask(number) for number in range(50)))
        mortal_redis.resume()

    assert 50 == len(waits)
    assert here._left_alone.is_away
