"""
Bookings of a salon, what is changed behind its back, and what `verify` finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Insert, Table, insert, select

from adapters.database.tables import appointments
from adapters.log.store import Store
from adapters.verify import verify
from domain.webhook import WebhookReceived
from sagas.appending import Append, Appended, Due, DueAfter, LogEvent
from tests.fakes.calcom import CalcomBooking
from tests.histories.driving import HAIRCUT, IMPATIENT, Salon

LATER = timedelta(hours=3)
IN_AN_HOUR = DueAfter(delay=timedelta(hours=1))
THEN = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
RECEIVED = WebhookReceived(at=THEN, company_id="salon", trigger="BOOKING_CREATED", digest="digest", uid="uid-1")


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
