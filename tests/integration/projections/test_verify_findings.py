"""
`verify` knows what people have done at Cal.com, and what a person has decided.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, update

from adapters.database.tables import appointments, slot_claims
from adapters.log.store import Store
from domain.booking import BookingStatus
from domain.events import BookingInitiated, CalcomBookingFound
from sagas.repairs import AnswerReview
from sagas.rows import customer_of
from sagas.wishes import CancelAppointment
from tests.fakes.calcom import CancelFate
from tests.histories.driving import IMPATIENT, Salon
from tests.integration.projections.tampering import IN_AN_HOUR, a_claim, booked, found, rows, taken_in, tamper, written


async def test_a_booking_that_was_found_at_calcom_has_an_appointment_and_no_claim(store: Store, salon: Salon) -> None:
    booking_id = await taken_in(salon)

    assert [] == await found(store, booking_id)
    [row] = rows(salon)
    assert ("calcom", False) == (row.source, row.overlap_allowed)
    assert row.webhook_id is not None


async def test_what_a_person_books_on_top_of_another_may_overlap(store: Store, salon: Salon) -> None:
    await booked(salon)
    booking_id = await taken_in(salon, slot=1)

    assert [] == await found(store, booking_id)
    assert {"calcom": True, "web": False} == {row.source: row.overlap_allowed for row in rows(salon)}


async def test_a_booking_found_at_calcom_without_its_appointment_is_found(store: Store, salon: Salon) -> None:
    booking_id = await taken_in(salon)
    tamper(store, delete(appointments))

    assert [("appointment", "a row that is booked", "nothing")] == await found(store, booking_id)


async def test_a_booking_found_at_calcom_that_names_another_webhook_is_found(store: Store, salon: Salon) -> None:
    booking_id = await taken_in(salon)
    tamper(store, update(appointments).values(webhook_id="other"))

    assert ["appointment, webhook_id"] == [what for what, _, _ in await found(store, booking_id)]


async def test_a_claim_of_what_was_found_at_calcom_is_found(store: Store, salon: Salon) -> None:
    booking_id = await taken_in(salon)
    tamper(store, insert(slot_claims).values(**a_claim(salon, booking_id)))

    assert [("claim", "nothing", "a row, though the booking has ended")] == await found(store, booking_id)


async def test_what_was_found_at_calcom_has_no_claim_before_it_is_booked_either(store: Store, salon: Salon) -> None:
    """
    As it stands when the appointment was refused, and something else is decided than to book it all the same.
    """
    other = await taken_in(salon)
    facts, there, *_ = [one.event for one in await store.log.read(other)]
    assert isinstance(facts, BookingInitiated)
    assert isinstance(there, CalcomBookingFound)
    booking_id = await written(store, facts, there, due=IN_AN_HOUR, customer=customer_of(facts))

    assert [] == await found(store, booking_id)
    tamper(store, insert(slot_claims).values(**a_claim(salon, booking_id)))
    assert [("claim", "nothing", "a row, though the booking claims nothing")] == await found(store, booking_id)


async def test_an_appointment_that_a_person_has_cancelled_at_calcom_is_cancelled(store: Store, salon: Salon) -> None:
    booking_id = await booked(salon)
    salon.calcom.person_cancels("uid-1")
    await salon.hears_of("uid-1", "CANCELLED")
    await salon.clean_up()

    assert [] == await found(store, booking_id)
    tamper(store, update(appointments).values(status="booked"))
    assert [("appointment, status", "cancelled", "booked")] == await found(store, booking_id)


async def test_an_appointment_that_a_person_keeps_stays_booked(store: Store, salon: Salon) -> None:
    booking_id = await booked(salon)
    salon.calcom.cancels.extend(CancelFate(does="refuses") for _ in range(IMPATIENT.review_after))
    wish = CancelAppointment(company_id="salon", booking_id=booking_id, reason="ill")
    await salon.sagas.orchestrator.cancel(wish, patience=0.1)
    await salon.clean_up()
    [line] = (await salon.sagas.engine.load(booking_id)).ledger.in_review
    assert [] == await found(store, booking_id)

    kept = AnswerReview(
        company_id="salon",
        booking_id=booking_id,
        attempt_id=line.attempt_id,
        uid=line.uid,
        answer="keep_local",
        adopt=None,
        actor="grace",
        note="she comes after all",
    )
    await salon.sagas.repairs.answer(kept, patience=0.1)
    await salon.clean_up()

    assert BookingStatus.BOOKED is (await salon.sagas.engine.load(booking_id)).status
    assert [] == await found(store, booking_id)
    tamper(store, update(appointments).values(status="cancelled"))
    assert [("appointment, status", "booked", "cancelled")] == await found(store, booking_id)
