"""
`verify` knows what becomes of a booking after it was booked: moves, people at Cal.com, webhooks, decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Insert, Table, delete, insert, select, update

from adapters.database.tables import appointments, slot_claims
from adapters.log.store import Store
from adapters.verify import verify
from domain.booking import BookingStatus
from domain.events import BookingInitiated, CalcomBookingFound
from domain.webhook import WebhookEvent, WebhookProcessed, WebhookPutOff, WebhookReceived
from projections.tables import booking_list
from sagas.appending import Append, Appended, Due, DueAfter, LogEvent, NothingDue
from sagas.repairs import AnswerReview
from sagas.rows import customer_of
from sagas.wishes import CancelAppointment, RescheduleAppointment
from tests.fakes.calcom import CalcomBooking, CancelFate, MoveFate
from tests.histories.driving import HAIRCUT, IMPATIENT, Salon

LATER = timedelta(hours=3)
IN_AN_HOUR = DueAfter(delay=timedelta(hours=1))
THEN = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
RECEIVED = WebhookReceived(at=THEN, company_id="salon", trigger="BOOKING_CREATED", digest="digest", uid="uid-1")
PUT_OFF = WebhookPutOff(at=THEN, until=THEN, reason="under_way")
PROCESSED = WebhookProcessed(at=THEN, outcome="equal", detail="")


@pytest.fixture
def salon(store: Store) -> Salon:
    """
    A salon where nothing goes wrong by itself.
    """
    salon = Salon(store)
    salon.open()
    salon.random.random = lambda: 1.0  # type: ignore[method-assign]
    return salon


async def booked(salon: Salon) -> UUID:
    """
    Book, and return the booking's id.
    """
    await salon._serve(0)
    await salon.clean_up()
    [booking_id] = [row.booking_id for row in rows(salon)]
    return booking_id  # type: ignore[no-any-return]


def rows(salon: Salon) -> Sequence[Any]:
    with salon.store.engine.connect() as connection:
        return connection.execute(select(appointments)).all()


def tamper(store: Store, statement: object) -> None:
    with store.engine.begin() as connection:
        connection.execute(statement)  # type: ignore[call-overload]


async def found(store: Store, stream_id: UUID) -> list[tuple[str, str, str]]:
    """
    Return what is reported about a stream; nothing is said of any other.
    """
    differences = await verify(store, policy=IMPATIENT, look_again=[0.0])
    assert {stream_id} >= {one.stream_id for one in differences}
    return [(one.what, one.expected, one.found) for one in differences]


async def person_moves(salon: Salon, uid: str) -> tuple[CalcomBooking, UUID]:
    """
    Let a person move a booking at Cal.com, and calsaga hear of it; return what it became, and the webhook.
    """
    moved = salon.calcom.person_moves(uid, LATER)
    webhook_id = await salon.hears_of(moved.uid, "RESCHEDULED")
    await salon.clean_up()
    return moved, webhook_id


def person_books(salon: Salon, *, slot: int = 0) -> CalcomBooking:
    starts_at = salon.time(slot)
    return salon.calcom.commit(
        event_type_id=HAIRCUT.calcom_event_type_id,
        starts_at=starts_at,
        ends_at=starts_at + HAIRCUT.duration,
        attempt_id=None,
    )


async def taken_in(salon: Salon, *, slot: int = 0) -> UUID:
    """
    Let a person book at Cal.com, and return the id of the booking that calsaga makes of it.
    """
    made = person_books(salon, slot=slot)
    await salon.hears_of(made.uid, "CREATED")
    await salon.clean_up()
    holders = await salon.store.appointments.holders(company_id="salon", uids=[made.uid])
    return holders[made.uid]


async def written(
    store: Store,
    *events: LogEvent,
    due: Due,
    stream_id: UUID | None = None,
    after: int = 0,
    **more: Any,  # noqa: ANN401 - fields of all types
) -> UUID:
    """
    Put events at the end of a stream, and return its id.
    """
    append = Append(
        stream_id=stream_id or uuid4(),
        expected_version=after,
        append_id=uuid4().hex,
        correlation_id="call",
        recorded_at=RECEIVED.at,
        events=events,
        due=due,
        **more,
    )
    assert isinstance(await store.log.append(append), Appended)
    return append.stream_id


def a_claim(salon: Salon, booking_id: UUID) -> dict[str, Any]:
    starts_at = salon.time(40)
    return {
        "booking_id": booking_id,
        "company_id": "salon",
        "customer_id": uuid4(),
        "service_id": "cut",
        "starts_at": starts_at,
        "ends_at": starts_at + HAIRCUT.duration,
        "starts_epoch": 0,
        "allow_near_duplicate": False,
        "created_at": starts_at,
    }


def copied(store: Store, table: Table, **changes: Any) -> Insert:  # noqa: ANN401 - columns of all types
    """
    Return the insert of a row like the only one, but for some columns.
    """
    with store.engine.connect() as connection:
        row = connection.execute(select(table)).mappings().one()
    return insert(table).values(dict(row) | changes)


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


@pytest.mark.parametrize(
    ("events", "due"),
    [
        ((RECEIVED,), IN_AN_HOUR),
        ((RECEIVED, PUT_OFF), IN_AN_HOUR),
        ((RECEIVED, PROCESSED), NothingDue()),
        ((RECEIVED, PUT_OFF, PROCESSED), NothingDue()),
    ],
)
async def test_a_webhook_is_due_until_it_is_processed(store: Store, events: tuple[WebhookEvent, ...], due: Due) -> None:
    webhook_id = await written(store, *events, due=due)

    assert [] == await found(store, webhook_id)


@pytest.mark.parametrize("events", [(RECEIVED,), (RECEIVED, PUT_OFF)])
async def test_a_webhook_that_nobody_will_process_is_found(store: Store, events: tuple[WebhookEvent, ...]) -> None:
    webhook_id = await written(store, *events, due=NothingDue())

    assert [("due work", "a row, as the webhook is not processed", "nothing")] == await found(store, webhook_id)


async def test_a_webhook_that_is_processed_and_due_is_found(store: Store) -> None:
    webhook_id = await written(store, RECEIVED, PROCESSED, due=IN_AN_HOUR)

    assert [("due work", "nothing", "a row, though the webhook is processed")] == await found(store, webhook_id)


async def test_a_webhook_that_has_a_bookings_rows_is_found(store: Store, salon: Salon) -> None:
    await booked(salon)
    await verify(store)
    webhook_id = await written(store, RECEIVED, PROCESSED, due=NothingDue())
    other = {"id": uuid4(), "staff_id": None, "idempotency_key": "k", "calcom_booking_uid": "u"}
    tamper(store, copied(store, appointments, booking_id=webhook_id, **other))
    tamper(store, copied(store, booking_list, booking_id=webhook_id))
    tamper(store, insert(slot_claims).values(**a_claim(salon, webhook_id)))

    assert await found(store, webhook_id) == [
        (what, "nothing", "a row of a webhook") for what in ("appointment", "claim", "list of bookings")
    ]


async def test_a_webhook_without_its_beginning_is_found(store: Store) -> None:
    webhook_id = await written(store, PUT_OFF, due=IN_AN_HOUR)

    assert [("stream", "begins with webhook.received.v1", "webhook.put-off.v1")] == await found(store, webhook_id)


async def test_an_event_of_a_booking_in_the_stream_of_a_webhook_is_found(store: Store, salon: Salon) -> None:
    [initiated, *_] = [one.event for one in await store.log.read(await booked(salon))]
    webhook_id = await written(store, RECEIVED, initiated, due=IN_AN_HOUR)

    assert ("stream", "events of a webhook", "booking.initiated.v1") in await found(store, webhook_id)


async def test_an_event_of_a_webhook_in_the_stream_of_a_booking_is_found(store: Store, salon: Salon) -> None:
    booking_id = await booked(salon)
    stream = await store.log.read(booking_id)
    await written(store, RECEIVED, due=NothingDue(), stream_id=booking_id, after=len(stream))

    assert ("stream", "events of a booking", "webhook.received.v1") in await found(store, booking_id)


async def test_a_booking_without_its_beginning_is_found(store: Store, salon: Salon) -> None:
    [_, attempted, *_] = [one.event for one in await store.log.read(await booked(salon))]
    stream_id = await written(store, attempted, due=NothingDue())

    assert ("stream", "begins with booking.initiated.v1", "booking.calcom-attempted.v1") in await found(
        store, stream_id
    )
