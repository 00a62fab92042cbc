"""
Real processes that share one breaker over a Redis of their own: `make breaker-fleet`.

In each round the breaker has been open just long enough, and all processes ask in the same instant, several times each,
with clocks that are wrong by up to five minutes. No round may let more through than the quota: exit status 1 if one
does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice

from redis.asyncio import Redis

from adapters.redis.breakers import RedisBreakers
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command, Permit
from tests.breakers.listening import Heard
from tests.servers.redis import RedisServer

SKEWS = (0.0, 300.0, -300.0)
POLICY = BreakerPolicy(
    failure_threshold=1,
    open_seconds=0.001,
    open_cap_seconds=600,
    success_threshold=1,
    slow_seconds=30,
    lease_seconds=60,
)
QUOTAS = (1, 2, 5)
POLICIES = {
    **{f"quota-{quota}": replace(POLICY, half_open_quota=quota) for quota in QUOTAS},
    "short-lease": replace(POLICY, slow_seconds=0.5, lease_seconds=1.0),
    "slow-to-probe": replace(POLICY, open_seconds=0.5),
}
ASKED_TIMES = 2
AHEAD_SECONDS = 0.003


class Process:
    """
    One process of the fleet, a child of ours.
    """

    def __init__(self, url: str, *, number: int = 1, skew: float = 0.0) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.breakers.prober", url, f"process-{number}", f"--skew={skew}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, name: str, *, times: int = ASKED_TIMES, at: float = 0.0) -> None:
        self._say(f"acquire {name} {times} {at}")

    def record(self, outcome: str) -> None:
        self._say(f"record {outcome}")
        self.answer()

    def granted(self) -> list[dict[str, object]]:
        """
        Return the permits that it was given, once it says.
        """
        return [one for one in self.answer() if one is not None]

    def answer(self) -> list[dict[str, object] | None]:
        assert self._child.stdout is not None
        found: list[dict[str, object] | None] = json.loads(self._child.stdout.readline())
        return found

    def await_ready(self) -> None:
        assert self._child.stdout is not None
        assert "ready\n" == self._child.stdout.readline()

    def kill(self) -> None:
        self._child.kill()
        self._child.communicate()

    def _say(self, line: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()


@contextmanager
def processes(url: str, *, number: int) -> Iterator[list[Process]]:
    """
    Yield processes that are ready, a third of them five minutes ahead and a third behind.
    """
    skews = islice(cycle(SKEWS), number)
    fleet = [Process(url, number=at, skew=skew) for at, skew in enumerate(skews)]
    try:
        for one in fleet:
            one.await_ready()
        yield fleet
    finally:
        for one in fleet:
            one.kill()


@dataclass(frozen=True, slots=True)
class Round:
    """
    How many were let through in one round, and whether all of them by the fleet's breaker.
    """

    granted: int
    shared: bool


@asynccontextmanager
async def onlooker(url: str) -> AsyncIterator[RedisBreakers]:
    """
    Yield the fleet's breakers as one more process sees them.
    """
    client = Redis.from_url(url)
    try:
        yield RedisBreakers(client, POLICIES, listener=Heard(), limit=10)
    finally:
        await client.aclose()


async def open_breaker(url: str, name: str) -> None:
    """
    Have a breaker fail, and wait until it is due for a probe.
    """
    async with onlooker(url) as breakers:
        await breakers.control(name, Command(action="reset", actor="test", reason="a new round"))
        permit = await breakers.acquire(name)
        assert isinstance(permit, Permit)
        await breakers.record(permit, "failed")
        assert "open" == (await breakers.snapshot(name)).state
    await asyncio.sleep(POLICIES[name].open_seconds * 2)


def play_round(fleet: Sequence[Process], url: str, name: str) -> Round:
    """
    Let everybody ask at once, and take what they were given back.
    """
    asyncio.run(open_breaker(url, name))
    at = time.monotonic() + AHEAD_SECONDS
    for one in fleet:
        one.ask(name, at=at)
    permits = [permit for one in fleet for permit in one.granted()]
    for one in fleet:
        one.record("ignored")
    return Round(len(permits), all(permit["shared"] for permit in permits))


def play(*, rounds: int, number: int = 16) -> dict[int, Counter[int]]:
    """
    Return, for each quota, how many rounds let how many through.
    """
    server = RedisServer()
    server.start()
    found: dict[int, Counter[int]] = {quota: Counter() for quota in QUOTAS}
    try:
        with processes(server.url, number=number) as fleet:
            for quota in islice(cycle(QUOTAS), rounds):
                played = play_round(fleet, server.url, f"quota-{quota}")
                assert played.shared, "Redis was away"
                found[quota][played.granted] += 1
    finally:
        server.stop()
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Play the rounds, print the figures, and return the exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.breakers.fleet", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=16)
    given = parser.parse_args(arguments)
    began = time.monotonic()
    found = play(rounds=given.rounds, number=given.processes)
    for quota, counted in found.items():
        told = ", ".join(f"{granted} in {rounds}" for granted, rounds in sorted(counted.items()))
        print(f"quota {quota}: {counted.total()} rounds, let through: {told}")
    print(f"{given.processes} processes, {given.rounds} rounds, {time.monotonic() - began:.1f} s")
    return int(any(granted > quota for quota, counted in found.items() for granted in counted))


if __name__ == "__main__":
    sys.exit(main())
