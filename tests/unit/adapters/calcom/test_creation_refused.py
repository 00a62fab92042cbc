"""
What a create comes to that Cal.com does not do, by the words in which it says so.
"""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagas.outcomes import NotSent, Refused, Unknown
from tests.unit.adapters.calcom.building import (
    Handler,
    a_row,
    an_account,
    breaks,
    refuses,
    refuses_barely,
    says,
    says_bytes,
    succeeds,
)
from tests.unit.adapters.calcom.creating import BAD, create, outcome_of

BOUNDS = (
    "The event type can't be booked at the \"start\" time provided. This could be because it's too soon (violating the "
    "minimum booking notice) or too far in the future (outside the event's scheduling window). Try fetching available "
    'slots first using the GET /v2/slots endpoint and then make a booking with "start" time equal to one of the '
    "available slots: https://cal.com/docs/api-reference/v2/slots"
)
THROTTLED = "CustomThrottlerGuard - Too many requests. Please try again later."


@pytest.mark.parametrize(
    ("handler", "reason", "conflict"),
    [
        (
            refuses(400, BAD, "User either already has booking at this time or is not available"),
            "slot_taken",
            True,
        ),
        (
            refuses(400, BAD, "One of the hosts either already has booking at this time or is not available"),
            "slot_taken",
            True,
        ),
        (refuses_barely(409, "booking_conflict_error"), "slot_taken", True),
        (refuses(409, "ConflictException", "No more seats left at this seated booking."), "slot_taken", True),
        (refuses(400, BAD, BOUNDS), "out_of_bounds", False),
        (refuses(400, BAD, "Attempting to book a meeting in the past."), "in_the_past", False),
        (
            refuses(
                400,
                BAD,
                "Attendee with this email can't book because the maximum number of active bookings has been reached.",
            ),
            "booker_limit",
            False,
        ),
        (
            refuses(
                400,
                BAD,
                "Missing required booking field response: why - it is required by the event type booking fields, but "
                "missing in the bookingFieldsResponses. You can fetch the event type with ID 1 to see the required "
                "fields.",
            ),
            "missing_field",
            False,
        ),
        (
            refuses(
                400,
                BAD,
                "Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths. Please, "
                "remove the 'lengthInMinutes' field from the request.",
            ),
            "length_not_offered",
            False,
        ),
        (refuses(400, BAD, "attendee property is wrong,email must be an email "), "invalid_request", False),
        (refuses(404, "NotFoundException", "Event type with id 9 not found."), "event_type_not_found", False),
        (
            refuses(
                422,
                "UnprocessableEntityException",
                "Can't book this team event type because it has no hosts. Please, add at least 1 host to event type "
                "with id=1 belonging to team with id=2 and try again.",
            ),
            "no_hosts",
            False,
        ),
        (
            refuses(
                403,
                "ForbiddenException",
                "checkBookingRequiresAuthentication - user is not authorized to access this event type. User has to be "
                "either event type owner, host, team admin or owner or org admin or owner.",
            ),
            "authentication_required",
            False,
        ),
        (
            refuses(
                401,
                "UnauthorizedException",
                "This event type requires authentication. Please provide valid credentials.",
            ),
            "authentication_required",
            False,
        ),
    ],
)
async def test_a_check_before_the_insert_refuses(handler: Handler, reason: str, conflict: bool) -> None:
    refused = await outcome_of(handler)

    assert isinstance(refused, Refused)
    assert (reason, conflict) == (refused.reason, refused.conflict)


