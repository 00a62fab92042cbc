from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calcom.refusals import CREATE
from sagas.outcomes import CreateOutcome, Made, NotSent, Refused, Unknown
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    NOW,
    OTHER,
    Account,
    Handler,
    a_booking,
    a_row,
    an_account,
    breaks,
    refuses,
    refuses_barely,
    says,
    says_bytes,
    succeeds,
)

BAD = "BadRequestException"
BOUNDS = (
    "The event type can't be booked at the \"start\" time provided. This could be because it's too soon (violating the "
    "minimum booking notice) or too far in the future (outside the event's scheduling window). Try fetching available "
    'slots first using the GET /v2/slots endpoint and then make a booking with "start" time equal to one of the '
    "available slots: https://cal.com/docs/api-reference/v2/slots"
)
THROTTLED = "CustomThrottlerGuard - Too many requests. Please try again later."


async def create(account: Account, *, send_within: float = 5.0) -> CreateOutcome:
    calendar = await account.calendars().of("acme")
    return await calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + timedelta(seconds=send_within))


async def outcome_of(*handlers: Handler) -> CreateOutcome:
    return await create(an_account(*handlers))


async def test_a_success_with_our_attempt_is_ours_and_has_calcoms_times() -> None:
    made = await outcome_of(succeeds(a_row("xyz", end="2026-12-01T11:45:00+01:00"), status=201))

    expected = Made(
        uid="xyz",
        starts_at=datetime(2026, 12, 1, 10, tzinfo=UTC),
        ends_at=datetime(2026, 12, 1, 10, 45, tzinfo=UTC),
        calcom_status="accepted",
    )
    assert expected == made


async def test_an_unknown_state_is_passed_on() -> None:
    made = await outcome_of(succeeds(a_row(status="AWAITING_HOST"), status=201))

    assert isinstance(made, Made)
    assert "awaiting_host" == made.calcom_status


async def test_a_success_with_another_attempt_made_nothing_for_us() -> None:
    refused = await outcome_of(succeeds(a_row(attempt_id=OTHER), status=201))

    assert isinstance(refused, Refused)
    assert ("duplicate", True) == (refused.reason, refused.conflict)


async def test_a_success_without_an_attempt_is_read_again() -> None:
    account = an_account(succeeds(a_row(attempt_id=None), status=201), succeeds(a_row()))

    assert isinstance(await create(account), Made)
    assert ["POST /v2/bookings", "GET /v2/bookings/uid1"] == account.calcom.calls


async def test_a_success_that_turns_out_to_be_anothers_is_a_duplicate() -> None:
    refused = await outcome_of(succeeds(a_row(attempt_id=None), status=201), succeeds(a_row(attempt_id=OTHER)))

    assert isinstance(refused, Refused)


async def test_an_older_booking_of_nobody_is_a_duplicate() -> None:
    older = a_row(attempt_id=None, createdAt="2026-11-22T11:00:00.000Z")
    refused = await outcome_of(succeeds(older, status=201), succeeds(older))

    assert isinstance(refused, Refused)
    assert "duplicate" == refused.reason


@pytest.mark.parametrize(
    "second",
    [
        succeeds(a_row(attempt_id=None)),
        refuses(404, "NotFoundException", "Booking with uid=uid1 was not found in the database"),
        refuses_barely(500, "Internal server error"),
        succeeds([a_row()]),
        breaks(httpx.ReadError("gone")),
    ],
)
async def test_a_success_that_nobody_can_attribute_is_unknown(second: Handler) -> None:
    assert isinstance(await outcome_of(succeeds(a_row(attempt_id=None), status=201), second), Unknown)


@pytest.mark.parametrize(
    "handler",
    [
        says_bytes(201, b'{"status": "success", "data": {"uid": "abc'),
        says_bytes(201, b""),
        says_bytes(204, b""),
        says_bytes(200, b"<html>welcome</html>", content_type="text/html"),
        says(201, {"status": "error", "data": a_row()}),
        says(201, [a_row()]),
        says(201, None),
        succeeds([a_row(), a_row("uid2")], status=201),
        succeeds(a_row(uid=""), status=201),
        succeeds(a_row(uid="../../me"), status=201),
        succeeds({**a_row(), "uid": 7}, status=201),
        succeeds(a_row(start="2026-12-01T10:00:00"), status=201),
        succeeds(a_row(start=1796119200), status=201),
        succeeds(a_row(start="0001-01-01T00:00:00+14:00"), status=201),
        succeeds(a_row(end="2026-12-01T10:00:00Z"), status=201),
        succeeds(a_row(status="a\0b"), status=201),
        succeeds(a_row(metadata="text"), status=201),
        succeeds({"uid": "abc"}, status=201),
    ],
)
async def test_a_success_that_cannot_be_read_is_unknown(handler: Handler) -> None:
    unknown = await outcome_of(handler)

    assert isinstance(unknown, Unknown)
    assert "unreadable" == unknown.reason


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


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
rows = st.dictionaries(st.sampled_from(sorted(a_row())), json, max_size=10).map(
    lambda odd: {**a_row(attempt_id=OTHER), **odd}
)
bodies = (
    st.binary(max_size=200)
    | json.map(orjson.dumps)
    | rows.map(lambda row: orjson.dumps({"status": "success", "data": row}))
    | json.map(lambda data: orjson.dumps({"status": "success", "data": data}))
    | st.tuples(json, json).map(
        lambda pair: orjson.dumps({"status": "error", "error": {"code": pair[0], "message": pair[1]}})
    )
)


@settings(deadline=None)
@given(status=st.integers(200, 599), body=bodies)
async def test_no_answer_raises_or_is_made_without_our_attempt(status: int, body: bytes) -> None:
    outcome = await outcome_of(says_bytes(status, body))

    assert not isinstance(outcome, Made)
    if isinstance(outcome, Refused) and outcome.reason != "duplicate":
        assert any(row.status == status and row.reason == outcome.reason for row in CREATE)


@settings(deadline=None)
@given(status=st.integers(300, 599), code=st.text(max_size=20), message=st.text(max_size=50))
async def test_no_other_words_refuse(status: int, code: str, message: str) -> None:
    for handler in (refuses(status, code, message), refuses_barely(status, message)):
        assert isinstance(await outcome_of(handler), Unknown)
