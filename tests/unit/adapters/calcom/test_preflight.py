from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapters.calcom.preflight import Preflight
from domain.errors import CalcomBookingError
from sagas.outcomes import Liveness
from tests.unit.adapters.calcom.building import (
    NOW,
    START,
    Account,
    Handler,
    ScriptedCalCom,
    a_row,
    breaks,
    lists,
    refuses,
    refuses_barely,
    says_bytes,
    succeeds,
)

ORDINARY: dict[str, Any] = {
    "id": 1,
    "lengthInMinutes": 30,
    "users": ["someone", {"id": 5, "name": "Host"}],
    "price": 0,
    "recurrence": None,
    "seatsPerTimeSlot": None,
    "confirmationPolicy": {"disabled": True},
    "disableCancelling": {"disabled": False},
    "bookingRequiresAuthentication": False,
    "minimumBookingNotice": 120,
    "bookingFields": [
        {"type": "name", "slug": "name", "required": True},
        {"type": "text", "slug": "why", "required": False},
    ],
}


def scripted(*handlers: Handler) -> Account:
    return Account(ScriptedCalCom(*handlers))


async def preflight(event_type: dict[str, Any], *others: Handler, minutes: int = 30) -> Preflight:
    account = scripted(succeeds(event_type), *(others or (lists(),)))
    return await (await account.calendars().of("acme")).preflight(1, duration_minutes=minutes)


async def test_an_ordinary_event_type_can_be_booked() -> None:
    assert Preflight(errors=(), notice_minutes=120, sends_length=False) == await preflight(ORDINARY)


async def test_a_bare_event_type_can_be_booked() -> None:
    assert () == (await preflight({"id": 1, "lengthInMinutes": 30})).errors


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ({"disableCancelling": {"disabled": True}}, "cancelling"),
        ({"disableCancelling": True}, "cancelling"),
        ({"seats": {"seatsPerTimeSlot": 4}}, "seats"),
        ({"seatsPerTimeSlot": 4}, "seats"),
        ({"recurrence": {"interval": 1, "occurrences": 4, "frequency": "weekly"}}, "recurs"),
        ({"price": 50.5}, "paid"),
        ({"confirmationPolicy": {"type": "always"}}, "confirmed"),
        ({"bookingRequiresAuthentication": True}, "authentication"),
        ({"requiresBookerEmailVerification": True}, "verified"),
        ({"bookingFields": [{"type": "text", "slug": "why", "required": True}]}, "why"),
    ],
)
async def test_what_calsaga_cannot_book_is_refused(setting: dict[str, Any], word: str) -> None:
    (error,) = (await preflight({**ORDINARY, **setting})).errors

    assert "calcom_event_type_id" == error.field
    assert word in error.message


@pytest.mark.parametrize("slug", ["notes", "guests", "rescheduleReason", "smsReminderNumber"])
async def test_a_question_that_is_never_answered_must_not_be_required(slug: str) -> None:
    asked = {"bookingFields": [{"type": "text", "slug": slug, "required": True}]}

    assert [slug in error.message for error in (await preflight({**ORDINARY, **asked})).errors] == [True]


async def test_every_reason_is_told() -> None:
    assert 3 == len((await preflight({**ORDINARY, "price": 1, "seatsPerTimeSlot": 2}, minutes=45)).errors)


async def test_another_length_is_refused() -> None:
    (error,) = (await preflight(ORDINARY, minutes=45)).errors

    assert "duration_minutes" == error.field


async def test_a_choice_of_lengths_is_known() -> None:
    several = {**ORDINARY, "lengthInMinutesOptions": [15, 30, 60]}

    assert Preflight(errors=(), notice_minutes=120, sends_length=True) == await preflight(several, minutes=60)
    assert 1 == len((await preflight(several, minutes=45)).errors)


async def test_a_key_that_may_not_list_is_refused() -> None:
    (error,) = (await preflight(ORDINARY, refuses(403, "ForbiddenException", "no"))).errors

    assert "cannot list" in error.message


async def test_an_event_type_of_another_user_is_refused() -> None:
    (error,) = (await preflight({**ORDINARY, "ownerId": 5}, lists(), succeeds({"id": 6}))).errors

    assert "calcom_event_type_id" == error.field
    assert "use a key of user 5" in error.message


async def test_an_event_type_of_the_keys_own_user_can_be_booked() -> None:
    assert () == (await preflight({**ORDINARY, "ownerId": 5}, lists(), succeeds({"id": 5}))).errors


