"""
What a circuit breaker costs a call that does nothing, in microseconds; prints one JSON object.

    make breaker-cost
    python -m benchmarks.breaker_cost [--seconds N]

Each is measured several times in turn, in one process and against one Redis of our own, and the best time counts. In
Redis one call waits for the next. pybreaker and interlock-cb are measured beside it, each with its own client of
Redis. They are not alike: pybreaker keeps a count and reads and writes it in several trips, and
interlock-cb keeps the window of a closed breaker in the process and looks into Redis once a second.
"""

import argparse
import asyncio
import gc
import importlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Any

import redis
from redis.asyncio import Redis

from adapters.breakers.local import LocalBreakers
from adapters.breakers.ports import Breakers
from adapters.breakers.telling import Telling
from adapters.redis.breakers import RedisBreakers
from domain.breaker_words import Permit
from tests.servers.redis import RedisServer

ROUNDS = 5
RIVALS = ("pybreaker", "interlock")
Loop = Callable[[int], Awaitable[None]]


async def nothing() -> None:
    """Stand for what is called."""


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each of five rounds of each candidate")
    given = parser.parse_args()
    missing = [package for package in RIVALS if find_spec(package) is None]
    if missing:
        sys.exit(f"{' and '.join(missing)} to compare with: not installed; run `make install`")
    server = RedisServer()
    server.start()
    try:
        sys.stdout.write(json.dumps(asyncio.run(measure(server.url, given.seconds))) + "\n")
    finally:
        server.stop()


async def measure(url: str, seconds: float) -> dict[str, float]:
    """Return the microseconds that each candidate adds to a call."""
    async with AsyncExitStack() as stack:
        loops = {name: await stack.enter_async_context(candidate(url)) for name, candidate in CANDIDATES.items()}
        best = dict.fromkeys(loops, float("inf"))
        for _ in range(ROUNDS):
            for name, loop in loops.items():
                best[name] = min(best[name], await _time(loop, seconds))
    bare = best.pop("no breaker")
    return {name: round((took - bare) * 1e6, 2) for name, took in best.items()}


async def _time(loop: Loop, seconds: float) -> float:
    calls = 10
    gc.collect()
    while True:
        began = time.perf_counter()
        await loop(calls)
        took = time.perf_counter() - began
        if took >= seconds / 2:
            return took / calls
        calls *= 2


@asynccontextmanager
async def _no_breaker(_url: str) -> AsyncIterator[Loop]:
    async def loop(calls: int) -> None:
        for _ in range(calls):
            await nothing()

    yield loop


@asynccontextmanager
async def _ours_here(_url: str) -> AsyncIterator[Loop]:
    yield _calling(LocalBreakers({}, listener=Telling()))


@asynccontextmanager
async def _ours_in_redis(url: str) -> AsyncIterator[Loop]:
    async with Redis.from_url(url) as client:
        yield _calling(RedisBreakers(client, {}, listener=Telling(), limit=10))


def _calling(breakers: Breakers) -> Loop:
    async def loop(calls: int) -> None:
        for _ in range(calls):
            permit = await breakers.acquire("calcom")
            assert isinstance(permit, Permit)
            await nothing()
            await breakers.record(permit, "succeeded")

    return loop


@asynccontextmanager
async def _pybreaker(_url: str) -> AsyncIterator[Loop]:
    yield _calling_plainly(importlib.import_module("pybreaker").CircuitBreaker().call)


@asynccontextmanager
async def _pybreaker_in_redis(url: str) -> AsyncIterator[Loop]:
    pybreaker = importlib.import_module("pybreaker")
    with redis.Redis.from_url(url) as client:
        storage = pybreaker.CircuitRedisStorage(pybreaker.STATE_CLOSED, client)
        yield _calling_plainly(pybreaker.CircuitBreaker(state_storage=storage).call)


def _calling_plainly(call: Callable[[Callable[[], None]], Any]) -> Loop:
    # It has no way of calling a coroutine but Tornado's.
    def done() -> None:
        pass

    async def loop(calls: int) -> None:
        for _ in range(calls):
            call(done)

    return loop


@asynccontextmanager
async def _interlock(_url: str) -> AsyncIterator[Loop]:
    async with AsyncExitStack() as stack:
        breaker = importlib.import_module("interlock").CircuitBreaker(name="calcom")
        stack.push_async_callback(breaker.aclose)
        yield _calling_async(breaker.call_async)


@asynccontextmanager
async def _interlock_in_redis(url: str) -> AsyncIterator[Loop]:
    interlock = importlib.import_module("interlock")
    storage = importlib.import_module("interlock.integrations.redis").AsyncRedisStorage
    async with Redis.from_url(url) as client, AsyncExitStack() as stack:
        breaker = interlock.CircuitBreaker(name="calcom", storage=storage(client))
        stack.push_async_callback(breaker.aclose)
        yield _calling_async(breaker.call_async)


def _calling_async(call: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]) -> Loop:
    async def loop(calls: int) -> None:
        for _ in range(calls):
            await call(nothing)

    return loop


CANDIDATES = {
    "no breaker": _no_breaker,
    "calsaga": _ours_here,
    "calsaga in Redis": _ours_in_redis,
    "pybreaker": _pybreaker,
    "pybreaker in Redis": _pybreaker_in_redis,
    "interlock-cb": _interlock,
    "interlock-cb in Redis": _interlock_in_redis,
}

if __name__ == "__main__":
    main()
