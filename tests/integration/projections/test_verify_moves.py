"""
`verify` knows where an appointment has moved, and what a move that is under way claims.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select, update

from adapters.database.tables import appointments, slot_claims
from adapters.log.store import Store
from domain.booking import BookingStatus
from sagas.wishes import RescheduleAppointment
from tests.fakes.calcom import MoveFate
from tests.histories.driving import Salon
from tests.integration.projections.tampering import booked, found, person_moves, rows, taken_in, tamper


async def test_an_appointment_that_a_person_has_moved_is_where_they_moved_it(store: Store, salon: Salon) -> None:
    booking_id = await booked(salon)
    moved, webhook_id = await person_moves(salon, "uid-1")

    assert [] == await found(store, booking_id)
    [row] = rows(salon)
    assert (moved.uid, moved.starts_at, moved.ends_at, str(webhook_id)) == (
        row.calcom_booking_uid,
        row.starts_at,
        row.ends_at,
        row.webhook_id,
    )


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"calcom_booking_uid": "uid-1"}, "calcom_booking_uid"),
        ({"starts_at": appointments.c.created_at}, "starts_at"),
        ({"webhook_id": None}, "webhook_id"),
        ({"overlap_allowed": True}, "overlap_allowed"),
        ({"status": "cancelled"}, "status"),
    ],
)
async def test_a_moved_appointment_that_is_not_there_is_found(
    store: Store, salon: Salon, changed: dict[str, Any], what: str
) -> None:
    booking_id = await booked(salon)
    await person_moves(salon, "uid-1")
    tamper(store, update(appointments).values(**changed))

    assert [f"appointment, {what}"] == [one for one, _, _ in await found(store, booking_id)]


async def test_an_appointment_that_was_moved_on_top_of_another_may_overlap(store: Store, salon: Salon) -> None:
    booking_id = await booked(salon)
    await taken_in(salon, slot=12)
    await person_moves(salon, "uid-1")

    assert [] == await found(store, booking_id)
    assert [True] == [row.overlap_allowed for row in rows(salon) if row.booking_id == booking_id]


async def test_a_row_that_was_left_behind_by_a_move_is_found(store: Store, salon: Salon) -> None:
    booking_id = await booked(salon)
    before = dict(rows(salon)[0]._mapping)
    await person_moves(salon, "uid-1")
    tamper(store, update(appointments).values(**before))

    assert {"calcom_booking_uid", "starts_at", "ends_at", "webhook_id"} == {
        one.removeprefix("appointment, ") for one, _, _ in await found(store, booking_id)
    }


async def test_a_customers_move_has_a_claim_until_it_is_over(store: Store, salon: Salon) -> None:
    booking_id = await booked(salon)
    salon.calcom.moves.append(MoveFate(does="lost"))
    wish = RescheduleAppointment(company_id="salon", booking_id=booking_id, starts_at=salon.time(12))
    result = await salon.sagas.orchestrator.reschedule(wish, patience=0)
    await salon.sagas.worker.run_due()

    assert BookingStatus.RESCHEDULING is result.booking.status
    assert [] == await found(store, booking_id)
    with store.engine.connect() as connection:
        assert salon.time(12) == connection.execute(select(slot_claims.c.starts_at)).scalar_one()

    await salon.clean_up()
    assert [] == await found(store, booking_id)
    assert [salon.time(12)] == [row.starts_at for row in rows(salon)]


async def test_a_claim_of_a_move_that_is_missing_or_elsewhere_is_found(store: Store, salon: Salon) -> None:
    booking_id = await booked(salon)
    salon.calcom.moves.append(MoveFate(does="lost"))
    wish = RescheduleAppointment(company_id="salon", booking_id=booking_id, starts_at=salon.time(12))
    await salon.sagas.orchestrator.reschedule(wish, patience=0)

    tamper(store, update(slot_claims).values(starts_at=salon.time(11)))
    assert ["claim, starts_at"] == [what for what, _, _ in await found(store, booking_id)]
    tamper(store, delete(slot_claims))
    assert [("claim", "a row, as the booking is under way", "nothing")] == await found(store, booking_id)