async def test_an_event_type_of_a_team_has_no_owner_to_compare_with() -> None:
    assert () == (await preflight({**ORDINARY, "ownerId": None, "teamId": 7})).errors


async def test_an_event_type_that_is_not_there_is_refused() -> None:
    account = scripted(refuses(404, "NotFoundException", "Event type with id 1 not found."))
    found = await (await account.calendars().of("acme")).preflight(1, duration_minutes=30)

    assert ["calcom_event_type_id"] == [error.field for error in found.errors]


@pytest.mark.parametrize(
    ("handler", "transient"),
    [
        (refuses_barely(500, "Internal server error"), True),
        (breaks(httpx.ReadTimeout("slow")), True),
        (says_bytes(200, b"<html>"), False),
        (succeeds({"id": "one"}), False),
        (refuses(401, "UnauthorizedException", "ApiAuthStrategy - api key - Your api key is not valid"), False),
    ],
)
async def test_what_cannot_be_found_out_is_an_error(handler: Handler, transient: bool) -> None:
    calendar = await scripted(handler).calendars().of("acme")

    with pytest.raises(CalcomBookingError) as raised:
        await calendar.preflight(1, duration_minutes=30)
    assert transient == raised.value.retryable


@pytest.mark.parametrize(
    ("key", "wrong"), [("cal_secret", "rejects the company's API key"), (None, "no usable Cal.com API key")]
)
async def test_a_key_that_is_no_good_is_told_with_the_remedy(key: str | None, wrong: str) -> None:
    account = scripted(refuses(401, "UnauthorizedException", "ApiAuthStrategy - api key - Your api key is not valid"))
    account.key = key
    calendar = await account.calendars().of("acme")

    with pytest.raises(CalcomBookingError, match=wrong) as raised:
        await calendar.preflight(1, duration_minutes=30)
    assert not raised.value.retryable
    assert "CALSAGA_CALCOM_API_KEY" in raised.value.message
    assert "`calsaga companies set`" in raised.value.message


async def test_it_is_known_whose_key_it_is() -> None:
    calendar = await scripted(succeeds({"id": 5, "timeZone": "Europe/Berlin", "email": None})).calendars().of("acme")

    assert 5 == (await calendar.me()).id


async def test_slots_are_read_in_order_and_in_utc() -> None:
    days = {
        "2026-12-02": [{"start": "2026-12-02T09:00:00.000+01:00"}],
        "2026-12-01": [{"start": "2026-12-01T10:00:00.000+01:00", "end": "2026-12-01T10:30:00.000+01:00"}],
    }
    account = scripted(succeeds(days))
    calendar = await account.calendars().of("acme")
    slots = await calendar.slots(event_type_id=1, starts_at=NOW, ends_at=START, duration_minutes=30)

    assert (datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 2, 8, tzinfo=UTC)) == slots
    assert "30" == account.calcom.requests[0].url.params["duration"]


async def test_slots_that_cannot_be_read_are_an_error() -> None:
    calendar = await scripted(succeeds([1])).calendars().of("acme")

    with pytest.raises(CalcomBookingError):
        await calendar.slots(event_type_id=1, starts_at=NOW, ends_at=START)


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (succeeds(a_row()), "live"),
        (succeeds(a_row(status="pending")), "live"),
        (succeeds(a_row(status="brand_new")), "live"),
        (succeeds(a_row(status="cancelled")), "dead"),
        (succeeds(a_row(status="rejected")), "dead"),
        (succeeds(a_row(status="cancelled", rescheduledToUid="uid2")), "unknown"),
        (refuses(404, "NotFoundException", "Booking with uid=uid1 was not found in the database"), "not_found"),
        # No answer of Cal.com's about a booking.
        (refuses(404, "NotFoundException", "Cannot GET /v2/bookings/uid1"), "unknown"),
        (refuses(403, "ForbiddenException", "Forbidden"), "unknown"),
        (refuses_barely(500, "Internal server error"), "unknown"),
        (succeeds([a_row()]), "unknown"),
        (succeeds(a_row("uid2")), "unknown"),
    ],
)
async def test_a_uid_is_live_dead_not_found_or_unknown(handler: Handler, expected: Liveness) -> None:
    assert expected == await (await scripted(handler).calendars().of("acme")).liveness("uid1")


async def test_several_slow_answers_take_no_longer_than_the_whole_may() -> None:
    async def hangs(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    account = Account(ScriptedCalCom(hangs), attempt_seconds=30, total_seconds=0.01)
    with pytest.raises(CalcomBookingError) as caught:
        await (await account.calendars().of("acme")).preflight(1, duration_minutes=30)

    assert caught.value.retryable
