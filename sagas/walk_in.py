"""
Bookings that people make at Cal.com without us: taken in as appointments, and never changed there.

What carries our metadata, but an attempt that the log does not know, is a forgery, a
restored backup, or a second installation on the account. It holds its time like any
other, is flagged, and is never mended by itself.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from domain import events as e
from domain import findings as f
from domain.booking import Booking, appointment_id_of, initial_state
from domain.events import BookingEvent
from domain.evolving import fold
from domain.idempotency import NAMESPACE, customer_id_for
from domain.person import Person, parse_email, parse_phone
from domain.service import Service
from sagas import outcomes as o
from sagas.appending import Append, Appended, Instead, NothingDue, Refusal
from sagas.converged import Converged
from sagas.ports import Clock, Ids, Log, Services
from sagas.rows import appointment_of, customer_of

SOURCE = "calcom"
NOBODY = "Booked at Cal.com"


class WalkIns:
    """Takes in what stands at Cal.com and belongs to no booking of ours."""

    def __init__(self, *, log: Log, services: Services, clock: Clock, ids: Ids) -> None:
        self._log = log
        self._services = services
        self._clock = clock
        self._ids = ids

    async def take_in(
        self, company_id: str, seen: o.Standing, *, webhook_id: UUID | None = None, finding: bool = False
    ) -> Converged | None:
        """
        Write the appointment; None if somebody else has just done so.

        `finding` says that nobody has told us of it: it is then found, and what mends that is the appointment.
        """
        service = None
        if seen.event_type_id is not None:
            service = await self._services.booked_as(company_id=company_id, event_type_id=seen.event_type_id)
        if service is None:
            return Converged(outcome="ignored", detail="no service of ours books this event type")
        booking_id = walk_in_id(company_id, seen.uid)
        overlaps = False
        while True:
            now = self._clock.now()
            flags = _flags(seen, overlaps=overlaps, now=now)
            events = _events(booking_id, service, seen, webhook_id=webhook_id, overlaps=overlaps, now=now)
            events = _as_found(events, seen.uid, now=now) if finding and not flags else (*events, *flags)
            match await self._log.append(self._append(booking_id, events, append_id=self._ids.attempt_id())):
                case Appended(refusal=None):
                    return Converged(outcome="flagged" if flags else "imported", booking_id=booking_id)
                case Appended(refusal=Refusal(by="staff_overlap")) if not overlaps:
                    overlaps = True
                case _:
                    return None

    def _append(self, booking_id: UUID, events: tuple[BookingEvent, ...], *, append_id: str) -> Append:
        before, booked = _until_booked(booking_id, events)

        def for_customer(customer_id: UUID) -> Append:
            known = replace(before.facts, customer_id=customer_id)
            return self._append(booking_id, (known, *events[1:]), append_id=append_id)

        return Append(
            stream_id=booking_id,
            expected_version=0,
            append_id=append_id,
            correlation_id=before.facts.correlation_id,
            recorded_at=self._clock.now(),
            events=events,
            due=NothingDue(),
            customer=customer_of(before.facts),
            appointment=appointment_of(before, booked),
            on_refused=lambda _: Instead(events=(), due=NothingDue()),
            for_customer=for_customer,
        )


def walk_in_id(company_id: str, uid: str) -> UUID:
    """Return the id of the booking that stands for a uid which somebody else has made."""
    return uuid5(NAMESPACE, f"calcom {company_id} {uid}")


def _events(
    booking_id: UUID,
    service: Service,
    seen: o.Standing,
    *,
    webhook_id: UUID | None,
    overlaps: bool,
    now: datetime,
) -> tuple[BookingEvent, ...]:
    person = _person(seen.attendee)
    initiated = e.BookingInitiated(
        at=now,
        service=service,
        customer_id=customer_id_for(service.company_id, person.identity),
        person=person,
        starts_at=seen.starts_at,
        ends_at=seen.ends_at,
        time_zone="UTC" if seen.attendee is None else seen.attendee.time_zone,
        source=SOURCE,
        staff_id=service.staff_id,
        call_id=None,
        confidence=None,
        allow_near_duplicate=True,
        idempotency_key=f"calcom:{seen.uid}",
        key_given=True,
        generation=0,
        fingerprint="",
        valid_until=seen.ends_at,
        correlation_id=booking_id.hex,
        policy_version="",
    )
    there = e.CalcomBookingFound(
        at=now,
        uid=seen.uid,
        calcom_status=seen.calcom_status,
        starts_at=seen.starts_at,
        ends_at=seen.ends_at,
        webhook_id=None if webhook_id is None else str(webhook_id),
    )
    booked = e.AppointmentBooked(
        at=now,
        appointment_id=appointment_id_of(booking_id),
        calcom_uid=seen.uid,
        starts_at=seen.starts_at,
        ends_at=seen.ends_at,
        overlaps=overlaps,
    )
    return (initiated, there, booked)


def _as_found(events: tuple[BookingEvent, ...], uid: str, *, now: datetime) -> tuple[BookingEvent, ...]:
    """Return the events with what they are about: it was missing here, and is not any more."""
    evidence = "made at Cal.com, and not known here when both sides were compared"
    found = f.InconsistencyDetected(at=now, kind="foreign_booking", uid=uid, evidence=evidence, repair="adopt")
    mended = f.InconsistencyResolved(at=now, kind="foreign_booking", uid=uid, how="adopt", actor="calsaga")
    initiated, *others = events
    return (initiated, found, *others, mended)


def _flags(seen: o.Standing, *, overlaps: bool, now: datetime) -> tuple[f.InconsistencyDetected, ...]:
    evidence = []
    if seen.attempt_id is not None or seen.booking_id is not None:
        evidence.append("it carries metadata of calsaga's, and is none of the bookings that this log knows")
    if overlaps:
        evidence.append("it stands at a time when the member of staff has another appointment")
    if not evidence:
        return ()
    told = "; ".join(evidence)
    return (
        f.InconsistencyDetected(at=now, kind="foreign_booking", uid=seen.uid, evidence=told, repair="manual_review"),
    )


def _until_booked(booking_id: UUID, events: tuple[BookingEvent, ...]) -> tuple[Booking, e.AppointmentBooked]:
    for place, event in enumerate(events):
        if isinstance(event, e.AppointmentBooked):
            return fold(initial_state(booking_id), events[:place]), event
    raise ValueError("what is taken in is an appointment")


def _person(attendee: o.Attendee | None) -> Person:
    if attendee is None:
        return Person(name=NOBODY)
    return Person(
        name=" ".join(attendee.name.split()) or NOBODY,
        email=_parsed(parse_email, attendee.email),
        phone=_parsed(parse_phone, attendee.phone),
    )


def _parsed(parse: Callable[[str], str], text: str | None) -> str | None:
    # What Cal.com takes for an address need not be one for us; the appointment stands all the same.
    try:
        return None if text is None else parse(text)
    except ValueError:
        return None
