"""
The list of bookings behind `GET /api/bookings`: one row a booking, without anybody's name.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never
from uuid import UUID

from sqlalchemy import Connection, Table, select

from domain import events as e
from domain import findings as f
from domain import moving as m
from domain.booking import Booking, BookingStatus, Goal
from domain.cancel_deferred import CalcomCancelDeferred
from domain.composite import CompositeInitiated, LegEvent
from domain.replacing import replace
from projections.booking_row import BookingRow, of_legs
from projections.errors import OutOfOrder
from projections.sequence import caught_up
from projections.source import Projection
from projections.tables import booking_list
from projections.upserting import is_one_of, upsert
from sagas.appending import LogEvent, OtherEvent, Recorded, by_booking


def summary(booking: Booking) -> BookingRow:
    """
    Return the row that the list has once it has caught up with a booking.

    Raises:
        LookupError: nobody has asked for this booking.

    """
    if booking.composite is not None:
        begun = _begun(booking.booking_id, booking.composite)
        row = replace(begun, version=booking.version, updated_at=booking.updated_at or begun.updated_at)
        return of_legs(row, [_alone(leg) for leg in booking.legs if leg.initiated is not None])
    return _alone(booking)


def _alone(booking: Booking) -> BookingRow:
    failure = booking.review or booking.failure or booking.undoing
    row = begin(booking.booking_id, booking.facts)
    return replace(
        row,
        status=booking.status.value,
        starts_at=booking.starts_at or row.starts_at,
        ends_at=booking.ends_at or row.ends_at,
        calcom_booking_uid=booking.kept_uid,
        appointment_id=booking.appointment_id,
        failure_reason=None if failure is None else failure.reason,
        failure_detail=None if failure is None else failure.detail,
        resilience_strategy=booking.resilience_strategy,
        version=booking.version,
        updated_at=booking.updated_at or row.updated_at,
        undecided=booking.goal is Goal.BOOK and booking.ended is None,
    )


def load(connection: Connection, table: Table, booking_ids: Iterable[UUID]) -> dict[UUID, BookingRow]:
    """Return the rows of these bookings, those that are there."""
    rows = connection.execute(select(table).where(is_one_of(connection, table.c.booking_id, list(booking_ids))))
    return {row.booking_id: BookingRow(**row._mapping) for row in rows}  # noqa: SLF001 - the public way to a dict


def apply(connection: Connection, tables: Sequence[Table], recorded: Sequence[Recorded]) -> None:
    """Bring the rows of all bookings that these events are about up to date."""
    (table,) = tables
    news = by_booking(recorded)
    if not news:
        return
    rows = load(connection, table, news)
    changed = [evolve_recorded(rows.get(stream_id), events) for stream_id, events in news.items()]
    upsert(connection, table, [vars(row) for row in changed])


# From these on nothing that Cal.com makes is the booking's own any more, except by a move.
_DECISIONS = (
    e.AppointmentBooked,
    e.CompensationStarted,
    e.CancellationRequested,
    e.BookingFailed,
    e.BookingCancelled,
    m.RescheduleRequested,
)

BOOKINGS = Projection(name="bookings", tables=(booking_list,), apply=apply)


def evolve_recorded(row: BookingRow | None, recorded: Sequence[Recorded]) -> BookingRow:
    """
    Return the row after recorded events of its booking; those that it contains already change nothing.

    Raises:
        OutOfOrder: an event of the booking is missing in between.

    """
    return caught_up(row, recorded, _step)


def _step(row: BookingRow | None, one: Recorded) -> BookingRow:
    return replace(_begin_or_go_on(row, one), version=one.version, updated_at=one.event.at)


def _begin_or_go_on(row: BookingRow | None, one: Recorded) -> BookingRow:
    if row is not None:
        return evolve(row, one.event)
    match one.event:
        case e.BookingInitiated():
            return begin(one.stream_id, one.event)
        case CompositeInitiated():
            return _begun(one.stream_id, one.event)
        case _:
            raise OutOfOrder(stream_id=one.stream_id, expected=1, found=one.version)


def begin(booking_id: UUID, event: e.BookingInitiated) -> BookingRow:
    """Return the row of a booking that was just asked for."""
    service = event.service
    return replace(
        _asked_for(booking_id, event, company_id=service.company_id, service_id=service.service_id),
        staff_id=event.staff_id,
        undecided=True,
    )


def _begun(booking_id: UUID, event: CompositeInitiated) -> BookingRow:
    """Return the row of a composite of whose legs nothing is known yet; its service is the first one's."""
    return _asked_for(booking_id, event, company_id=event.company_id, service_id=event.services[0])


def _asked_for(
    booking_id: UUID, event: e.BookingInitiated | CompositeInitiated, *, company_id: str, service_id: str
) -> BookingRow:
    return BookingRow(
        booking_id=booking_id,
        company_id=company_id,
        status=BookingStatus.PENDING.value,
        service_id=service_id,
        customer_id=event.customer_id,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        time_zone=event.time_zone,
        source=event.source,
        staff_id=None,
        calcom_booking_uid=None,
        appointment_id=None,
        failure_reason=None,
        failure_detail=None,
        idempotency_key=event.idempotency_key,
        correlation_id=event.correlation_id,
        resilience_strategy=None,
        version=1,
        created_at=event.at,
        updated_at=event.at,
    )


