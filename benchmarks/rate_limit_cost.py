"""
What counting a request against a rate limit costs, in microseconds; prints one JSON object.

    python -m benchmarks.rate_limit_cost [--seconds N]

One caller after another, each of one company, in one process and against one Redis of our own; the best of five rounds
counts. `elapsed` is what a request waits on average, `cpu` what this process works for it. The buckets fill so fast
that nobody is refused, save for `refused`, whose bucket is empty. A bucket of 9 is fetched one token at a time.
"""

import argparse
import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from adapters.limits.leasing import LeasingLimiter
from adapters.limits.local import LocalLimiter
from adapters.limits.ports import Limiter, Limits, Names, RateLimit
from adapters.redis.connection import connect
from adapters.redis.tokens import RedisTokens
from tests.servers.redis import RedisServer

ROUNDS = 5
FAST = 1_000_000.0
NAMES: Names = {"key": "k", "company": "acme"}
# By what the bucket of a company holds.
CANDIDATES: dict[str, RateLimit] = {
    "every request asks Redis": RateLimit(per_second=FAST, burst=9),
    "a bucket of 200, as by default": RateLimit(per_second=FAST, burst=200),
    "a bucket of 2000": RateLimit(per_second=FAST, burst=2000),
    "refused": RateLimit(per_second=0.000_1, burst=1),
}


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each of five rounds of each candidate")
    given = parser.parse_args()
    server = RedisServer()
    server.start()
    try:
        sys.stdout.write(json.dumps(asyncio.run(measure(server.url, given.seconds))) + "\n")
    finally:
        server.stop()


async def measure(url: str, seconds: float) -> dict[str, dict[str, float]]:
    """Return microseconds a request for each candidate."""
    async with AsyncExitStack() as stack:
        limiters: dict[str, Limiter] = {
            "without Redis": LocalLimiter({"company": RateLimit(per_second=FAST, burst=200)})
        }
        for name, limit in CANDIDATES.items():
            limiters[name] = await stack.enter_async_context(_shared(url, {"company": limit}))
        best = {name: (float("inf"), float("inf")) for name in limiters}
        for _ in range(ROUNDS):
            for name, limiter in limiters.items():
                best[name] = min(best[name], await _time(limiter, seconds))
    return {name: {"elapsed": round(took * 1e6, 2), "cpu": round(cpu * 1e6, 2)} for name, (took, cpu) in best.items()}


@asynccontextmanager
async def _shared(url: str, limits: Limits) -> AsyncIterator[Limiter]:
    async with connect(url) as client:
        yield LeasingLimiter(limits, RedisTokens(client, limits, limit=10), within=10)


async def _time(limiter: Limiter, seconds: float) -> tuple[float, float]:
    requests = 0
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    while (took := time.perf_counter() - began) < seconds:
        for _ in range(100):
            await limiter.take(NAMES)
        requests += 100
    return took / requests, (time.process_time() - cpu) / requests


if __name__ == "__main__":
    main()
