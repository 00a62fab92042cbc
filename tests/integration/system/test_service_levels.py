"""
What calls come to, and what goes wrong, told for a fleet: two applications over one database and one Cal.com.
"""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from adapters.bootstrap import Application
from adapters.cli import alerts as command
from adapters.measuring.documents import resilience_document
from adapters.measuring.process import process_use
from adapters.settings import Settings
from domain.alert import AlertEvent
from tests.integration.system.account import Account
from tests.integration.system.installation import PATIENT, Installation, a_wish, eventually, quick

OFTEN: dict[str, object] = {"measure_seconds": 0.5, "alert_seconds": 0.1}


async def service(app: Application, name: str = "calcom") -> dict[str, Any]:
    """
    Return what one application tells of a service.
    """
    figures = await app.resilience.levels.measures.figures(window=timedelta(hours=1))
    found: dict[str, Any] = resilience_document(figures, process_use())["services"][name]
    return found


async def test_bookings_of_one_process_are_measured_and_others_see_it(database_url: str, account: Account) -> None:
    here = Installation(settings=quick(database_url, account, **OFTEN))
    await here.define(account.event_type())
    async with here.opened() as one, here.opened() as other:
        for number in range(5):
            await one.orchestrator.book(a_wish(number), patience=PATIENT)
        creates = (await one.resilience.levels.measures.breakdown(window=timedelta(hours=1)))["calcom", "create"]

        async def other_knows() -> bool:
            figures = await other.resilience.levels.measures.figures(window=timedelta(hours=1))
            return figures.bookings.succeeded == 5

        await eventually(other_knows, "the other process knows what the first one has booked")
        seen = [await service(app, name) for app in (one, other) for name in ("calcom", "database")]

    assert (5, 5, 0) == (creates.succeeded, creates.sketch.count, creates.failed)
    assert all(one["p99_latency_ms"] > 0 and one["success_rate"] == 1 and one["slos_met"] for one in seen)
    assert 'calsaga_call_seconds_count{operation="create",service="calcom"} 5.0' in one.metrics.exposition().decode()


async def test_what_was_counted_last_is_there_after_a_restart(database_url: str, account: Account) -> None:
    here = Installation(settings=quick(database_url, account, measure_seconds=60))
    await here.define(account.event_type())
    async with here.opened() as app:
        await app.orchestrator.book(a_wish(), patience=PATIENT)
    async with here.opened(background=False) as app:
        figures = await app.resilience.levels.measures.figures(window=timedelta(hours=1))

    assert 1 == figures.bookings.succeeded
    assert figures.services["calcom"].tally.succeeded >= 1


async def test_an_outage_is_raised_once_by_two_processes_and_listed(
    database_url: str, account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = quick(
        database_url, account, circuits={"calcom": {"failure_threshold": 1000, "rate_from": 1000}}, **OFTEN
    )
    here = Installation(settings=settings)
    await here.define(account.event_type())
    account.breaks_always({"kind": "html_502", "commit": False})
    async with here.opened() as one, here.opened() as other:
        await asyncio.gather(
            *(app.orchestrator.book(a_wish(number), patience=0.1) for number, app in enumerate((one, other) * 8))
        )

        async def raised() -> bool:
            active = await one.resilience.levels.alerts.list(status="active", limit=9)
            return [("availability", "critical")] == [(alert.rule, alert.severity) for alert in active]

        await eventually(raised, "the alert is raised and in the read model")
        entries = await one.store.log.read_all(after=0, limit=100_000)

    events = [entry.event for entry in entries if isinstance(entry.event, AlertEvent)]  # type: ignore[union-attr]
    assert 1 == len([event for event in events if event.TOPIC == "alert.raised.v1"])
    await asyncio.to_thread(_listed, settings, monkeypatch)
    told = capsys.readouterr().out
    assert "critical\tavailability\tcalcom" in told
    assert re.search(r"\ttold at [\d.]+, worst [\d.]+ burn rate\t", told)


def _listed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.cli.running.ready_settings", lambda: settings)
    command.alerts()
