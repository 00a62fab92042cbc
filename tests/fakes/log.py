"""
The log in memory, with everything that stands in its transaction: claims, appointments, customers, due work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from domain.booking import Booking, initial_state
from domain.composite import CompositeInitiated, LegEvent, SagaEvent
from domain.errors import AppointmentDatabaseError, DatabaseKind
from domain.events import BookingEvent
from domain.evolving import fold
from domain.webhook import Webhook, fold_webhook
from sagas.appending import (
    Append,
    Appended,
    AppendResult,
    CancelAppointment,
    Customer,
    InsertAppointment,
    LegRows,
    LogEvent,
    Lost,
    MoveAppointment,
    OtherEvent,
    Recorded,
    Refusal,
    SlotClaim,
    booking_events,
    webhook_events,
)
from sagas.rows import moved
from tests.fakes.agenda import FakeAgenda
from tests.fakes.customers import meant
from tests.fakes.rows import AppointmentRow, near, overlap, refused_by_row

DatabaseFate: TypeAlias = Literal["works", "fails_before", "fails_after", "rejects_before", "rejects_after"]
"""`fails` can be tried again, `rejects` cannot; `after` means that it is written and nobody is told."""


class FakeLog:
    """
    Streams, claims and appointments under the rules of the real database.

    `fates` says how the next appends go, `read_fates` how the next reads go; both work once those are used up.
    `watch` is called after every append that wrote events.
    """

    def __init__(self, agenda: FakeAgenda, *, services: Sequence[str] | None = None) -> None:
        self.agenda = agenda
        self.services = services
        self.streams: dict[UUID, list[Recorded]] = {}
        self.claims: dict[tuple[UUID, int], SlotClaim] = {}
        self.appointments: dict[UUID, AppointmentRow] = {}
        self.customers: dict[UUID, Customer] = {}
        self.fates: deque[DatabaseFate] = deque()
        self.read_fates: deque[DatabaseFate] = deque()
        self.tells_refusal_again = True
        self.commits = 0
        self.watch: Callable[[Append, AppendResult], None] = lambda _append, _result: None
        self._refusals: dict[str, Refusal | None] = {}
        self._position = 0

    async def append(self, append: Append) -> AppendResult:
        fate = self.fates.popleft() if self.fates else "works"
        if fate.endswith("before"):
            raise _failure(fate, append.stream_id)
        result = self._transact(append)
        self.commits += 1
        self.watch(append, result)
        if fate.endswith("after"):
            raise _failure(fate, append.stream_id)
        return result

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        fate = self.read_fates.popleft() if self.read_fates else "works"
        if fate != "works":
            raise _failure(fate, stream_id)
        return tuple(self.streams.get(stream_id, ()))

    def events(self, stream_id: UUID) -> tuple[BookingEvent, ...]:
        """
        Return what happened to an ordinary booking.
        """
        return tuple(one for one in self.all_events(stream_id) if not isinstance(one, CompositeInitiated | LegEvent))

    def all_events(self, stream_id: UUID) -> tuple[SagaEvent, ...]:
        return tuple(booking_events(self.streams.get(stream_id, ())))

    def leg_events(self, stream_id: UUID, leg: int) -> tuple[BookingEvent, ...]:
        legs = (one for one in self.all_events(stream_id) if isinstance(one, LegEvent))
        return tuple(one.event for one in legs if one.leg == leg)

    def booking_ids(self) -> list[UUID]:
        """
        Return the streams that are bookings, in the order in which they began.
        """
        return [stream_id for stream_id, (first, *_) in self.streams.items() if not isinstance(first.event, OtherEvent)]

    def booking(self, stream_id: UUID) -> Booking:
        return fold(initial_state(stream_id), self.all_events(stream_id))

    def webhook(self, stream_id: UUID) -> Webhook:
        return fold_webhook(Webhook(webhook_id=stream_id), webhook_events(self.streams.get(stream_id, ())))

    def write(self, stream_id: UUID, *events: LogEvent, at: datetime | None = None) -> None:
        """
        Put events at the end of a stream, as if they had always been there.
        """
        self._write(stream_id, events, append_id="given", correlation_id="", recorded_at=at or events[0].at)

    def write_row(self, row: InsertAppointment) -> None:
        """
        Put an appointment beside the streams, as if it had always been there.
        """
        self.appointments[row.appointment_id] = AppointmentRow(inserted=row)

    def has_room_for(self, row: InsertAppointment) -> bool:
        return self._appointment_refusal(row) is None

    def _transact(self, append: Append) -> AppendResult:
        stream = self.streams.get(append.stream_id, [])
        if stream and stream[-1].append_id == append.append_id:
            # Our own commit, whose acknowledgement was lost.
            mine = tuple(one.event for one in stream if one.append_id == append.append_id)
            return Appended(events=mine, refusal=self._refusals[append.append_id] if self.tells_refusal_again else None)
        if len(stream) != append.expected_version:
            return Lost()
        other = self._met(append.customer)
        if other is not None:
            assert append.for_customer is not None, "an append that looks for a customer says what is written for them"
            append = append.for_customer(other)
        refusal, refused = self._refused(append)
        events, due, releases = append.events, append.due, append.releases_claim
        if refusal is not None:
            assert refused.on_refused is not None, "an append that can be refused says what is written then"
            instead = refused.on_refused(refusal)
            events, due, releases = instead.events, instead.due, instead.releases_claim
        else:
            self._write_rows(append)
        if releases:
            for held in [held for held in self.claims if held[0] == append.stream_id]:
                del self.claims[held]
        if append.customer is not None:
            self._learn(append.customer)
        self._refusals[append.append_id] = refusal
        if events:
            self._write(
                append.stream_id,
                events,
                append_id=append.append_id,
                correlation_id=append.correlation_id,
                recorded_at=append.recorded_at,
            )
        self.agenda.put(append.stream_id, due)
        return Appended(events=events, refusal=refusal)

    def _met(self, given: Customer | None) -> UUID | None:
        if given is None or given.found:
            return None
        ours = [one for one in self.customers.values() if one.company_id == given.company_id]
        who = meant(ours, phone=given.phone, email=given.email)
        return None if who == given.customer_id else who

    def _learn(self, given: Customer) -> None:
        known = self.customers.get(given.customer_id, given)
        self.customers[given.customer_id] = replace(
            known, email=known.email or given.email, phone=known.phone or given.phone
        )

    def _write(
        self,
        stream_id: UUID,
        events: Sequence[LogEvent],
        *,
        append_id: str,
        correlation_id: str,
        recorded_at: datetime,
    ) -> None:
        stream = self.streams.setdefault(stream_id, [])
        for event in events:
            self._position += 1
            stream.append(
                Recorded(
                    stream_id=stream_id,
                    version=len(stream) + 1,
                    event=event,
                    append_id=append_id,
                    correlation_id=correlation_id,
                    recorded_at=recorded_at,
                    position=self._position,
                )
            )

    def _write_rows(self, append: Append) -> None:
        for rows in _all_rows(append):
            self._write_row(append.stream_id, rows)

    def _write_row(self, stream_id: UUID, rows: Append | LegRows) -> None:
        if rows.claim is not None:
            self.claims[stream_id, rows.claim.leg] = rows.claim
        match rows.appointment:
            case InsertAppointment() as row:
                self.appointments[row.appointment_id] = AppointmentRow(inserted=row)
            case MoveAppointment() as move:
                there = self.appointments[move.appointment_id]
                if there.booked:
                    self.appointments[move.appointment_id] = replace(there, inserted=moved(there.inserted, move))
            case CancelAppointment(appointment_id=appointment_id):
                self.appointments[appointment_id] = replace(self.appointments[appointment_id], booked=False)
            case None:
                pass

    def _refused(self, append: Append) -> tuple[Refusal | None, Append | LegRows]:
        """
        Return the first refusal, and whose it is; rows of legs before it are in the way of those after it.
        """
        claims, appointments = dict(self.claims), dict(self.appointments)
        try:
            for rows in _all_rows(append):
                refusal = self._refusal(append.stream_id, rows)
                if refusal is not None:
                    return refusal, rows
                self._write_row(append.stream_id, rows)
        finally:
            self.claims, self.appointments = claims, appointments
        return None, append

    def _refusal(self, stream_id: UUID, rows: Append | LegRows) -> Refusal | None:
        if rows.claim is not None:
            refusal = self._claim_refusal(stream_id, rows.claim)
            if refusal is not None:
                return refusal
        if isinstance(rows.appointment, InsertAppointment):
            return self._appointment_refusal(rows.appointment)
        if isinstance(rows.appointment, MoveAppointment):
            return self._move_refusal(rows.appointment)
        return None

    def _claim_refusal(self, booking_id: UUID, claim: SlotClaim) -> Refusal | None:
        for (other_id, _), other in self.claims.items():
            if other_id != booking_id and near(claim, other):
                return Refusal(refused="claim", by="near_duplicate", booking_id=other_id)
        for row in self._booked():
            if row.booking_id != booking_id and near(claim, row):
                return refused_by_row("claim", "near_duplicate", row)
        for (other_id, _), other in self.claims.items():
            if other_id != booking_id and overlap(claim, other):
                return Refusal(refused="claim", by="staff_overlap", booking_id=other_id)
        for row in self._booked():
            if row.booking_id != booking_id and overlap(claim, row):
                return refused_by_row("claim", "staff_overlap", row)
        return None

    def _appointment_refusal(self, new: InsertAppointment) -> Refusal | None:
        if self.services is not None and new.service_id not in self.services:
            return Refusal(refused="appointment", by="unknown_service")
        for row in (one.inserted for one in self.appointments.values()):
            if row.appointment_id == new.appointment_id:
                return refused_by_row("appointment", "duplicate_appointment", row)
            if (row.company_id, row.idempotency_key) == (new.company_id, new.idempotency_key):
                return refused_by_row("appointment", "duplicate_key", row)
            if row.calcom_booking_uid == new.calcom_booking_uid:
                return refused_by_row("appointment", "duplicate_calcom_uid", row)
        return self._overlap_refusal(new)

    def _move_refusal(self, move: MoveAppointment) -> Refusal | None:
        if not self.appointments[move.appointment_id].booked:
            return None
        for row in (one.inserted for one in self.appointments.values()):
            if row.appointment_id != move.appointment_id and row.calcom_booking_uid == move.calcom_booking_uid:
                return refused_by_row("appointment", "duplicate_calcom_uid", row)
        return self._overlap_refusal(move)

    def _overlap_refusal(self, new: InsertAppointment | MoveAppointment) -> Refusal | None:
        if new.overlap_allowed:
            return None
        for row in self._booked():
            if row.appointment_id != new.appointment_id and not row.overlap_allowed and overlap(new, row):
                return refused_by_row("appointment", "staff_overlap", row)
        return None

    def _booked(self) -> list[InsertAppointment]:
        return [one.inserted for one in self.appointments.values() if one.booked]


def _all_rows(append: Append) -> tuple[Append | LegRows, ...]:
    return (append, *append.legs)


def _failure(fate: DatabaseFate, booking_id: UUID) -> AppointmentDatabaseError:
    kind: DatabaseKind = "connection_lost" if fate.startswith("fails") else "other"
    return AppointmentDatabaseError("the database failed on purpose", kind=kind, booking_id=booking_id)
