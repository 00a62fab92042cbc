"""
Cancelling in every state, many times at once, and against a Cal.com that makes it hard.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from adapters.bootstrap import Application
from domain import events as e
from tests.integration.persistence.interference import Stranger
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    PATIENT,
    Installation,
    a_cancellation,
    a_wish,
    eventually,
    named,
    quiet,
    reaches,
    story,
)


async def _booked(app: Application) -> UUID:
    result = await app.orchestrator.book(a_wish(), patience=PATIENT)
    assert "booked" == result.booking.status.value
    return result.booking.booking_id


@pytest.mark.parametrize("same_key", [True, False], ids=["one command", "twenty commands"])
async def test_many_who_cancel_at_once_cancel_once(
    installation: Installation, account: Account, same_key: bool
) -> None:
    await installation.define(account.event_type())

    async with installation.opened() as app:
        booking_id = await _booked(app)
        commands = [a_cancellation(booking_id, key="cancel" if same_key else f"cancel {n}") for n in range(20)]
        answers = await asyncio.gather(*(app.orchestrator.cancel(it, patience=PATIENT) for it in commands))
        again = await app.orchestrator.cancel(a_cancellation(booking_id), patience=PATIENT)
        await quiet(app)
        happened = named(await story(app.store, booking_id))

    assert ["cancelled"] * 20 == [answer.booking.status.value for answer in answers]
    assert 19 == sum(answer.replayed for answer in answers)
    assert ("cancelled", True) == (again.booking.status.value, again.replayed)
    assert 1 == happened.count("CancellationRequested") == happened.count("CalcomBookingCancelled")
    assert 1 == happened.count("BookingCancelled") == account.answers("cancel", 200)
    assert [] == await installation.faults(account.ledger())


async def test_a_booking_that_is_being_made_can_be_cancelled(installation: Installation, account: Account) -> None:
    unhurried = {"calcom_send_seconds": 30, "calcom_attempt_seconds": 30, "lease_seconds": 65}
    here = Installation(settings=installation.settings.model_copy(update=unhurried))
    await here.define(account.event_type())
    account.breaks("delay", operation="create", seconds=0.8, moment="after")

    async with here.opened() as app:
        booking = asyncio.create_task(app.orchestrator.book(a_wish(), patience=PATIENT))
        await eventually(lambda: _is_made(account), "Cal.com has made the booking, and not answered yet")
        started = (await app.orchestrator.book(a_wish(), patience=0)).booking
        cancelled = await app.orchestrator.cancel(a_cancellation(started.booking_id), patience=PATIENT)
        result = await booking
        await quiet(app)
        full_story = await story(app.store, started.booking_id)
        happened = named(full_story)

    assert "cancelled" == cancelled.booking.status.value == result.booking.status.value
    # The answer came after the cancellation was asked for, and was written down all the same.
    assert [True] == [one.late for one in full_story if isinstance(one, e.CalcomBookingCreated)]
    assert {"AppointmentBooked", "CalcomOutcomeUnknown"}.isdisjoint(happened)
    assert 1 == happened.count("CancellationRequested") == happened.count("BookingCancelled")
    assert 1 == account.calls("create")
    assert [] == account.live()
    assert [] == await here.faults(account.ledger())


@pytest.mark.parametrize("fault", ["error_after_commit", "drop_after_commit", "drop_before_commit", "late_commit"])
async def test_a_cancel_whose_outcome_is_unknown_is_seen_through(
    installation: Installation, account: Account, fault: str
) -> None:
    await installation.define(account.event_type())

    async with installation.opened() as app:
        booking_id = await _booked(app)
        account.breaks(fault, operation="cancel", **({"seconds": 0.2} if fault == "late_commit" else {}))
        result = await app.orchestrator.cancel(a_cancellation(booking_id), patience=PATIENT)
        await quiet(app)

    assert "cancelled" == result.booking.status.value
    assert [] == account.live()
    assert [] == await installation.faults(account.ledger())


async def test_a_cancel_in_doubt_about_the_booking_waits_for_the_truth(
    installation: Installation, account: Account
) -> None:
    await installation.define(account.event_type())
    account.breaks("late_commit", operation="create", seconds=1.0)

    async with installation.opened() as app:
        booking = (await app.orchestrator.book(a_wish(), patience=0)).booking
        result = await app.orchestrator.cancel(a_cancellation(booking.booking_id), patience=PATIENT)
        await quiet(app)

    assert "cancelled" == result.booking.status.value
    assert 1 == len(account.ledger()) == account.calls("create")
    assert [] == account.live()
    assert [] == await installation.faults(account.ledger())


async def test_a_booking_that_cal_com_knows_no_more_is_cancelled(installation: Installation, account: Account) -> None:
    event_type = account.event_type()
    await installation.define(event_type)

    async with installation.opened() as app:
        booking_id = await _booked(app)
        account.forgets_everything()
        account.change(event_type)
        result = await app.orchestrator.cancel(a_cancellation(booking_id), patience=PATIENT)
        await quiet(app)

    assert "cancelled" == result.booking.status.value
    assert account.answers("cancel", 404)
    # Its absence was believed only once a list had confirmed it.
    assert account.calls("list")
    assert [] == await installation.faults(account.ledger())


async def test_a_booking_that_a_person_has_cancelled_is_cancelled(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())

    async with installation.opened() as app:
        booking_id = await _booked(app)
        account.person_cancels(account.live()[0]["uid"])
        result = await app.orchestrator.cancel(a_cancellation(booking_id), patience=PATIENT)
        await quiet(app)

    assert "cancelled" == result.booking.status.value
    assert ["person"] == [one["cancelled_by"] for one in account.ledger()]
    assert [] == await installation.faults(account.ledger())


async def test_what_cal_com_does_not_let_be_cancelled_waits_for_a_person(
    installation: Installation, account: Account, database_url: str
) -> None:
    event_type = account.event_type()
    await installation.define(event_type)

    async with installation.opened() as app:
        booking_id = await _booked(app)
        account.change(event_type, disable_cancelling=True)
        result = await app.orchestrator.cancel(a_cancellation(booking_id), patience=PATIENT)
        again = await app.orchestrator.cancel(a_cancellation(booking_id), patience=PATIENT)
        await quiet(app)
        happened = named(await story(app.store, booking_id))

    assert "needs_review" == result.booking.status.value == again.booking.status.value
    assert result.booking.review is not None
    assert "cancelling_disabled" == result.booking.review.reason
    assert 1 == happened.count("ManualReviewRequested") == account.calls("cancel")
    # The appointment keeps its slot: the customer may still come.
    assert "booked" == Stranger(database_url).status_of(booking_id)
    assert 1 == len(account.live())
    assert [] == await installation.faults(account.ledger())


async def test_a_slot_is_free_for_others_once_cal_com_has_confirmed(
    installation: Installation, account: Account
) -> None:
    await installation.define(account.event_type())
    broken = {"kind": "error_before_commit", "operation": "cancel"}

    async with installation.opened() as app:
        first = (await app.orchestrator.book(a_wish(staff_id="ada"), patience=PATIENT)).booking
        account.breaks_always(broken)
        await app.orchestrator.cancel(a_cancellation(first.booking_id), patience=0.3)
        too_early = await app.orchestrator.book(a_wish(1, starts_at=first.starts_at, staff_id="ada"), patience=PATIENT)
        account.breaks_always()
        await reaches(app, first.booking_id, "cancelled")
        in_time = await app.orchestrator.book(a_wish(2, starts_at=first.starts_at, staff_id="ada"), patience=PATIENT)
        await quiet(app)

    assert ("failed", "booked") == (too_early.booking.status.value, in_time.booking.status.value)
    assert 2 == account.calls("create")
    assert [] == await installation.faults(account.ledger())


async def _is_made(account: Account) -> bool:
    return bool(account.ledger())
