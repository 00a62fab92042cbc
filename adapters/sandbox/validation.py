"""
What a request must look like, and Cal.com's words for one that does not.

Unknown properties are refused, as Cal.com's ``whitelist`` and ``forbidNonWhitelisted`` do. The trailing blanks in the
messages are Cal.com's.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from adapters.sandbox import errors
from adapters.sandbox.bookings import Attendee

_LANGUAGE_NAMES = (
    "ar ca de es eu he id ja lv pl ro sr th vi az cs el es-419 fi hr it km nl pt ru sv tr zh-CN bg da en et fr hu iw "
    "ko no pt-BR sk ta uk zh-TW bn"
)
LANGUAGES = tuple(_LANGUAGE_NAMES.split())
METADATA_TEXT = (
    "Metadata must have at most 50 keys, each key up to 40 characters, and string values up to 500 characters."
)
EVENT_TYPE_TEXT = "Either eventTypeId or eventTypeSlug + username or eventTypeSlug + teamSlug must be provided"
CONTACT_TEXT = "Attendee must have at least one contact method (email or phone number)"

_CREATE_PROPERTIES = (
    "start attendee eventTypeId eventTypeSlug username teamSlug organizationSlug guests location meetingUrl metadata "
    "bookingFieldsResponses lengthInMinutes routing emailVerificationCode instant recurrenceCount"
)
_CREATE = frozenset(_CREATE_PROPERTIES.split())
_ATTENDEE = frozenset(("name", "email", "timeZone", "phoneNumber", "language"))
_CANCEL = frozenset(("cancellationReason", "cancelSubsequentBookings", "seatUid"))
_RESCHEDULE = frozenset(("start", "reschedulingReason", "rescheduledBy", "emailVerificationCode", "seatUid"))
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    """
    A valid body of ``POST /v2/bookings``.
    """

    start: datetime
    attendee: Attendee
    event_type_id: int | None = None
    slug: str = ""
    owner: str = ""
    length: int | None = None
    recurrence_count: int | None = None
    guests: tuple[str, ...] = ()
    location: str = "integrations:daily"
    metadata: dict[str, Any]
    responses: dict[str, Any]


def booking_request(body: dict[str, Any]) -> BookingRequest:
    """
    Read the body of a create.

    Raises:
        Refusal: 400 that names every property that is wrong.
    """
    wrong = _unknown(body, allowed=_CREATE)
    start = parse_instant(body.get("start"))
    if start is None:
        wrong.append(_wrong("start", "start must be a valid ISO 8601 date string"))
    wrong += _attendee_faults(body.get("attendee")) + _optional_faults(body)
    if wrong or start is None:
        raise errors.bad_request(", ".join(wrong))
    if body.get("eventTypeId") is None and not (
        body.get("eventTypeSlug") and (body.get("username") or body.get("teamSlug"))
    ):
        raise errors.bad_request(EVENT_TYPE_TEXT)
    return BookingRequest(
        start=start,
        attendee=_attendee(body["attendee"]),
        event_type_id=body.get("eventTypeId"),
        slug=body.get("eventTypeSlug", ""),
        owner=body.get("username") or body.get("teamSlug") or "",
        length=body.get("lengthInMinutes"),
        recurrence_count=body.get("recurrenceCount"),
        guests=tuple(body.get("guests") or ()),
        location=_location(body.get("location")),
        metadata=body.get("metadata") or {},
        responses=body.get("bookingFieldsResponses") or {},
    )


def check_cancel(body: dict[str, Any]) -> None:
    """
    Refuse a body of a cancel that Cal.com would refuse.
    """
    wrong = _unknown(body, allowed=_CANCEL) + _strings(body, "cancellationReason", "seatUid")
    if not isinstance(body.get("cancelSubsequentBookings", False), bool):
        wrong.append(_wrong("cancelSubsequentBookings", "cancelSubsequentBookings must be a boolean value"))
    if wrong:
        raise errors.bad_request(", ".join(wrong))


def reschedule_start(body: dict[str, Any]) -> datetime:
    """
    Check the body of a reschedule and return its new start.
    """
    wrong = _unknown(body, allowed=_RESCHEDULE) + _strings(body, "reschedulingReason", "rescheduledBy", "seatUid")
    start = parse_instant(body.get("start"))
    if start is None:
        wrong.append(_wrong("start", "start must be a valid ISO 8601 date string"))
    if wrong or start is None:
        raise errors.bad_request(", ".join(wrong))
    return start


def parse_instant(value: object) -> datetime | None:
    """
    Return an ISO 8601 date or time in UTC, or nothing if it is none. Without an offset it is UTC.
    """
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        return None
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


@cache
def known_time_zone(name: str) -> bool:
    """
    Return whether the IANA database has a zone of this name.
    """
    return name in available_timezones()


def _attendee(body: dict[str, Any]) -> Attendee:
    phone = body.get("phoneNumber")
    # Cal.com makes up an address for an attendee who gave a phone number only.
    email = body.get("email") or f"{(phone or '').lstrip('+')}@sms.cal.com"
    language = body.get("language") or "en"
    return Attendee(name=body["name"], email=email, time_zone=body["timeZone"], phone=phone, language=language)


def _attendee_faults(attendee: object) -> list[str]:
    if not isinstance(attendee, dict):
        return [_wrong("attendee", "nested property attendee must be either object or array")]
    wrong = _unknown(attendee, allowed=_ATTENDEE)
    if not isinstance(attendee.get("name"), str):
        wrong.append(_wrong("name", "name must be a string"))
    if not isinstance(zone := attendee.get("timeZone"), str) or not known_time_zone(zone):
        wrong.append(_wrong("timeZone", "timeZone must be a valid IANA time-zone"))
    if (email := attendee.get("email")) is not None and not _matches(_EMAIL, email):
        wrong.append(_wrong("email", "email must be an email"))
    if (phone := attendee.get("phoneNumber")) is not None and not _matches(_PHONE, phone):
        wrong.append(_wrong("phoneNumber", "phoneNumber must be a valid phone number"))
    if (language := attendee.get("language")) is not None and language not in LANGUAGES:
        wrong.append(_wrong("language", f"language must be one of the following values: {', '.join(LANGUAGES)}"))
    if email is None and phone is None:
        return [_wrong("attendee", CONTACT_TEXT) + ", ".join(wrong)]
    return [_wrong("attendee", "") + ", ".join(wrong)] if wrong else []


def _optional_faults(body: dict[str, Any]) -> list[str]:
    wrong = _strings(
        body, "eventTypeSlug", "username", "teamSlug", "organizationSlug", "meetingUrl", "emailVerificationCode"
    )
    wrong += [
        _wrong(name, f"{name} must be an integer number")
        for name in ("eventTypeId", "lengthInMinutes", "recurrenceCount")
        if (value := body.get(name)) is not None and (not isinstance(value, int) or isinstance(value, bool))
    ]
    if isinstance(length := body.get("lengthInMinutes"), int) and length < 1:
        wrong.append(_wrong("lengthInMinutes", "lengthInMinutes must not be less than 1"))
    if (metadata := body.get("metadata")) is not None and not _is_metadata(metadata):
        wrong.append(_wrong("metadata", METADATA_TEXT))
    guests = body.get("guests") or []
    if not isinstance(guests, list) or not all(_matches(_EMAIL, guest) for guest in guests):
        wrong.append(_wrong("guests", "each value in guests must be an email"))
    if not isinstance(body.get("bookingFieldsResponses") or {}, dict):
        wrong.append(_wrong("bookingFieldsResponses", "bookingFieldsResponses must be an object"))
    return wrong


def _is_metadata(metadata: object) -> bool:
    return (
        isinstance(metadata, dict)
        and len(metadata) <= _MOST_KEYS
        and all(len(key) <= _LONGEST_KEY for key in metadata)
        and all(
            len(value) <= _LONGEST_VALUE if isinstance(value, str) else isinstance(value, int | float)
            for value in metadata.values()
        )
    )


def _location(location: object) -> str:
    if isinstance(location, str) and location:
        return location
    if isinstance(location, dict):
        for key in ("address", "link", "phone", "location"):
            if location.get(key):
                return str(location[key])
        if location.get("integration"):
            return f"integrations:{location['integration']}"
    return "integrations:daily"


def _unknown(body: dict[str, Any], *, allowed: frozenset[str]) -> list[str]:
    return [_wrong(name, f"property {name} should not exist") for name in body if name not in allowed]


def _strings(body: dict[str, Any], *names: str) -> list[str]:
    return [
        _wrong(name, f"{name} must be a string")
        for name in names
        if body.get(name) is not None and not isinstance(body[name], str)
    ]


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _wrong(name: str, constraint: str) -> str:
    return f"{name} property is wrong,{constraint} "
