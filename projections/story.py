"""
The whole story of one booking (M27): what happened, where it stands, what its ledger says.

Everything here is a pure function of the booking's stream, and shows nobody's name.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.booking import Booking, initial_state
from domain.composite import CompositeInitiated, LegEvent
from domain.events import BookingEvent
from domain.evolving import fold
from domain.person import Person, Remark
from domain.service import Service
from projections.ledger_story import LedgerLine, ledger_lines
from projections.masking import masker
from sagas.appending import LogEvent, Recorded, booking_events

Facts = dict[str, str]
# When it happened stands beside it, and a digest tells a reader nothing.
_UNTOLD = frozenset({"at", "fingerprint"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One event: when it was decided, its version, its stored name, and the facts that tell something."""

    at: datetime
    version: int
    name: str
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A booking at `version`: its events so far, its state in words, its effect ledger."""

    booking_id: UUID
    version: int
    status: str
    state: Facts
    events: tuple[EventLine, ...]
    ledger: tuple[LedgerLine, ...]


def until(
    recorded: Sequence[Recorded], *, as_of: datetime | None = None, at_version: int | None = None
) -> tuple[Recorded, ...]:
    """
    Return the beginning of a stream: what the log held at an instant, or up to a version.

    Raises:
        ValueError: the instant has no offset, or the stream has no such version.

    """
    held = tuple(recorded)
    if as_of is not None:
        if as_of.utcoffset() is None:
            raise ValueError("an instant needs an offset, such as 2026-11-22T10:00:00+01:00")
        # Clocks of two machines differ, so an event may bear a later time than the one after it.
        later = (place for place, one in enumerate(held) if one.recorded_at > as_of)
        held = held[: next(later, len(held))]
    if at_version is not None:
        if not 1 <= at_version <= len(recorded):
            raise ValueError(f"the booking has the versions 1 to {len(recorded)}")
        held = held[:at_version]
    return held


def story(recorded: Sequence[Recorded], *, as_of: datetime | None = None, at_version: int | None = None) -> Story:
    """
    Return the story that a stream tells, up to an instant or a version if one is given.

    Raises:
        LookupError: nothing had happened yet.
        ValueError: the instant has no offset, or the stream has no such version.

    """
    held = until(recorded, as_of=as_of, at_version=at_version)
    if not held:
        raise LookupError("nothing had happened to this booking yet")
    mask = masker(held)
    booking = fold(initial_state(held[0].stream_id), booking_events(held))
    return Story(
        booking_id=booking.booking_id,
        version=booking.version,
        status=booking.status.value,
        state=_state(booking, mask),
        events=tuple(
            EventLine(at=one.event.at, version=one.version, name=name_of(one.event), facts=telling(one.event, mask))
            for one in held
        ),
        ledger=ledger_lines(booking, list(_happened(held)), mask),
    )


def name_of(event: LogEvent) -> str:
    """Return an event's stored name; that of a leg's event is the name of what happened to the leg."""
    return event.event.TOPIC if isinstance(event, LegEvent) else event.TOPIC


def telling(event: LogEvent, mask: Callable[[str], str]) -> Facts:
    """Return an event's facts as text, without those that are empty, and without the person."""
    if isinstance(event, LegEvent):
        return {"leg": str(event.leg)} | telling(event.event, mask)
    facts: Facts = {}
    for field in fields(event):
        value = getattr(event, field.name)
        if field.name not in _UNTOLD and value not in (None, "", (), False):
            facts[field.name] = mask(_text(value))
    return facts


def as_json(thing: object) -> Any:  # noqa: ANN401 - what JSON can hold has no better name
    """Return a story, or a part of one, as JSON's own types."""
    if is_dataclass(thing):
        return {field.name: as_json(getattr(thing, field.name)) for field in fields(thing)}
    if isinstance(thing, dict):
        return {key: as_json(value) for key, value in thing.items()}
    if isinstance(thing, tuple | list):
        return [as_json(value) for value in thing]
    return _text(thing) if isinstance(thing, datetime | UUID) else thing


def _happened(recorded: Iterable[Recorded]) -> Iterator[BookingEvent]:
    """Return what happened to a booking, or to the legs of a composite."""
    for event in booking_events(recorded):
        if not isinstance(event, CompositeInitiated):
            yield event.event if isinstance(event, LegEvent) else event


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Person | Remark):
        given = (field.name for field in fields(value) if getattr(value, field.name) is not None)
        return f"({', '.join(given)})"
    if isinstance(value, Service):
        return (
            f"{value.service_id} ({value.name}, {value.duration_minutes} min, event type {value.calcom_event_type_id})"
        )
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _state(booking: Booking, mask: Callable[[str], str]) -> Facts:
    if booking.initiated is None:
        return {"status": booking.status.value}
    facts = booking.facts
    failure = booking.review or booking.failure or booking.undoing
    known: Iterable[tuple[str, object]] = (
        ("status", booking.status.value),
        ("goal", booking.goal.value),
        ("company_id", facts.service.company_id),
        ("service", facts.service),
        ("customer_id", facts.customer_id),
        ("staff_id", facts.staff_id),
        ("legs", tuple(_leg(leg) for leg in booking.legs if leg.initiated is not None)),
        ("starts_at", booking.starts_at),
        ("ends_at", booking.ends_at),
        ("time_zone", facts.time_zone),
        ("source", facts.source),
        ("valid_until", facts.valid_until),
        ("idempotency_key", facts.idempotency_key),
        ("correlation_id", facts.correlation_id),
        ("calcom_booking_uid", booking.kept_uid),
        ("appointment_id", booking.appointment_id),
        ("failure", None if failure is None else f"{failure.reason}: {failure.detail}".removesuffix(": ")),
        ("obstacle", None if booking.obstacle is None else booking.obstacle.appointment_id),
        ("retry_at", booking.retry_at),
        ("resilience_strategy", booking.resilience_strategy),
        ("policy_version", facts.policy_version),
        ("updated_at", booking.updated_at),
    )
    return {name: mask(_text(value)) for name, value in known if value not in (None, "", ())}


def _leg(leg: Booking) -> str:
    return f"{leg.leg} {leg.facts.service.service_id} {leg.status.value} {leg.kept_uid or ''}".rstrip()
