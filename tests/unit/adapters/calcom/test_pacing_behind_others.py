"""
Cal.com's rate limit is kept although whoever sends has to wait for other things first, each a moment of its own.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from adapters.breakers.local import LocalBreakers
from adapters.calcom.circuit import CALCOM, Circuit
from adapters.calcom.replies import Answer
from adapters.resilience.bulkhead import Bulkhead
from adapters.sandbox.rate_limit import RateLimiter
from domain.breaker_words import Permit, Refusal
from sagas.outcomes import NotSent
from tests.breakers.listening import Heard
from tests.unit.adapters.calcom.building import ATTEMPT, NOW, UID, a_booking, a_row, an_account, refuses, succeeds

LIMIT, RESERVE = 40, 4
MANY = 60


class FarBreakers(LocalBreakers):
    """
    A breaker that is asked over a network: the loop goes on with others meanwhile.
    """

    async def acquire(
        self, name: str, *, operation: str = "call", probe: bool = True, settles: bool = False
    ) -> Permit | Refusal:
        for _ in range(3):
            await asyncio.sleep(0)
        return await super().acquire(name, operation=operation, probe=probe, settles=settles)


class Throttled:
    """
    An account whose Cal.com throttles, and tells in its headers how far that is.
    """

    def __init__(self, *, at_once: int | None = None) -> None:
        self.limiter = RateLimiter(limit=LIMIT)
        self.allowed = self.refused = 0
        self.account = an_account(self.answer)
        self.breakers = FarBreakers({}, listener=Heard())
        self.account.circuit = Circuit(self.breakers)
        self.calendars = self.account.calendars()
        if at_once is not None:
            self.calendars.bulkhead = Bulkhead("Cal.com", at_once=at_once, patience=30)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        verdict = self.limiter.hit("key", at=0.0)
        self.allowed += verdict.allowed
        self.refused += not verdict.allowed
        await asyncio.sleep(0)
        if not verdict.allowed:
            return refuses(429, "TOO_MANY_REQUESTS", "too many")(request)  # type: ignore[return-value]
        answer = succeeds(a_row())(request)
        answer.headers.update(verdict.headers)  # type: ignore[union-attr]
        return answer  # type: ignore[return-value]


@pytest.mark.parametrize("at_once", [None, 3, MANY])
async def test_a_crowd_that_waits_for_a_permit_neither_goes_over_the_limit_nor_uses_the_reserve(
    at_once: int | None,
) -> None:
    throttled = Throttled(at_once=at_once)
    calendar = await throttled.calendars.of("acme")
    # The first answer tells of the limit.
    assert isinstance(await calendar.ping(), Answer)
    creates = await asyncio.gather(
        *(calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + timedelta(seconds=5)) for _ in range(MANY))
    )
    held = [one for one in creates if isinstance(one, NotSent)]
    spent = throttled.allowed
    looks = await asyncio.gather(*(calendar.liveness(UID) for _ in range(RESERVE)))
    snapshot = await throttled.breakers.snapshot(CALCOM)

    assert 0 == throttled.refused
    assert LIMIT - RESERVE == spent
    assert {("rate_limited", True)} == {(one.reason, one.defer) for one in held}
    # What is kept for looks is there for them.
    assert ["live"] * RESERVE == looks
    assert LIMIT == throttled.allowed
    # Whoever was held back has given the permit back, and says nothing of Cal.com's health.
    assert (LIMIT, 0, 0) == (snapshot.successes, snapshot.failures, snapshot.under_way)