def _after_leg(row: BookingRow, event: LegEvent) -> BookingRow:
    if isinstance(event.event, e.BookingInitiated):
        return of_legs(row, (*row.legs, begin(row.booking_id, event.event)))
    legs = list(row.legs)
    before = legs[event.leg - 1]
    after = evolve(before, event.event)
    legs[event.leg - 1] = replace(after, version=before.version + 1, updated_at=event.at)
    return of_legs(row, legs)


def evolve(row: BookingRow, event: LogEvent) -> BookingRow:
    """Return the row after one more event, but for its version and time."""
    after = _evolved(row, event)
    return replace(after, undecided=False) if isinstance(event, _DECISIONS) and after.undecided else after


def _evolved(row: BookingRow, event: LogEvent) -> BookingRow:
    if isinstance(event, OtherEvent):
        return row
    match event:
        case LegEvent():
            return _after_leg(row, event)
        case e.CalcomBookingAttempted() | e.CalcomCancelAttempted() | m.CalcomRescheduleAttempted():
            return _retried(row) if event.number > 1 else row
        case e.CalcomOutcomeUnknown() | e.AppointmentPersistenceFailed():
            return _retried(row)
        case e.BookingDeferred():
            return _deferred(row, event)
        case e.CalcomBookingCreated() if row.calcom_booking_uid is None and row.undecided:
            return replace(row, calcom_booking_uid=event.uid, starts_at=event.starts_at, ends_at=event.ends_at)
        case e.CalcomBookingFound():
            return replace(row, calcom_booking_uid=event.uid, starts_at=event.starts_at, ends_at=event.ends_at)
        case m.BookingRescheduled():
            there = replace(row, starts_at=event.starts_at, ends_at=event.ends_at)
            return _moved(there, BookingStatus.BOOKED) if row.status == BookingStatus.RESCHEDULING else there
        case m.RescheduleRequested():
            return _moved(row, BookingStatus.RESCHEDULING)
        case m.CalcomBookingMoved():
            there = replace(row, calcom_booking_uid=event.to_uid) if row.calcom_booking_uid == event.from_uid else row
            return _moved(there, BookingStatus.RESCHEDULING) if row.status == BookingStatus.BOOKED else there
        case m.RescheduleFailed():
            return _moved(row, BookingStatus.BOOKED) if row.status == BookingStatus.RESCHEDULING else row
        case e.CalcomBookingFollowed() if row.calcom_booking_uid == event.from_uid:
            return replace(row, calcom_booking_uid=event.to_uid)
        case e.AppointmentBooked():
            booked = _ended(row, BookingStatus.BOOKED, event)
            return replace(
                booked, appointment_id=event.appointment_id, starts_at=event.starts_at, ends_at=event.ends_at
            )
        case e.CompensationStarted():
            return _blamed(_moved(row, BookingStatus.COMPENSATING), event)
        case e.CancellationRequested():
            wanted = row.status in {BookingStatus.PENDING, BookingStatus.BOOKED, BookingStatus.RESCHEDULING}
            return _moved(row, BookingStatus.CANCELLING) if wanted else row
        case e.BookingFailed():
            return _blamed(_ended(row, BookingStatus.FAILED, event), event)
        case e.BookingCancelled():
            return _ended(row, BookingStatus.CANCELLED, event)
        case f.ManualReviewAnswered():
            return replace(
                row,
                status=event.status_after,
                failure_reason=event.reason_after,
                failure_detail=event.detail_after,
            )
        case f.ManualReviewRequested():
            return _blamed(_moved(row, BookingStatus.NEEDS_REVIEW), event)
        case (
            e.BookingInitiated()
            | e.CalcomBookingNotSent()
            | e.CalcomLooked()
            | e.CalcomAttemptAbsent()
            | e.CalcomBookingCreated()
            | e.CalcomBookingRefused()
            | e.CalcomBookingFollowed()
            | e.ObstacleInspected()
            | e.CalcomBookingCancelled()
            | e.CompensationFailed()
            | CalcomCancelDeferred()
            | f.InconsistencyDetected()
            | f.InconsistencyResolved()
            | f.CalcomSyncRequired()
            | m.CalcomRescheduleNotSent()
            | m.CalcomRescheduleDeferred()
            | m.CalcomRescheduleUnknown()
            | m.CalcomRescheduleLooked()
            | m.CalcomRescheduleAbsent()
            | m.CalcomRescheduleRefused()
            | CompositeInitiated()
        ):
            return row
        case _:
            assert_never(event)


def _ended(
    row: BookingRow, status: BookingStatus, event: e.AppointmentBooked | e.BookingFailed | e.BookingCancelled
) -> BookingRow:
    if event.settles_review:
        return replace(row, status=status.value, failure_reason=None, failure_detail=None)
    return _moved(row, status)


def _moved(row: BookingRow, status: BookingStatus) -> BookingRow:
    # Whatever still happens, a booking that waits for a person goes on waiting.
    return row if row.status == BookingStatus.NEEDS_REVIEW else replace(row, status=status.value)


def _blamed(row: BookingRow, event: e.CompensationStarted | e.BookingFailed | f.ManualReviewRequested) -> BookingRow:
    if row.status == BookingStatus.NEEDS_REVIEW and not isinstance(event, f.ManualReviewRequested):
        return row
    return replace(row, failure_reason=event.reason, failure_detail=event.detail)


def _deferred(row: BookingRow, event: e.BookingDeferred) -> BookingRow:
    by_breaker = event.reason == "breaker_open" or row.resilience_strategy == "circuit_breaker"
    return replace(row, resilience_strategy="circuit_breaker" if by_breaker else "degradation")


def _retried(row: BookingRow) -> BookingRow:
    return replace(row, resilience_strategy=row.resilience_strategy or "retry")
