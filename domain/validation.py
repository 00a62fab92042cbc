"""
The validation service: a wish becomes a request, or every wrong field is named.

All problems are reported at once, so that a caller mends them in one go.
"""

import json
import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from domain.commands import RequestBooking
from domain.confidence import DEFAULT_RULE, VoiceRule
from domain.errors import CustomerValidationError, FieldError
from domain.idempotency import KEY_LIMIT
from domain.offer import Offer
from domain.period import utc
from domain.person import Person, parse_email, parse_phone
from domain.text import holds_control, identifier_problem, text_problem
from domain.wish import BookAppointment

NAME_LIMIT = 200
NOTES_LIMIT = 2000
REASON_LIMIT = 500
SOURCE_LIMIT = 50
METADATA_LIMIT = 16 * 1024
LONGEST_AHEAD = timedelta(days=3 * 366)


class _Problems:
    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def add(self, field: str, problem: str | None) -> None:
        if problem is not None:
            self.found.append(FieldError(field, problem))

    def parsed(self, field: str, parse: Callable[[str], str], value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return parse(value)
        except ValueError as problem:
            self.add(field, str(problem))
            return None


def validate(
    wish: BookAppointment,
    offer: Offer,
    *,
    now: datetime | None,
    voice: VoiceRule = DEFAULT_RULE,
    team: Sequence[Offer] = (),
) -> RequestBooking:
    """
    Return the request that a wish amounts to; if there is a `team`, the start has to suit one of it.

    Without `now` only its form is checked: a repeat of a wish that was taken once may
    be as old as it likes, and the rules may have changed since.

    Raises:
        CustomerValidationError: with every field that is wrong; nothing has been stored.

    """
    problems = _Problems()
    person = _person(wish, problems)
    starts_at = _starts_at(wish, problems)
    if starts_at is not None and now is not None:
        zone = wish.time_zone
        if not any(start_problem(starts_at, one, time_zone=zone, now=now) is None for one in team):
            problems.add("starts_at", start_problem(starts_at, offer, time_zone=zone, now=now))
    _check_rest(wish, problems)
    problems.add("confidence", _confidence_problem(wish, None if now is None else voice))
    if problems.found or starts_at is None:
        raise CustomerValidationError(tuple(problems.found), correlation_id=wish.correlation_id)
    return RequestBooking(
        service=offer.service,
        person=person,
        starts_at=starts_at,
        time_zone=wish.time_zone,
        source=wish.source,
        staff_id=wish.staff_id,
        staff_group=wish.staff_group,
        call_id=wish.call_id,
        confidence=None if wish.confidence is None else abs(float(wish.confidence)),
        allow_near_duplicate=wish.allow_near_duplicate,
        idempotency_key=wish.idempotency_key,
        correlation_id=wish.correlation_id,
    )


def _person(wish: BookAppointment, problems: _Problems) -> Person:
    customer = wish.customer
    problems.add("customer.name", text_problem(customer.name, at_most=NAME_LIMIT))
    if customer.email is None and customer.phone is None:
        problems.add("customer", "needs an email or a phone")
    if wish.notes is not None and wish.notes:
        problems.add("notes", text_problem(wish.notes, at_most=NOTES_LIMIT, lines=True))
    return Person(
        name=" ".join(customer.name.split()),
        email=problems.parsed("customer.email", parse_email, customer.email),
        phone=problems.parsed("customer.phone", parse_phone, customer.phone),
        notes=wish.notes or None,
        metadata=_metadata(wish, problems),
    )


def _metadata(wish: BookAppointment, problems: _Problems) -> str | None:
    if not wish.metadata:
        return None
    try:
        text = json.dumps(wish.metadata, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
        unsafe = _holds_control(wish.metadata)
    except (TypeError, ValueError, RecursionError):
        problems.add("metadata", "must be a JSON object")
        return None
    if len(text) > METADATA_LIMIT:
        problems.add("metadata", f"must be at most {METADATA_LIMIT} bytes as JSON")
    if unsafe:
        problems.add("metadata", "must not contain control characters")
    return text


def _holds_control(value: object) -> bool:
    match value:
        case str():
            return holds_control(value, lines=True)
        case dict():
            return any(holds_control(str(key)) or _holds_control(one) for key, one in value.items())
        case list() | tuple():
            return any(map(_holds_control, value))
        case _:
            return False


def cancellation_problem(reason: str) -> str | None:
    """Say what is wrong with the reason of a cancellation, or None."""
    return text_problem(reason, at_most=REASON_LIMIT, lines=True)


def validate_move(starts_at: datetime, reason: str, offer: Offer, *, time_zone: str, now: datetime) -> datetime:
    """
    Return the new start of a booking whose customer reads `time_zone`, UTC.

    Raises:
        CustomerValidationError: it cannot be one, or the reason cannot be stored.

    """
    problems = _Problems()
    if reason:
        problems.add("reason", text_problem(reason, at_most=REASON_LIMIT, lines=True))
    if starts_at.utcoffset() is None:
        problems.add("starts_at", "must have an offset, such as 2027-03-02T10:00:00+01:00")
        raise CustomerValidationError(tuple(problems.found))
    try:
        moment = utc(starts_at)
    except OverflowError:
        problems.add("starts_at", "is out of range")
        raise CustomerValidationError(tuple(problems.found)) from None
    problems.add("starts_at", start_problem(moment, offer, time_zone=time_zone, now=now))
    if problems.found:
        raise CustomerValidationError(tuple(problems.found))
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def start_problem(starts_at: datetime, offer: Offer, *, time_zone: str, now: datetime) -> str | None:
    """Say why an offer cannot be booked for a start, UTC, of somebody who reads `time_zone`; None if it can."""
    return _time_problem(starts_at, offer, now) or _hours_problem(starts_at, offer, time_zone)


def is_time_zone(name: str) -> bool:
    """Tell whether there is such an IANA time zone."""
    return name in _zones()


def zone_named(name: str) -> ZoneInfo | None:
    """Return the IANA time zone of this name, or None."""
    # Looked up by name first: ZoneInfo would take a path, and the cache must not grow with bad input.
    return _loaded(name) if is_time_zone(name) else None


def _time_problem(starts_at: datetime, offer: Offer, now: datetime) -> str | None:
    notice_minutes = offer.service.notice_minutes
    if starts_at <= now:
        return "must be in the future"
    if starts_at - timedelta(minutes=notice_minutes) <= now:
        return f"is too soon: the service needs {notice_minutes} minutes' notice"
    return f"must be at most {LONGEST_AHEAD.days} days ahead" if starts_at > now + LONGEST_AHEAD else None


def _hours_problem(starts_at: datetime, offer: Offer, time_zone: str) -> str | None:
    name = offer.service.time_zone or time_zone
    zone = zone_named(name)
    if offer.opening_hours is None or zone is None:
        return None
    closed = offer.opening_hours.first_closed(starts_at, starts_at + offer.service.duration, zone=zone)
    if closed is None:
        return None
    return f"is outside the opening hours; those of {offer.opening_hours.on(closed)} ({name})"


def _starts_at(wish: BookAppointment, problems: _Problems) -> datetime | None:
    zone = zone_named(wish.time_zone)
    if zone is None:
        problems.add("time_zone", "must be an IANA time zone such as Europe/Berlin")
    if wish.starts_at.utcoffset() is None:
        problems.add("starts_at", "must have an offset, such as 2027-03-02T10:00:00+01:00")
        return None
    try:
        starts_at = utc(wish.starts_at)
        there = None if zone is None else starts_at.astimezone(zone)
    except OverflowError:
        problems.add("starts_at", "is out of range")
        return None
    if there is not None and there.utcoffset() != wish.starts_at.utcoffset():
        problems.add(
            "starts_at",
            f"has an offset that {wish.time_zone} does not have then; {there.isoformat()} is the same instant",
        )
    # Cal.com keeps milliseconds; what it answers must be comparable with what was asked for.
    return starts_at.replace(microsecond=starts_at.microsecond // 1000 * 1000)


def _check_rest(wish: BookAppointment, problems: _Problems) -> None:
    problems.add("source", identifier_problem(wish.source, at_most=SOURCE_LIMIT))
    if wish.staff_id is not None:
        problems.add("staff_id", identifier_problem(wish.staff_id))
    if wish.staff_group is not None:
        problems.add("staff_group", identifier_problem(wish.staff_group))
    if wish.call_id is not None:
        problems.add("call_id", text_problem(wish.call_id, at_most=NAME_LIMIT))
    if wish.idempotency_key is not None:
        problems.add("Idempotency-Key", text_problem(wish.idempotency_key, at_most=KEY_LIMIT))
    if wish.correlation_id:
        problems.add("correlation_id", text_problem(wish.correlation_id, at_most=NAME_LIMIT))


def _confidence_problem(wish: BookAppointment, voice: VoiceRule | None) -> str | None:
    confidence = wish.confidence
    if confidence is not None and not (math.isfinite(confidence) and 0 <= confidence <= 1):
        return "must be a number from 0 to 1"
    return None if voice is None else voice.problem(wish.source, confidence)


@cache
def _zones() -> frozenset[str]:
    # These two stand in the same folder, and mean another zone on another machine, or none.
    return frozenset(available_timezones() - {"localtime", "Factory"})


@cache
def _loaded(name: str) -> ZoneInfo:
    return ZoneInfo(name)
