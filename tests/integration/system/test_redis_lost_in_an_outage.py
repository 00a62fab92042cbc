"""
Redis goes, or loses what it knew, while Cal.com is down: nobody who waits is the first to try whether it is well again.
"""

from __future__ import annotations

import pytest
import redis

from adapters.breakers.ports import Breakers
from domain.breaker_words import Permit
from tests.integration.system.account import Account
from tests.integration.system.installation import Installation, a_wish, eventually, quick, quiet, reaches
from tests.integration.system.test_breaker import IMPATIENT, QUICK_BREAKER
from tests.servers.redis import RedisServer

WAITING = range(1, 9)


async def opens(breakers: Breakers) -> None:
    """
    Let calls fail that leave nobody in doubt, whose looks would be probes, too.
    """
    while isinstance(permit := await breakers.acquire("calcom", operation="create", probe=False), Permit):
        await breakers.record(permit, "failed")


@pytest.mark.parametrize("how", ["it is killed", "it forgets everything"])
async def test_who_waits_goes_on_only_once_a_probe_has_succeeded(
    database_url: str, mortal_redis: RedisServer, account: Account, how: str
) -> None:
    redis_of_its_own = {"redis_url": mortal_redis.url, "redis_seconds": 5.0}
    here = Installation(
        settings=quick(database_url, account, circuits=QUICK_BREAKER, retry_cap_seconds=60, **redis_of_its_own)
    )
    await here.define(account.event_type())
    async with here.opened() as app:
        account.breaks_always({"kind": "html_502", "commit": False}, {"kind": "html_502", "operation": "me"})
        await opens(app.resilience.breakers)
        answers = [await app.orchestrator.book(a_wish(number), patience=IMPATIENT) for number in WAITING]
        sent, probed = account.calls("create"), account.calls("me")
        if how == "it is killed":
            mortal_redis.kill()
        else:
            with redis.Redis.from_url(mortal_redis.url) as client:
                client.flushdb()

        async def probes_have_failed() -> bool:
            return account.calls("me") >= probed + 3

        await eventually(probes_have_failed, "it was probed again and again")
        assert sent == account.calls("create")
        account.breaks_always()
        for answer in answers:
            await reaches(app, answer.booking.booking_id, "booked")
        await quiet(app)

    assert len(WAITING) == len(account.live())
    assert [] == await here.faults(account.ledger())
