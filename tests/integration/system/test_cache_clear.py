"""
`calsaga cache clear` reaches every cache of running applications.
"""

from __future__ import annotations

import asyncio

import httpx
import redis

from adapters.bootstrap import Application
from adapters.redis.clearing import CHANNEL
from tests.integration.redis.test_clearing import clears
from tests.integration.system.account import Account
from tests.integration.system.installation import PATIENT, a_wish, eventually
from tests.integration.system.test_availability import connected, free
from tests.integration.system.test_redis import two_of, with_redis

PHONE = "+491701000000"
CACHES = ("availability", "phone", "user")


def misses(app: Application) -> list[int]:
    """
    Return how often each cache had nothing.
    """
    lines = app.metrics.exposition().decode().splitlines()
    starts = [f'calsaga_cache_lookups_total{{cache="{cache}",outcome="miss"}} ' for cache in CACHES]
    return [int(float(line.removeprefix(start))) for start in starts for line in lines if line.startswith(start)]


async def uses(app: Application, client: httpx.AsyncClient) -> list[int]:
    """
    Ask each of the caches of one process, and return which of them had nothing.
    """
    before = misses(app)
    await free(app)
    customers = app.directory.customers
    if customers.recall(company_id="default", phone=PHONE) is None:
        await customers.list(company_id="default", phone=PHONE, email=None)
    assert 200 == (await client.get("/api/bookings")).status_code
    return [after - earlier for after, earlier in zip(misses(app), before, strict=True)]


async def test_all_processes_read_everything_anew(database_url: str, redis_url: str, account: Account) -> None:
    here = with_redis(database_url, account, redis_url)
    await here.define(account.event_type())
    with redis.Redis.from_url(redis_url) as client:
        async with two_of(here) as apps, connected(apps[0]) as one, connected(apps[1]) as other:

            async def listen() -> bool:
                return bool((await asyncio.to_thread(client.pubsub_numsub, CHANNEL))[0][1] == 2)

            await eventually(listen, "both processes listen")
            await apps[0].orchestrator.book(a_wish(), patience=PATIENT)
            for app, asks in ((apps[0], one), (apps[1], other)):
                await uses(app, asks)
                assert [0, 0, 0] == await uses(app, asks)

            known = [misses(app) for app in apps]
            code, out, _ = await clears(url=redis_url)

            async def have_forgotten() -> bool:
                await uses(apps[0], one)
                await uses(apps[1], other)
                mine, theirs = (
                    [now - then for now, then in zip(misses(app), before, strict=True)]
                    for app, before in zip(apps, known, strict=True)
                )
                # The day may be had from Redis again, where the other process has put it.
                return mine[1:] == theirs[1:] == [1, 1] and mine[0] + theirs[0] >= 1

            assert (0, "told 2 processes") == (code, out.partition(", ")[2][:16])
            await eventually(have_forgotten, "what was cached is gone")
