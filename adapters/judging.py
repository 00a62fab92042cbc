"""
Comparing what the database holds about a booking with what its stream says: pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from adapters.evidence import Evidence
from adapters.recording.codec import EventCodec
from adapters.recording.errors import UnreadableEvent
from domain import events as e
from domain.booking import Booking, evolve, fold, initial_state
from domain.policy import Policy
from projections.bookings import summary
from sagas.appending import InsertAppointment, SlotClaim, only_booking_events
from sagas.next_step import next_step
from sagas.rows import appointment_of, claim_of
from sagas.steps import Done

NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as the log says; `booking_id` is None if it is not about one booking."""

    booking_id: UUID | None
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.booking_id or '-'}  {self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """A stream, folded; `insert` is the appointment that its pivot wrote, `listed` what the list had seen of it."""

    booking: Booking
    listed: Booking
    insert: InsertAppointment | None
    has_ended: bool
    ended_open: bool


def differences(one: Evidence, *, codec: EventCodec, policy: Policy, now: datetime) -> list[Difference]:
    """Return everything about a booking that contradicts its stream."""
    if not one.events:
        return list(_strays(one))
    try:
        events = [codec.decode(row.topic, row.state).event for row in one.events]
    except UnreadableEvent as problem:
        return [_difference(one, "event", "readable", str(problem))]
    versions = [row.version for row in one.events]
    if versions != list(range(1, len(versions) + 1)):
        return [_difference(one, "stream versions", f"1 to {len(versions)}", ", ".join(map(str, versions)))]
    if not isinstance(events[0], e.BookingInitiated):
        return [_difference(one, "stream", f"begins with {e.BookingInitiated.TOPIC}", events[0].TOPIC)]
    story = _fold(one, list(only_booking_events(events)))
    return [
        *_about_ledger(one, story),
        *_about_appointment(one, story),
        *_about_claim(one, story),
        *_about_due(one, story, next_step(story.booking, now, policy) == Done()),
        *_about_list(one, story),
    ]


def _strays(one: Evidence) -> Iterator[Difference]:
    rows = {"appointment": one.appointment, "claim": one.claim, "due work": one.due, "list of bookings": one.listed}
    for what, row in rows.items():
        if row is not None:
            yield _difference(one, what, NOTHING, "a row without a stream")


def _fold(one: Evidence, events: Sequence[e.BookingEvent]) -> _Story:
    booking = initial_state(one.booking_id)
    insert: InsertAppointment | None = None
    has_ended = ended_open = False
    for event in events:
        if isinstance(event, e.AppointmentBooked):
            insert = appointment_of(booking, event)
        booking = evolve(booking, event)
        if isinstance(event, e.AppointmentBooked | e.BookingFailed | e.BookingCancelled):
            has_ended = True
            ended_open = ended_open or bool(booking.ledger.open)
    seen = sum(row.position <= one.listed_until for row in one.events)
    listed = booking if seen == len(events) else fold(initial_state(one.booking_id), events[:seen])
    return _Story(booking=booking, listed=listed, insert=insert, has_ended=has_ended, ended_open=ended_open)


def _about_ledger(one: Evidence, story: _Story) -> Iterator[Difference]:
    if story.ended_open:
        yield _difference(one, "ledger", "settled when the saga ended", "an open line")


def _about_appointment(one: Evidence, story: _Story) -> Iterator[Difference]:
    if story.insert is None:
        if one.appointment is not None:
            yield _difference(one, "appointment", NOTHING, f"a row that is {one.appointment.status}")
        return
    status = "booked" if story.booking.appointment_live else "cancelled"
    if one.appointment is None:
        yield _difference(one, "appointment", f"a row that is {status}", NOTHING)
        return
    expected = asdict(story.insert) | {"id": story.insert.appointment_id, "status": status}
    del expected["appointment_id"]
    yield from _unequal(one, "appointment", expected, one.appointment)


def _about_claim(one: Evidence, story: _Story) -> Iterator[Difference]:
    claim: SlotClaim | None = None if story.has_ended else claim_of(story.booking.facts)
    if claim is None and one.claim is not None:
        yield _difference(one, "claim", NOTHING, "a row, though the booking has ended")
    elif claim is not None and one.claim is None:
        yield _difference(one, "claim", "a row, as the booking is under way", NOTHING)
    elif claim is not None and one.claim is not None:
        yield from _unequal(one, "claim", asdict(claim), one.claim)


def _about_due(one: Evidence, story: _Story, done: bool) -> Iterator[Difference]:  # noqa: FBT001 - a fact, no switch
    if done and one.due is not None:
        yield _difference(one, "due work", NOTHING, "a row, though the saga owes nothing")
    if not done and one.due is None:
        yield _difference(one, "due work", f"a row, as the saga is {story.booking.status.value}", NOTHING)


def _about_list(one: Evidence, story: _Story) -> Iterator[Difference]:
    if one.parked is not None:
        yield _difference(one, "list of bookings", "applied", f"parked ({one.parked})")
        return
    expected = asdict(summary(story.listed)) if story.listed.version else None
    found = None if one.listed is None else asdict(one.listed)
    if (expected is None) != (found is None):
        yield _difference(one, "list of bookings", *("a row" if it else NOTHING for it in (expected, found)))
    elif expected is not None and found is not None:
        for name, value in expected.items():
            if value != found[name]:
                yield _difference(one, f"list of bookings, {name}", str(value), str(found[name]))


def _unequal(one: Evidence, what: str, expected: dict[str, Any], found: Row[Any]) -> Iterator[Difference]:
    for name, value in expected.items():
        if value != getattr(found, name):
            yield _difference(one, f"{what}, {name}", str(value), str(getattr(found, name)))


def _difference(one: Evidence, what: str, expected: str, found: str) -> Difference:
    return Difference(booking_id=one.booking_id, what=what, expected=expected, found=found)
