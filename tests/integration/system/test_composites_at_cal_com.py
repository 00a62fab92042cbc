"""
Several services in a row, one of which people cancel or move at Cal.com.
"""

from __future__ import annotations

import asyncio

from domain.booking import Booking, BookingStatus
from tests.integration.system.account import Account
from tests.integration.system.composites import a_row, define_row
from tests.integration.system.installation import HALF_HOUR, PATIENT, START, Installation, reaches
from tests.integration.system.serving import Served


async def test_a_leg_that_a_person_cancels_at_cal_com_goes_and_a_person_is_told(
    here: Served, told: Installation, account: Account
) -> None:
    await define_row(told, account)
    booking = (await here.app.orchestrator.book_composite(a_row(), patience=PATIENT)).booking

    await asyncio.to_thread(account.person_cancels, booking.legs[1].kept_uid or "")
    await here.settles(account)
    after = await here.app.engine.load(booking.booking_id)
    await here.app.followers.catch_up()
    listed = (await here.http.get("/api/sync-failures?status=manual_review")).json()["sync_failures"]
    answered = await here.http.post(f"/api/sync-failures/{listed[0]['id']}/resolve", json={"answer": "cancel"})
    await here.settles(account)
    in_the_end = await here.app.engine.load(booking.booking_id)

    assert "booked" == after.status.value
    assert ["booked", "cancelled", "booked"] == [leg.status.value for leg in after.legs]
    assert [booking.legs[1].kept_uid] == [one.uid for one in after.inconsistencies]
    assert [("status_drift", "manual_review")] == [(one["failure_type"], one["status"]) for one in listed]
    assert answered.is_success, answered.text
    assert ("cancelled", ()) == (in_the_end.status.value, in_the_end.inconsistencies)
    assert [] == account.live()
    assert [] == await told.faults(account.ledger())


async def test_a_leg_that_a_person_moves_at_cal_com_is_followed(
    here: Served, told: Installation, account: Account
) -> None:
    await define_row(told, account)
    booking = (await here.app.orchestrator.book_composite(a_row(), patience=PATIENT)).booking
    later = START + 6 * HALF_HOUR

    await asyncio.to_thread(account.person_moves, booking.legs[2].kept_uid or "", start=later)
    await here.settles(account)
    after = await here.app.engine.load(booking.booking_id)

    assert ("booked", later, later + HALF_HOUR) == (after.status.value, after.legs[2].starts_at, after.ends_at)
    assert [START, START + HALF_HOUR, later] == [row.starts_at for row in here.rows()]
    assert [] == await told.faults(account.ledger())


async def test_what_no_webhook_tells_the_reconciler_finds(
    installation: Installation, account: Account, event_types: dict[str, int]
) -> None:
    async with installation.opened() as app:
        booking = (await app.orchestrator.book_composite(a_row(), patience=PATIENT)).booking
        await asyncio.to_thread(account.person_cancels, booking.legs[0].kept_uid or "")
        sweeps = await app.reconciler.reconcile()
        after = await reaches(app, booking.booking_id, "booked")
        again = await app.reconciler.reconcile()

    assert ["ghost"] == [finding.kind for sweep in sweeps for finding in sweep.findings]
    assert [] == [finding for sweep in again for finding in sweep.findings]
    assert _standing(after) == [BookingStatus.CANCELLED, BookingStatus.BOOKED, BookingStatus.BOOKED]
    assert ["status_drift"] == [one.kind for one in after.inconsistencies]
    assert [] == await installation.faults(account.ledger())


def _standing(booking: Booking) -> list[BookingStatus]:
    return [leg.status for leg in booking.legs]
