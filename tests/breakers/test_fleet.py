"""
Sixteen real processes, a third of them five minutes ahead and a third behind, share the breakers of one Redis.

`make breaker-fleet` plays a thousand rounds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

import pytest
from redis import Redis

from domain.breaker_words import Permit
from tests.breakers.fleet import POLICIES, QUOTAS, Process, Round, onlooker, open_breaker, play_round, processes
from tests.servers.redis import RedisServer

ROUNDS = 12


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """
    A Redis that may be killed, and is there again for the next test.
    """
    server = RedisServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def fleet(server: RedisServer) -> Iterator[Sequence[Process]]:
    with processes(server.url, number=16) as fleet:
        yield fleet


@pytest.mark.parametrize("quota", QUOTAS)
def test_no_more_probes_than_the_quota_are_let_through(
    server: RedisServer, fleet: Sequence[Process], quota: int
) -> None:
    rounds = [play_round(fleet, server.url, f"quota-{quota}") for _ in range(ROUNDS // len(QUOTAS))]

    assert [Round(quota, shared=True)] * len(rounds) == rounds


def test_a_killed_probers_permits_are_free_within_their_lease_and_a_second(server: RedisServer) -> None:
    asyncio.run(open_breaker(server.url, "short-lease"))
    prober = Process(server.url)
    prober.await_ready()
    prober.ask("short-lease", times=5)
    assert 3 == len(prober.granted())

    prober.kill()

    waited = asyncio.run(_until_granted(server.url, "short-lease"))
    assert POLICIES["short-lease"].lease_seconds + 1 > waited


async def _until_granted(url: str, name: str) -> float:
    began = time.monotonic()
    async with onlooker(url) as breakers:
        while not isinstance(await breakers.acquire(name), Permit):
            time.sleep(0.01)  # noqa: ASYNC251 - nobody else waits here
    return time.monotonic() - began


def test_clocks_that_are_wrong_by_five_minutes_change_nothing(server: RedisServer, fleet: Sequence[Process]) -> None:
    ahead, behind = fleet[1], fleet[2]
    ahead.ask("slow-to-probe", times=1)
    assert 1 == len(ahead.granted())
    opened = time.monotonic()
    ahead.record("failed")

    behind.ask("slow-to-probe", times=1)
    assert [] == behind.granted()
    behind.ask("slow-to-probe", times=1, at=opened + 0.8)
    assert 1 == len(behind.granted())

    behind.record("succeeded")
    ahead.ask("slow-to-probe", times=20)
    assert 20 == len(ahead.granted())
    ahead.record("ignored")


def test_a_flush_in_mid_round_is_a_new_beginning(server: RedisServer, fleet: Sequence[Process]) -> None:
    asyncio.run(open_breaker(server.url, "quota-5"))
    for one in fleet:
        one.ask("quota-5")
    assert 5 == sum(len(one.granted()) for one in fleet)

    with Redis.from_url(server.url) as client:
        client.flushall()
        client.script_flush()
    for one in fleet:
        # Permits of what is no more: not heard, and no error.
        one.record("failed")

    assert Round(5, shared=True) == play_round(fleet, server.url, "quota-5")


def test_each_process_decides_alone_while_redis_is_restarted(server: RedisServer, fleet: Sequence[Process]) -> None:
    asyncio.run(open_breaker(server.url, "quota-2"))
    for one in fleet:
        one.ask("quota-2")
    assert 2 == sum(len(one.granted()) for one in fleet)

    server.kill()
    for one in fleet:
        one.record("failed")
        one.ask("quota-2", times=1)
    permits = [one.granted() for one in fleet]
    # They know that it was not closed: each has opened its own, and this is a probe.
    assert [1] * len(fleet) == [len(one) for one in permits]
    assert not any(one["shared"] or one["epoch"] in {0, 1} for (one,) in permits)
    for one in fleet:
        one.record("failed")
    server.start()
    for one in fleet:
        while True:
            one.ask("quota-5", times=1)
            answers = one.granted()
            one.record("ignored")
            if any(permit["shared"] for permit in answers):
                break

    assert Round(2, shared=True) == play_round(fleet, server.url, "quota-2")
