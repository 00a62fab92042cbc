"""
SIGTERM in the middle of bookings: the process ends in time, gives its work back, and nothing is lost.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import httpx
import pytest

from adapters.bootstrap import Application, wiring
from adapters.directory.scopes import Scope
from adapters.log.agenda import DatabaseAgenda
from adapters.log.store import open_store
from adapters.settings import Settings
from sagas.ports import Claimed
from sagas.reconciling import Reconciler
from tests.integration.system.account import Account
from tests.integration.system.environment import environment
from tests.integration.system.installation import START, Installation, a_wish, eventually, named, quick, story
from tests.servers.postgres import PostgresServer

BOOKINGS = 6
HELD = {"kind": "late_commit_timeout", "operation": "create", "seconds": 0.1, "hold_seconds": 600}
"""Cal.com makes the booking, and says so never."""
SLOW = {"kind": "delay", "operation": "create", "seconds": 0.7, "moment": "after"}
"""Cal.com makes the booking, and takes its time to say so."""


@pytest.fixture
def endless(database_url: str, account: Account) -> Installation:
    """
    An installation that would wait for Cal.com, and keep its leases, far longer than this test lasts.
    """
    more = {
        "calcom_send_seconds": 100,
        "calcom_attempt_seconds": 300,
        "calcom_total_seconds": 300,
        "calcom_horizon_seconds": 500,
    }
    return Installation(settings=quick(database_url, account, **more, lease_seconds=900, drain_seconds=0.5))


@pytest.fixture
def hasty(database_url: str, account: Account) -> Installation:
    """
    An installation in which a booking is over within seconds, and a stop has time for it.
    """
    return Installation(settings=quick(database_url, account, drain_seconds=20))


async def test_a_worker_that_is_stopped_gives_its_work_back(endless: Installation, account: Account) -> None:
    await _leave_work(endless, account)
    account.breaks_always(HELD)

    with _calsaga("worker", settings=endless.settings) as worker:
        await eventually(lambda: _made(account), "Cal.com has made all bookings and answers none")
        code, seconds = _stop(worker)

    # It waits for none of the answers, which would take minutes.
    assert (0, True) == (code, seconds < 60)
    async with endless.opened(background=False) as app:
        claimed = await app.store.agenda.claim(limit=100, lease=timedelta(seconds=1))
        happened = [named(await story(app.store, one.saga_id)) for one in claimed]
    assert BOOKINGS == len(claimed)
    assert {"CalcomBookingAttempted"} == {names[-1] for names in happened}
    assert BOOKINGS == len(account.live())


async def test_a_worker_that_is_stopped_finishes_what_it_can(hasty: Installation, account: Account) -> None:
    await _leave_work(hasty, account)
    account.breaks_always(SLOW)

    with _calsaga("worker", settings=hasty.settings) as worker:
        await eventually(lambda: _made(account), "Cal.com has made all bookings and is about to answer")
        code, _ = _stop(worker)

    assert 0 == code
    assert await hasty.faults(account.ledger()) == []
    assert BOOKINGS == len(account.live()) == account.answers("create", 201)


async def test_what_a_stopped_worker_leaves_another_one_finishes(database_url: str, account: Account) -> None:
    here = Installation(settings=quick(database_url, account, drain_seconds=0.1, lease_seconds=900))
    await _leave_work(here, account)
    account.breaks_always(HELD)

    with _calsaga("worker", settings=here.settings) as worker:
        await eventually(lambda: _made(account), "Cal.com has made all bookings and answers none")
        code, _ = _stop(worker)
    account.breaks_always()
    # Fifteen minutes before the leases would have run out.
    await here.recovers(within=60)

    assert 0 == code
    assert BOOKINGS == len(account.ledger())
    assert [] == await here.faults(account.ledger())


async def test_a_server_that_is_stopped_gives_its_work_back(endless: Installation, account: Account) -> None:
    await endless.define(account.event_type())
    async with endless.opened(background=False) as app:
        headers = {"Authorization": f"Bearer {await _key(app)}", "Prefer": "respond-async"}
    account.breaks_always(HELD)

    with _calsaga("serve", "--port", "0", settings=endless.settings) as server:
        assert server.stderr is not None
        url = server.stderr.readline().rpartition(" ")[2].strip()
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            answers = [await client.post("/api/bookings", json=_body(number)) for number in range(BOOKINGS)]
        await eventually(lambda: _made(account), "Cal.com has made all bookings and answers none")
        code, seconds = _stop(server)

    assert [202] * BOOKINGS == [answer.status_code for answer in answers]
    assert (0, True) == (code, seconds < 60)
    async with endless.opened(background=False) as app:
        claimed = await app.store.agenda.claim(limit=100, lease=timedelta(seconds=1))
    told = {answer.json()["booking"]["id"] for answer in answers}
    assert told == {str(one.saga_id) for one in claimed}


async def _leave_work(here: Installation, account: Account) -> None:
    """
    Leave bookings behind that are due at once.
    """
    await here.define(account.event_type())
    account.loses_its_key()
    async with here.opened(background=False) as app:
        wishes = [a_wish(number) for number in range(1, BOOKINGS + 1)]
        await asyncio.gather(*(app.orchestrator.book(wish, patience=0.5) for wish in wishes))
    account.is_well_again()


async def _made(account: Account) -> bool:
    return len(account.live()) == BOOKINGS


async def _key(app: Application) -> str:
    _, key = await app.directory.keys.create(company_id="default", scopes=list(Scope))
    return key


def _body(number: int) -> dict[str, object]:
    return {
        "service_id": "consultation",
        "customer": {"name": "Ada Lovelace", "email": f"ada{number}@example.com"},
        "starts_at": (START + number * timedelta(hours=1)).isoformat(),
        "time_zone": "UTC",
        "source": "test",
    }


@contextmanager
def _calsaga(*words: str, settings: Settings) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "adapters.cli", *words]
    process = subprocess.Popen(command, env={**os.environ, **environment(settings)}, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def _stop(process: subprocess.Popen[str]) -> tuple[int, float]:
    began = time.monotonic()
    process.terminate()
    return process.wait(timeout=90), time.monotonic() - began


async def test_work_that_is_claimed_during_the_stop_is_not_kept(
    hasty: Installation, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_leases = Installation(settings=hasty.settings.model_copy(update={"lease_seconds": 900}))
    await _leave_work(long_leases, account)
    on_the_way, stopping = asyncio.Event(), asyncio.Event()
    claim = DatabaseAgenda.claim

    async def slow(agenda: DatabaseAgenda, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        claimed = await claim(agenda, limit=limit, lease=lease)
        if claimed and not on_the_way.is_set():
            on_the_way.set()
            await stopping.wait()
        return claimed

    monkeypatch.setattr(DatabaseAgenda, "claim", slow)
    async with long_leases.opened():
        await on_the_way.wait()
        asyncio.get_running_loop().call_later(0.3, stopping.set)

    # Whether the stop finished it or gave it back: nobody has to wait for the lease.
    await long_leases.recovers(within=60)
    assert BOOKINGS == len(account.live())
    assert [] == await long_leases.faults(account.ledger())


async def test_what_is_written_during_the_stop_is_given_back(hasty: Installation, account: Account) -> None:
    settings = hasty.settings.model_copy(update={"lease_seconds": 900, "drain_seconds": 0.1})
    here = Installation(settings=settings)
    await here.define(account.event_type())
    slow: list[str] = []

    def dawdle(point: str) -> None:
        # The writer's own thread: the append that leases the saga is committed after the drain is over.
        if point.startswith("append.written:") and not slow:
            slow.append(point)
            time.sleep(1)

    async with here.opened(background=False, on_point=dawdle) as app:
        booking = asyncio.create_task(app.orchestrator.book(a_wish(), patience=5))
        await eventually(slow, "the first append is being written")
    await asyncio.gather(booking, return_exceptions=True)

    async with here.opened(background=False) as app:
        claimed = await app.store.agenda.claim(limit=10, lease=timedelta(seconds=1))
    assert 1 == len(claimed)


async def test_a_database_that_is_away_holds_up_no_stop_for_long(
    mortal_server: PostgresServer, mortal_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "open_store", partial(open_store, patience=300))
    here = Installation(settings=quick(mortal_url, account, drain_seconds=0.5))
    await here.define(account.event_type())

    away: list[str] = []

    def lose_it(point: str) -> None:
        if point == "calcom.create.after" and not away:
            away.append(point)
            mortal_server.kill()

    try:
        async with here.opened(on_point=lose_it) as app:
            # Its outcome waits in the writer for a database that does not come back.
            booking = asyncio.create_task(app.orchestrator.book(a_wish(), patience=1))
            await eventually(away, "the database is away")
            await asyncio.sleep(0.5)
            began = time.monotonic()
        assert time.monotonic() - began < 30
        await asyncio.gather(booking, return_exceptions=True)
    finally:
        await asyncio.to_thread(mortal_server.restart)


@pytest.mark.parametrize("command", [("worker",), ("serve", "--port", "0")])
async def test_a_database_that_hangs_holds_up_no_stop_for_long(
    mortal_server: PostgresServer, mortal_url: str, account: Account, command: tuple[str, ...]
) -> None:
    here = Installation(settings=quick(mortal_url, account, drain_seconds=4))
    await _leave_work(here, account)
    account.breaks_always(SLOW)

    with _calsaga(*command, settings=here.settings) as process:
        await eventually(lambda: _made(account), "Cal.com has made all bookings and is about to answer")
        mortal_server.suspend()
        try:
            code, seconds = _stop(process)
        finally:
            mortal_server.resume()
    await here.recovers(within=60)

    # Left to themselves, its threads would wait for half a minute and more.
    assert (0, True) == (code, seconds < 30)
    assert BOOKINGS == len(account.live())
    assert [] == await here.faults(account.ledger())


async def test_a_pass_of_the_reconciler_costs_nobody_the_hand_over(
    postgres_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way: list[str] = []

    async def endless_pass(_: Reconciler, **__: object) -> None:
        under_way.append("a pass")
        await asyncio.Event().wait()

    monkeypatch.setattr(Reconciler, "reconcile", endless_pass)
    held = {"calcom_send_seconds": 100, "calcom_attempt_seconds": 300, "calcom_total_seconds": 300}
    settings = quick(
        postgres_url,
        account,
        **held,
        calcom_horizon_seconds=500,
        lease_seconds=900,
        drain_seconds=1,
        reconcile_seconds=1,
    )
    here = Installation(settings=settings)
    await _leave_work(here, account)
    account.breaks_always(HELD)

    async with here.opened():
        await eventually(lambda: _made(account), "Cal.com has made all bookings and answers none")
        await eventually(under_way, "a pass is under way")

    async with here.opened(background=False) as app:
        claimed = await app.store.agenda.claim(limit=100, lease=timedelta(seconds=1))
    assert BOOKINGS == len(claimed)
