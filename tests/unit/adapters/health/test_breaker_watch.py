"""
A breaker that is about to open is told of once, by whoever it is theirs to tell.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from adapters.breakers.local import LocalBreakers
from adapters.breakers.telling import Telling
from adapters.health.breaker_watch import BreakerWatch
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command, Permit, Snapshot

POLICIES = {"calcom": BreakerPolicy()}


class Shared(LocalBreakers):
    """
    Breakers that say that they are the fleet's.
    """

    async def snapshot(self, name: str) -> Snapshot:
        return replace(await super().snapshot(name), shared=True)


async def fails(breakers: LocalBreakers, times: int) -> None:
    for _ in range(times):
        permit = await breakers.acquire("calcom")
        assert isinstance(permit, Permit)
        await breakers.record(permit, "failed")


async def told(watch: BreakerWatch, *, leads: bool = False) -> list[str]:
    with capture_logs() as logs:
        await watch.look(leads)
    return [f"{one['event']} {one['breaker']} {one['share']}" for one in logs]


async def test_it_is_told_before_the_breaker_opens_and_once() -> None:
    breakers = LocalBreakers(POLICIES, listener=Telling())
    watch = BreakerWatch(breakers, POLICIES)
    await fails(breakers, 2)
    assert [] == await told(watch)
    await fails(breakers, 1)

    assert ["breaker.near calcom 0.6"] == await told(watch)
    assert [] == await told(watch)
    assert "closed" == (await breakers.snapshot("calcom")).state


async def test_it_is_told_anew_when_it_comes_near_again() -> None:
    breakers = LocalBreakers(POLICIES, listener=Telling())
    watch = BreakerWatch(breakers, POLICIES)
    await fails(breakers, 4)
    await told(watch)
    await breakers.control("calcom", Command(action="reset", actor="ada", reason="mended"))
    assert [] == await told(watch)
    await fails(breakers, 4)

    assert ["breaker.near calcom 0.8"] == await told(watch)


@pytest.mark.parametrize("leads", [False, True])
async def test_what_the_fleet_shares_is_told_by_one(leads: bool) -> None:
    breakers = Shared(POLICIES, listener=Telling())
    await fails(breakers, 4)

    assert leads is bool(await told(BreakerWatch(breakers, POLICIES), leads=leads))
