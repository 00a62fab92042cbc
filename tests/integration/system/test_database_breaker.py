"""
While the database is away callers are told so at once, and once it is back they are served by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from adapters.bootstrap import wiring
from adapters.log.store import open_store
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    PATIENT,
    START,
    Installation,
    a_wish,
    eventually,
    quick,
    quiet,
    reaches,
)
from tests.integration.system.outage import HeldFile, KilledServer, Outage
from tests.integration.system.serving import Served, served
from tests.servers.postgres import PostgresServer

LATELY = "The database has failed lately"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Have the writer and the readers give up soon, so that failures come quickly.
    """
    monkeypatch.setattr(wiring, "open_store", partial(open_store, patience=0.3, lock_timeout=0.3, read_timeout=0.5))


@pytest.fixture(params=["sqlite", "postgres"])
def outage(request: pytest.FixtureRequest) -> Iterator[tuple[str, Outage]]:
    if request.param == "sqlite":
        url = request.getfixturevalue("sqlite_url")
        away: Outage = HeldFile(url)
    else:
        url = request.getfixturevalue("mortal_url")
        away = KilledServer(request.getfixturevalue("mortal_server"))
    yield url, away
    away.ends()


def body(number: int) -> dict[str, Any]:
    first = START.replace(day=1, month=START.month % 12 + 1, year=START.year + START.month // 12)
    return {
        "service_id": "consultation",
        "customer": {"name": f"Customer {number}", "phone": f"+49170{2_000_000 + number}"},
        # On days of their own: one that is stored all the same is in nobody's way.
        "starts_at": (first + timedelta(days=number % 7)).isoformat(),
        "time_zone": "UTC",
        "source": "test",
    }


async def test_callers_are_refused_at_once_and_served_again_and_nothing_is_lost(
    outage: tuple[str, Outage], account: Account, impatient: None
) -> None:
    url, away = outage
    here = Installation(settings=quick(url, account))
    await here.define(account.event_type())

    async with served(here) as there:
        app = there.app
        # From now on this process remembers whose key it is.
        known = await there.http.get("/api/resilience/states")
        # Its answer is in hand when the database goes.
        account.breaks("delay", operation="create", seconds=1.0, moment="after")
        accepted = asyncio.create_task(app.orchestrator.book(a_wish(1), patience=PATIENT))
        await eventually(_asked(account), "Cal.com was asked")
        away.begins()
        await eventually(lambda: _refused_lately(there), "the breaker is open")
        told = (await app.resilience.breakers.look()).assessment
        refused = [await there.http.post("/api/bookings", json=body(number)) for number in range(20)]
        still = await there.http.get("/api/resilience/states")
        away.ends()
        answer = await accepted
        await eventually(lambda: _books(there), "bookings are taken again")
        await quiet(app)
        after = (await app.resilience.breakers.look()).assessment

    assert ("critical", "unhealthy") == (told.verdict, told.standings["database"].status)
    assert [(200, "healthy"), (200, "critical")] == [(it.status_code, it.json()["verdict"]) for it in (known, still)]
    assert {503} == {one.status_code for one in refused}
    assert all(one.json()["detail"].startswith(LATELY) and one.headers["Retry-After"] for one in refused)
    assert ("booked", "healthy") == (answer.booking.status.value, after.standings["database"].status)
    # Of those who were told that it may go on all the same, one may have been stored.
    assert 2 <= len(account.live()) <= 3
    assert [] == await here.faults(account.ledger())


async def test_due_work_waits_for_the_database_and_is_done_then(
    outage: tuple[str, Outage], account: Account, impatient: None
) -> None:
    url, away = outage
    here = Installation(settings=quick(url, account))
    await here.define(account.event_type())

    async with here.opened() as app:
        account.breaks("late_commit_timeout", operation="create", seconds=0.1, hold_seconds=600)
        pending = await app.orchestrator.book(a_wish(1), patience=0.1)
        away.begins()

        async def is_open() -> bool:
            return app.resilience.breakers.held_back("database") is not None

        await eventually(is_open, "the breaker is open")
        away.ends()
        await quiet(app)
        booking = await reaches(app, pending.booking.booking_id, "booked")

    assert 1 == len(account.live())
    assert "booked" == booking.status.value
    assert [] == await here.faults(account.ledger())


def _asked(account: Account) -> Any:  # noqa: ANN401 - a condition
    async def asked() -> bool:
        return await asyncio.to_thread(account.calls, "create") > 0

    return asked


async def _refused_lately(there: Served) -> bool:
    answer = await there.http.post("/api/bookings", json=body(98), headers={"Prefer": "respond-async"})
    return answer.status_code == 503 and str(answer.json()["detail"]).startswith(LATELY)


async def _books(there: Served) -> bool:
    return (await there.http.post("/api/bookings", json=body(99))).status_code in {200, 201}


NEED_NO_DATABASE = (
    "/api/resilience/states",
    "/api/health/status",
    "/api/resilience/fallback",
    "/api/resilience/fallback-metrics",
    "/api/metrics/resilience",
)


async def test_what_needs_no_database_is_answered_before_its_breaker_has_opened(
    mortal_url: str, mortal_server: PostgresServer, account: Account, impatient: None
) -> None:
    url, away = mortal_url, KilledServer(mortal_server)
    never = {"database": {"failure_threshold": 1_000_000, "minimum_calls": 1_000_000}}
    here = Installation(settings=quick(url, account, circuits=never))
    await here.define(account.event_type())

    async with served(here) as there:
        # From now on this process remembers whose key it is.
        known = await there.http.get("/api/metrics/resilience")
        await asyncio.sleep(1.1)  # Until it would ask again which keys were revoked.
        away.begins()
        answers = {path: await there.http.get(path) for path in NEED_NO_DATABASE}
        needs = await there.http.get("/api/sync-failures")
        breaker = there.app.resilience.breakers.held_back("database")
        away.ends()

    assert (None, 503) == (breaker, needs.status_code)
    assert dict.fromkeys(NEED_NO_DATABASE, 200) == {path: one.status_code for path, one in answers.items()}
    figures = answers["/api/metrics/resilience"].json()
    assert (True, False) == (known.json()["all_processes"], figures["all_processes"])
    assert "database" in figures["services"]


async def test_who_watches_is_told_at_once_while_the_breaker_is_open(
    mortal_url: str, mortal_server: PostgresServer, account: Account
) -> None:
    away = KilledServer(mortal_server)
    here = Installation(settings=quick(mortal_url, account))
    await here.define(account.event_type())
    watched = ("/readyz", "/health", *NEED_NO_DATABASE)

    async with served(here) as there:
        await there.http.get("/api/metrics/resilience")
        away.begins()
        await eventually(lambda: _refused_lately(there), "the breaker is open")
        # Far more than they may take, and far less than it would take to wait for the database for each.
        async with asyncio.timeout(1.5 * len(watched)):
            answers = {path: (await there.http.get(path)).status_code for path in watched}
        away.ends()

    assert dict.fromkeys(watched, 200) | {"/readyz": 503, "/health": 503} == answers
