"""
What no webhook has told: `calsaga reconcile` finds it, mends what is safe to mend, and says what it did.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa

from adapters.bootstrap import Application
from adapters.database.tables import appointments
from domain.booking import Booking
from tests.integration.system.account import Account
from tests.integration.system.environment import environment
from tests.integration.system.installation import (
    HALF_HOUR,
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    quiet,
)

LATER = START + 4 * HALF_HOUR


@pytest.fixture
async def event_type(installation: Installation, account: Account) -> int:
    """
    The event type behind the one service.
    """
    number = account.event_type()
    await installation.define(number)
    return number


async def test_what_is_equal_is_left_alone(installation: Installation, account: Account, event_type: int) -> None:
    async with installation.opened() as app:
        await _booked(app)
        await quiet(app)

    code, said = await _reconcile(installation)

    assert (0, [], 1) == (code, said["sweeps"][0]["findings"], said["sweeps"][0]["seen"])
    assert [] == await installation.faults(account.ledger())


async def test_everything_that_differs_is_planned_first_and_then_mended(
    installation: Installation, account: Account, event_type: int
) -> None:
    async with installation.opened() as app:
        ghost, drift, twice = [await _booked(app, number) for number in (0, 2, 3)]
        await quiet(app)
        account.person_cancels(ghost.kept_uid or "")
        moved = account.person_moves(drift.kept_uid or "", start=LATER)
        account.person_moves(twice.kept_uid or "", start=LATER + 2 * HALF_HOUR)
        back = account.person_moves(account.live()[-1]["uid"], start=twice.starts_at or START)
        foreign = account.person_books(event_type, start=LATER + 4 * HALF_HOUR)
        head = await app.store.log.head()

    planned = await _reconcile(installation, "--dry-run")
    async with installation.opened(background=False) as app:
        untouched = await app.store.log.head()
    mended = await _reconcile(installation)
    again = await _reconcile(installation)
    since = await _reconcile(installation, "--since", "1h")

    kinds = {
        ghost.kept_uid: ("ghost", "mark_cancelled", "cancelled"),
        moved: ("time_drift", "move", "moved"),
        back: ("time_drift", "move", "moved"),
        foreign: ("foreign_booking", "adopt", "imported"),
    }
    assert (1, {uid: (kind, repair, "planned") for uid, (kind, repair, _) in kinds.items()}) == _found(planned)
    assert head == untouched
    assert (1, kinds) == _found(mended)
    assert (0, {}) == _found(again) == _found(since)
    assert {moved: LATER, back: twice.starts_at, foreign: LATER + 4 * HALF_HOUR} == await _rows(installation)
    assert 3 == len(account.live())
    assert [] == await installation.faults(account.ledger())


async def test_an_orphan_of_a_failed_saga_is_cancelled(
    installation: Installation, account: Account, event_type: int
) -> None:
    here = Installation(settings=installation.settings.model_copy(update={"create_attempts": 1}))
    account.breaks("drop_before_commit", operation="create")
    async with here.opened() as app:
        booking = (await app.orchestrator.book(a_wish(), patience=PATIENT)).booking
        await quiet(app)
        # What was lost on the way arrives after everybody has stopped looking for it.
        (line,) = booking.ledger.lines
        calendar = await app.calendars.of("default")
        await calendar.create(booking, attempt_id=line.attempt_id, send_by=datetime.now(UTC) + timedelta(minutes=1))

    assert "failed" == booking.status.value
    code, said = await _reconcile(here)
    await here.recovers()

    (orphan,) = account.ledger()
    assert (1, [("orphan", "cancel", "cancelling")]) == (code, [_told(one) for one in said["sweeps"][0]["findings"]])
    assert ("cancelled", "api") == (orphan["status"], orphan["cancelled_by"])
    assert [] == await here.faults(account.ledger())


async def test_a_move_that_came_too_late_is_followed(
    installation: Installation, account: Account, event_type: int
) -> None:
    async with installation.opened() as app:
        booking = await _booked(app)
        await quiet(app)
        # Cal.com moves it in the customer's name, and nobody waits for the answer any more.
        account.person_moves(booking.kept_uid or "", start=LATER)
        await app.orchestrator.cancel(a_cancellation(booking.booking_id), patience=PATIENT)
        await quiet(app)

    assert (0, {}) == _found(await _reconcile(installation))
    assert [] == account.live()
    assert [] == await installation.faults(account.ledger())


async def test_two_installations_on_one_account_leave_each_other_alone(
    sqlite_url: str, postgres_url: str, account: Account, event_type: int, installation: Installation
) -> None:
    here, there = (
        Installation(settings=installation.settings.model_copy(update={"database_url": url}))
        for url in (sqlite_url, postgres_url)
    )
    await here.define(event_type)
    await there.define(event_type)
    async with here.opened() as one, there.opened() as other:
        mine, theirs = await _booked(one, 0), await _booked(other, 2)
        for app in (one, other, one, other):
            await app.reconciler.reconcile()
            await quiet(app)
        assert 2 == len(account.live())
        await one.orchestrator.cancel(a_cancellation(mine.booking_id), patience=PATIENT)
        for app in (other, one):
            await app.reconciler.reconcile()
            await quiet(app)

    assert [theirs.kept_uid] == [it["uid"] for it in account.live()]
    assert {theirs.kept_uid: theirs.starts_at} == await _rows(here) == await _rows(there)
    assert {"api"} == {it["cancelled_by"] for it in account.ledger() if it["status"] == "cancelled"}


async def test_an_event_type_that_cannot_be_seen_is_told(
    installation: Installation, account: Account, event_type: int
) -> None:
    async with installation.opened() as app:
        await _booked(app)
        await quiet(app)
    account.loses_its_sight()

    code, said = await _reconcile(installation)

    assert (1, []) == (code, said["sweeps"][0]["findings"])
    assert said["sweeps"][0]["problem"]
    assert ["booked"] == await _statuses(installation)


async def test_a_reconcile_that_makes_no_sense_is_refused(installation: Installation) -> None:
    ended = await asyncio.to_thread(_calsaga, installation, "reconcile", "--since", "yesterday")

    assert (2, "") == (ended.returncode, ended.stdout)


async def test_what_a_forger_has_booked_waits_for_a_person(
    installation: Installation, account: Account, event_type: int
) -> None:
    forged = {"calsaga_booking_id": str(uuid4()), "calsaga_attempt_id": uuid4().hex}
    account.person_books(event_type, start=START, metadata=forged)

    first, again = await _reconcile(installation), await _reconcile(installation)
    await installation.recovers()

    assert ["foreign_booking"] == [one["kind"] for one in first[1]["sweeps"][0]["findings"]]
    assert (0, {}) == _found(again)
    assert 1 == len(account.live())
    assert [] == await installation.faults(account.ledger())


async def _booked(app: Application, number: int = 0) -> Booking:
    result = await app.orchestrator.book(a_wish(number), patience=PATIENT)
    assert "booked" == result.booking.status.value
    return result.booking


async def _reconcile(here: Installation, *words: str) -> tuple[int, dict[str, Any]]:
    ended = await asyncio.to_thread(_calsaga, here, "reconcile", "--json", *words)
    assert ended.stdout, ended.stderr
    return ended.returncode, orjson.loads(ended.stdout)


def _calsaga(here: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "adapters.cli", *words],
        env={**os.environ, **environment(here.settings)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _found(reconciled: tuple[int, dict[str, Any]]) -> tuple[int, dict[str, tuple[str, str, str]]]:
    code, said = reconciled
    return code, {one["uid"]: _told(one) for sweep in said["sweeps"] for one in sweep["findings"]}


def _told(finding: Mapping[str, Any]) -> tuple[str, str, str]:
    return finding["kind"], finding["repair"], finding["outcome"]


async def _rows(here: Installation) -> dict[str, Any]:
    async with here.opened(background=False) as app:
        with app.store.engine.connect() as connection:
            booked = connection.execute(sa.select(appointments).where(appointments.c.status == "booked")).all()
        return {row.calcom_booking_uid: row.starts_at for row in booked}


async def _statuses(here: Installation) -> list[str]:
    async with here.opened(background=False) as app:
        with app.store.engine.connect() as connection:
            return [row.status for row in connection.execute(sa.select(appointments))]
