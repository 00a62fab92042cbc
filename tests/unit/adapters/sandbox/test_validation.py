"""
Bodies that Cal.com refuses, and its words for them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.sandbox.errors import Refusal
from adapters.sandbox.validation import (
    CONTACT_TEXT,
    EVENT_TYPE_TEXT,
    METADATA_TEXT,
    booking_request,
    check_cancel,
    parse_instant,
    reschedule_start,
)

ADA = {"name": "Ada", "email": "ada@example.com", "timeZone": "Europe/London"}
BODY = {"eventTypeId": 1, "start": "2026-05-05T10:00:00Z", "attendee": ADA}


def test_a_whole_request_is_read() -> None:
    request = booking_request(BODY | {"metadata": {"a": 1, "b": True, "c": "x"}, "guests": ["bob@example.com"]})

    assert (datetime(2026, 5, 5, 10, tzinfo=UTC), 1) == (request.start, request.event_type_id)
    assert ({"a": 1, "b": True, "c": "x"}, ("bob@example.com",)) == (request.metadata, request.guests)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"idempotencyKey": "x"}, "idempotencyKey property is wrong,property idempotencyKey should not exist "),
        ({"start": None}, "start property is wrong,start must be a valid ISO 8601 date string "),
        ({"start": "tomorrow"}, "start property is wrong,start must be a valid ISO 8601 date string "),
        ({"start": "2026-02-30T10:00:00Z"}, "start property is wrong,start must be a valid ISO 8601 date string "),
        ({"eventTypeId": "1"}, "eventTypeId property is wrong,eventTypeId must be an integer number "),
        ({"eventTypeId": None}, EVENT_TYPE_TEXT),
        ({"lengthInMinutes": 0}, "lengthInMinutes property is wrong,lengthInMinutes must not be less than 1 "),
        ({"guests": ["bob"]}, "guests property is wrong,each value in guests must be an email "),
        (
            {"bookingFieldsResponses": "x"},
            "bookingFieldsResponses property is wrong,bookingFieldsResponses must be an object ",
        ),
        ({"attendee": None}, "attendee property is wrong,nested property attendee must be either object or array "),
    ],
)
def test_a_wrong_property_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal) as refused:
        booking_request(BODY | change)

    assert (400, message) == (refused.value.status, refused.value.message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timeZone": "Mars/Olympus"}, "timeZone property is wrong,timeZone must be a valid IANA time-zone "),
        ({"email": "ada"}, "email property is wrong,email must be an email "),
        ({"phoneNumber": "123"}, "phoneNumber property is wrong,phoneNumber must be a valid phone number "),
        ({"name": 1}, "name property is wrong,name must be a string "),
        ({"company": "x"}, "company property is wrong,property company should not exist "),
    ],
)
def test_a_wrong_property_of_the_attendee_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal) as refused:
        booking_request(BODY | {"attendee": ADA | change})

    assert f"attendee property is wrong, {message}" == refused.value.message


def test_an_attendee_speaks_a_known_language_and_can_be_reached() -> None:
    with pytest.raises(Refusal, match="language must be one of the following values: ar, ca, de"):
        booking_request(BODY | {"attendee": ADA | {"language": "tlh"}})
    with pytest.raises(Refusal) as refused:
        booking_request(BODY | {"attendee": {"name": "Ada", "timeZone": "UTC"}})

    assert f"attendee property is wrong,{CONTACT_TEXT} " == refused.value.message


@pytest.mark.parametrize(
    "metadata",
    [
        {str(key): "x" for key in range(51)},
        {"k" * 41: "x"},
        {"k": "x" * 501},
        {"k": None},
        {"k": {"nested": 1}},
        ["x"],
    ],
)
def test_metadata_has_limits(metadata: object) -> None:
    with pytest.raises(Refusal) as refused:
        booking_request(BODY | {"metadata": metadata})

    assert f"metadata property is wrong,{METADATA_TEXT} " == refused.value.message


def test_metadata_may_reach_its_limits() -> None:
    metadata = {f"{key:040}": "x" * 500 for key in range(50)}

    assert metadata == booking_request(BODY | {"metadata": metadata}).metadata


@pytest.mark.parametrize(
    "text", ["2026-05-05T10:00:00Z", "2026-05-05T12:00:00+02:00", "2026-05-05T10:00", "2026-05-05T10:00:00.000"]
)
def test_an_offset_is_honored_and_none_is_utc(text: str) -> None:
    assert datetime(2026, 5, 5, 10, tzinfo=UTC) == parse_instant(text)


def test_cancel_and_reschedule_take_what_they_know() -> None:
    check_cancel({"cancellationReason": "x", "cancelSubsequentBookings": True})
    with pytest.raises(Refusal, match="property reason should not exist"):
        check_cancel({"reason": "x"})
    with pytest.raises(Refusal, match="cancelSubsequentBookings must be a boolean value"):
        check_cancel({"cancelSubsequentBookings": "yes"})
    with pytest.raises(Refusal, match="rescheduleReason should not exist , start property is wrong"):
        reschedule_start({"rescheduleReason": "x"})
