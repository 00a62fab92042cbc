"""
What a booking costs the database while Cal.com tells us of every one.
"""

from __future__ import annotations

import asyncio

import psycopg

from tests.integration.storage.test_cost import counted
from tests.integration.system.account import Account
from tests.integration.system.installation import PATIENT, Installation, a_wish, eventually, quick
from tests.integration.system.serving import HOOK, SECRET, served


async def test_a_webhook_costs_the_booking_itself_nothing(postgres_url: str, account: Account) -> None:
    told = Installation(settings=quick(postgres_url, account, calcom_webhook_secret=SECRET, measure_seconds=60))
    await told.define(account.event_type())
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        async with served(told, background=False) as here:
            account.subscribes(f"{here.url}{HOOK}", secret=SECRET)
            account.breaks_always({"kind": "webhook_delay", "seconds": 2})
            await here.app.orchestrator.book(a_wish(), patience=PATIENT)
            await eventually(lambda: _sent(account, 1), "the first webhook is sent")

            await asyncio.to_thread(connection.execute, "SELECT pg_stat_statements_reset()")
            await here.app.orchestrator.book(a_wish(1), patience=PATIENT)
            statements, commits = await asyncio.to_thread(counted, connection)
            await eventually(lambda: _sent(account, 2), "the second webhook is sent")

            async def are_processed() -> bool:
                await here.app.worker.run_due()
                return await here.outcomes() == ["equal", "equal"]

            await eventually(are_processed, "both webhooks have found both sides equal")

    assert 2 == commits
    assert statements < 10


async def _sent(account: Account, number: int) -> bool:
    return (await asyncio.to_thread(account.webhooks))["sent"] == number
