"""
Moving an appointment: done in both places or in neither, whatever Cal.com makes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest

from domain import moving as m
from domain.booking import Booking
from sagas.wishes import BookingResult, RescheduleAppointment
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    HALF_HOUR,
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    eventually,
    story,
)
from tests.integration.system.serving import HOOK, SECRET, Served, served

LATER = START + 4 * HALF_HOUR


@pytest.fixture
async def here(told: Installation, account: Account) -> AsyncIterator[Served]:
    await told.define(account.event_type(), staff_id="ada")
    async with served(told) as here:
        account.subscribes(f"{here.url}{HOOK}", secret=SECRET)
        yield here


async def _booked(here: Served, number: int = 0) -> Booking:
    result = await here.app.orchestrator.book(a_wish(number), patience=PATIENT)
    assert "booked" == result.booking.status.value
    return result.booking


async def _move(here: Served, booking: Booking, *, to: datetime = LATER, key: str | None = None) -> BookingResult:
    wish = RescheduleAppointment(company_id="default", booking_id=booking.booking_id, starts_at=to, idempotency_key=key)
    return await here.app.orchestrator.reschedule(wish, patience=PATIENT)


async def _ask(here: Served, booking: Booking, *, to: datetime = LATER, key: str = "move") -> httpx.Response:
    return await here.http.post(
        f"/api/bookings/{booking.booking_id}/reschedule",
        json={"starts_at": to.isoformat(), "reason": "a train was late"},
        headers={"Idempotency-Key": key, "Prefer": "wait=50"},
    )


def _times(here: Served) -> list[tuple[datetime, str]]:
    return [(row.starts_at, row.status) for row in here.rows()]


async def test_it_is_moved_over_http(here: Served, told: Installation, account: Account) -> None:
    booking = await _booked(here)

    moved, again = await _ask(here, booking), await _ask(here, booking)
    other = await _ask(here, booking, to=LATER + HALF_HOUR)
    await here.settles(account)

    assert (200, "booked", LATER) == (
        moved.status_code,
        moved.json()["booking"]["status"],
        datetime.fromisoformat(moved.json()["booking"]["starts_at"]),
    )
    assert (200, "true") == (again.status_code, again.headers["Idempotency-Replayed"])
    assert 422 == other.status_code
    assert [(LATER, "booked")] == _times(here)
    assert 1 == account.calls("reschedule") == len(account.live())
    assert [] == await told.faults(account.ledger())


async def test_it_is_moved_from_python_and_back_again(here: Served, told: Installation, account: Account) -> None:
    booking = await _booked(here)

    there, back = await _move(here, booking), await _move(here, booking, to=START)
    nothing = await _move(here, booking, to=START)
    await here.settles(account)

    assert [LATER, START, START] == [it.booking.starts_at for it in (there, back, nothing)]
    assert nothing.replayed
    assert [(START, "booked")] == _times(here)
    assert 2 == account.calls("reschedule")
    assert [] == await told.faults(account.ledger())


async def test_it_may_overlap_with_where_it_was(here: Served, told: Installation, account: Account) -> None:
    booking = await _booked(here)

    moved = await _move(here, booking, to=START + HALF_HOUR / 2)
    await here.settles(account)

    assert START + HALF_HOUR / 2 == moved.booking.starts_at
    assert [] == await told.faults(account.ledger())


@pytest.mark.parametrize("held", ["here", "at Cal.com", "in a race"])
async def test_a_time_that_is_taken_stays_as_it_is(
    here: Served, told: Installation, account: Account, held: str
) -> None:
    booking = await _booked(here)
    if held == "here":
        await _booked(here, 4)
    else:
        event_type = account.ledger()[0]["event_type_id"]
        account.breaks_always({"kind": "webhook_drop"})
        await asyncio.to_thread(account.person_books, event_type, start=LATER)
        account.breaks_always()
    if held == "in a race":
        account.breaks("race", operation="reschedule")

    answer = await _ask(here, booking)
    await here.settles(account)
    free = await _booked(here, 8)

    assert (409, "slot_taken") == (answer.status_code, answer.json()["reason"])
    assert (START, "booked") in _times(here)
    assert START == (await here.app.engine.load(booking.booking_id)).starts_at
    assert "booked" == free.status.value
    await here.app.reconciler.reconcile()
    await here.settles(account)
    assert [] == await told.faults(account.ledger())


async def test_the_old_time_is_free_and_the_new_one_is_not(here: Served, told: Installation, account: Account) -> None:
    booking = await _booked(here)
    await _move(here, booking)

    old = await here.app.orchestrator.book(a_wish(1, starts_at=START), patience=PATIENT)
    new = await here.app.orchestrator.book(a_wish(2, starts_at=LATER), patience=PATIENT)
    await here.settles(account)

    assert ("booked", "failed") == (old.booking.status.value, new.booking.status.value)
    assert [] == await told.faults(account.ledger())


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("delay", {"seconds": 1, "moment": "after"}),
        ("error_after_commit", {}),
        ("drop_after_commit", {}),
        ("unreadable_2xx", {}),
        ("late_commit", {"seconds": 0.3}),
        ("late_commit_timeout", {"seconds": 0.3, "hold_seconds": 10}),
        ("drop_before_commit", {}),
        ("error_before_commit", {}),
        ("html_502", {"commit": True}),
        ("html_502", {"commit": False}),
        ("unauthorized", {}),
    ],
)
async def test_it_is_moved_once_whatever_cal_com_answers(
    here: Served, told: Installation, account: Account, fault: str, more: dict[str, object]
) -> None:
    booking = await _booked(here)
    account.breaks(fault, operation="reschedule", **more)

    moved = await _move(here, booking)
    await here.settles(account)

    assert ("booked", LATER) == (moved.booking.status.value, moved.booking.starts_at)
    assert [(LATER, "booked")] == _times(here)
    assert 1 == len(account.live())
    assert 2 == len(account.ledger())
    assert [] == await told.faults(account.ledger())


@pytest.mark.parametrize("fault", ["drop_after_commit", "late_commit", "delay"])
async def test_a_cancellation_comes_while_it_is_being_moved(
    here: Served, told: Installation, account: Account, fault: str
) -> None:
    booking = await _booked(here)
    account.breaks(fault, operation="reschedule", seconds=0.5)

    moving = asyncio.create_task(_move(here, booking))
    await eventually(lambda: _is_asked(account), "Cal.com is asked to move it")
    cancelled = await here.app.orchestrator.cancel(a_cancellation(booking.booking_id), patience=PATIENT)
    await moving
    await here.settles(account)

    assert "cancelled" == cancelled.booking.status.value
    assert [] == account.live()
    assert [] == await told.faults(account.ledger())


@pytest.mark.parametrize("does", ["cancels", "moves"])
async def test_a_person_interferes_while_it_is_being_moved(
    here: Served, told: Installation, account: Account, does: str
) -> None:
    booking = await _booked(here)
    uid = booking.kept_uid or ""
    account.breaks("late_commit", operation="reschedule", seconds=0.5)

    moving = asyncio.create_task(_move(here, booking))
    await eventually(lambda: _is_asked(account), "Cal.com is asked to move it")
    if does == "cancels":
        await asyncio.to_thread(account.person_cancels, uid)
    else:
        await asyncio.to_thread(account.person_moves, uid, start=LATER + 4 * HALF_HOUR)
    await moving
    await here.settles(account)

    expected = [] if does == "cancels" else [LATER + 4 * HALF_HOUR]
    assert expected == [row.starts_at for row in here.rows() if row.status == "booked"]
    assert [] == await told.faults(account.ledger())


async def test_many_who_move_at_once_move_once(here: Served, told: Installation, account: Account) -> None:
    booking = await _booked(here)

    answers = await asyncio.gather(*(_ask(here, booking, key="one") for _ in range(10)))
    await here.settles(account)

    assert {200} == {answer.status_code for answer in answers}
    requested = [it for it in await story(here.app.store, booking.booking_id) if isinstance(it, m.RescheduleRequested)]
    assert 1 == len(requested) == account.calls("reschedule")
    assert [] == await told.faults(account.ledger())


async def test_what_does_not_stand_cannot_be_moved(here: Served, told: Installation, account: Account) -> None:
    booking = await _booked(here)
    await here.app.orchestrator.cancel(a_cancellation(booking.booking_id), patience=PATIENT)

    cancelled = await _ask(here, booking)
    past = await _ask(here, booking, to=START.replace(year=START.year - 1), key="past")

    assert (409, 422) == (cancelled.status_code, past.status_code)
    assert 0 == account.calls("reschedule")


async def _is_asked(account: Account) -> bool:
    return account.calls("reschedule") > 0
