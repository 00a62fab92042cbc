"""
One process of a fleet: for every line on its standard input, one answer on its standard output.

    acquire NAME TIMES INSTANT   ask so many times, from this instant of the machine's monotonic clock on
    record OUTCOME               give back all permits that are held
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

import time_machine

from adapters.breakers.fleet import FleetBreakers
from adapters.breakers.local import LocalBreakers
from adapters.redis.breakers import RedisBreakers
from adapters.redis.connection import connect
from domain.breaker_words import Permit
from tests.breakers.fleet import POLICIES
from tests.breakers.listening import Heard

# Bound before any clock is set wrong.
monotonic = time.monotonic
ROOMY = 10.0
"""Seconds that a process may wait for Redis, on a machine with two cores and sixteen of them."""

REST_SECONDS = 0.2


async def serve(url: str, instance: str) -> None:
    heard = Heard()
    client = connect(url)
    shared = RedisBreakers(client, POLICIES, listener=heard, instance=instance, limit=ROOMY)
    local = LocalBreakers(POLICIES, listener=heard, instance=instance)
    breakers = FleetBreakers(shared, local, listener=heard, rest=REST_SECONDS)
    held: list[Permit] = []
    # Connected, and with its script in Redis, before anything is measured.
    await breakers.snapshot("warm up")
    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["acquire", name, times, instant]:
                while monotonic() < float(instant):
                    pass
                answers = [await breakers.acquire(name) for _ in range(int(times))]
                held += [answer for answer in answers if isinstance(answer, Permit)]
                print(json.dumps([_told(answer) for answer in answers]), flush=True)
            case ["record", outcome]:
                for permit in held:
                    await breakers.record(permit, outcome)  # type: ignore[arg-type]
                print(json.dumps([permit.id for permit in held]), flush=True)
                held.clear()
    await client.aclose()


def _told(answer: object) -> object:
    return {"epoch": answer.epoch, "shared": answer.shared} if isinstance(answer, Permit) else None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("instance")
    parser.add_argument("--skew", type=float, default=0.0)
    given = parser.parse_args()
    if given.skew:
        # Wrong by as much, and going on.
        time_machine.travel(time.time() + given.skew, tick=True).start()
    asyncio.run(serve(given.url, given.instance))


if __name__ == "__main__":
    main()
