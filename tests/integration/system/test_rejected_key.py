"""
The only company's key is rejected: nothing is lost, nobody waits for a person, and everything that is asked says so.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import select

from adapters.bootstrap import Application
from adapters.database.tables import lone_breakers
from adapters.health.documents import status_document
from adapters.measuring.documents import resilience_document
from adapters.measuring.process import process_use
from tests.integration.system.account import Account
from tests.integration.system.installation import PATIENT, Installation, a_wish, eventually, quick, reaches

LATE = 3.0
OFTEN: dict[str, object] = {"measure_seconds": 0.5, "alert_seconds": 0.1}


async def test_everything_tells_of_a_rejected_key_and_nobody_waits_for_it(database_url: str, account: Account) -> None:
    here = Installation(settings=quick(database_url, account, **OFTEN))
    await here.define(account.event_type())
    account.loses_its_key()

    async with here.opened() as app, here.opened(background=False) as other:
        loop = asyncio.get_running_loop()
        await app.orchestrator.book(a_wish(1), patience=PATIENT)
        began = loop.time()
        waiting = (await app.orchestrator.book(a_wish(2), patience=PATIENT)).booking
        took = loop.time() - began
        figures = await app.resilience.levels.measures.figures(window=timedelta(hours=1))
        calcom = resilience_document(figures, process_use())["services"]["calcom"]
        seen = await app.health.seen.overview()
        served = app.metrics.exposition().decode()

        async def other_knows() -> bool:
            return (await other.health.seen.overview()).verdict == "critical"

        await eventually(other_knows, "a process that has called nobody knows of it")
        account.is_well_again()
        await reaches(app, waiting.booking_id, "booked")

        async def all_is_well() -> bool:
            return not await other.resilience.levels.rejected_keys.find()

        await eventually(all_is_well, "the key is known to be accepted again")
        noted = await _noted(app)

    assert ("pending", True) == (waiting.status.value, took < LATE)
    assert calcom["failed"] > 0
    assert (True, True) == (calcom["success_rate"] < 1, calcom["health_score"] < 100)
    assert "critical" == seen.verdict
    assert any("rejected an API key" in it and "default" in it for it in status_document(seen, {})["problems"])
    assert 'calsaga_calcom_keys_rejected{company="default"} 1.0' in served
    assert {None} == noted


async def _noted(app: Application) -> set[object]:
    with app.store.engine.connect() as connection:
        return set(connection.execute(select(lone_breakers.c.unwell_since)).scalars())