@pytest.mark.parametrize(
    "handler",
    [
        refuses(400, BAD, "Missing payment credentials"),
        refuses(400, "GoogleCalendarError", "User either already has booking at this time or is not available"),
        refuses(500, BAD, "User either already has booking at this time or is not available"),
        refuses(400, BAD, "Not so: Attempting to book a meeting in the past."),
        refuses_barely(400, "Attempting to book a meeting in the past."),
        says(400, {"statusCode": 409, "message": "booking_conflict_error"}),
        refuses(409, "CONFLICT", "There was an error, please try again later."),
        refuses(429, "TRPCError", THROTTLED),
        refuses(429, "ThrottlerException", "Slow down."),
        refuses(404, "NotFoundException", "Cannot POST /v2/bookings"),
        refuses(401, "UnauthorizedException", "Something else"),
        refuses(403, "ForbiddenException", "No."),
        refuses(500, "INTERNAL_SERVER_ERROR", "There was an error, please try again later."),
        refuses_barely(500, "Internal server error"),
        says_bytes(502, b"<html><h1>502 Bad Gateway</h1></html>", content_type="text/html"),
        says_bytes(301, b"", location="https://elsewhere.test/v2/bookings"),
        says_bytes(400, b""),
        says(400, {"status": "error", "error": None}),
        says(400, {"status": "error", "error": {"code": 1, "message": [2]}}),
        says(400, ["User either already has booking at this time or is not available"]),
    ],
)
async def test_everything_else_is_unknown(handler: Handler) -> None:
    account = an_account(handler)

    assert isinstance(await create(account), Unknown)
    assert ["POST /v2/bookings"] == account.calcom.calls


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, 7.0),
        (
            {
                "x_ratelimit_limit_default": "120",
                "x_ratelimit_remaining_default": "0",
                "x_ratelimit_reset_default": "41",
            },
            41.0,
        ),
        (
            {
                "x_ratelimit_limit_burst": "5",
                "x_ratelimit_remaining_burst": "0",
                "x_ratelimit_reset_burst": "3",
            },
            3.0,
        ),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60.0),
        ({}, 60.0),
    ],
)
async def test_the_throttlers_own_answer_means_not_sent(headers: dict[str, str], wait: float) -> None:
    not_sent = await outcome_of(refuses(429, "ThrottlerException", THROTTLED, **headers))

    assert isinstance(not_sent, NotSent)
    assert ("rate_limited", wait, True) == (not_sent.reason, not_sent.retry_after, not_sent.defer)


@pytest.mark.parametrize(
    "message",
    [
        "ApiAuthStrategy - api key - Your api key is not valid",
        "ApiAuthStrategy - api key - Your api key is expired",
        "CustomThrottlerGuard - Invalid API Key",
    ],
)
async def test_a_rejected_key_defers(message: str) -> None:
    not_sent = await outcome_of(refuses(401, "UnauthorizedException", message))

    assert isinstance(not_sent, NotSent)
    assert ("unauthorized", True) == (not_sent.reason, not_sent.defer)


async def test_without_a_key_nothing_is_sent() -> None:
    account = an_account(succeeds(a_row()))
    account.key = None

    not_sent = await create(account)

    assert isinstance(not_sent, NotSent)
    assert ("unauthorized", True) == (not_sent.reason, not_sent.defer)
    assert [] == account.calcom.requests


async def test_what_breaks_after_the_write_is_unknown() -> None:
    assert isinstance(await outcome_of(breaks(httpx.ConnectTimeout("the name lies"))), Unknown)


async def test_details_are_short_and_name_nobody() -> None:
    message = "attendee property is wrong,ada@example.com and +49 170 1234567 \x00 are known" + "x" * 9000
    refused = await outcome_of(refuses(400, BAD, message))

    assert isinstance(refused, Refused)
    assert len(refused.detail) <= 200
    assert refused.detail.isprintable()
    assert "ada" not in refused.detail
    assert "1234567" not in refused.detail


@settings(deadline=None)
@given(status=st.integers(300, 599), code=st.text(max_size=20), message=st.text(max_size=50))
async def test_no_other_words_refuse(status: int, code: str, message: str) -> None:
    for handler in (refuses(status, code, message), refuses_barely(status, message)):
        assert isinstance(await outcome_of(handler), Unknown)
