"""
Every request that the adapter makes is one that Cal.com documents.
"""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from adapters.calcom.calendar import CalComCalendar
from domain.person import Person
from tests.contract.calcom_document import validate_request
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    NOT_FOUND,
    NOW,
    START,
    UID,
    Account,
    Handler,
    ScriptedCalCom,
    a_booking,
    a_cancel,
    a_look,
    a_row,
    a_service,
    lists,
    succeeds,
)

SOON = timedelta(seconds=1)
# What would pass the document and be refused by Cal.com all the same.
CREATE = {"start", "attendee", "eventTypeId", "lengthInMinutes", "metadata"}


def held_against_the_document(*handlers: Handler) -> Account:
    """
    Return an account whose every request is judged before it is answered.
    """

    def judged(handler: Handler) -> Handler:
        async def judge(request: httpx.Request) -> httpx.Response:
            validate_request(
                method=request.method, url=str(request.url), headers=request.headers, body=request.content or None
            )
            answered = handler(request)
            return answered if isinstance(answered, httpx.Response) else await answered

        return judge

    return Account(ScriptedCalCom(*map(judged, handlers)))


async def calendar_of(account: Account) -> CalComCalendar:
    return await account.calendars().of("acme")


@pytest.mark.parametrize(
    "person",
    [
        Person(name="Ada", email="ada@example.com"),
        Person(name="Ada", phone="+491701234567"),
        Person(name="Ada", email="ada@example.com", phone="+491701234567", notes="none", metadata='{"a": 1}'),
    ],
)
@pytest.mark.parametrize("sends_length", [False, True])
async def test_a_create_is_documented(person: Person, sends_length: bool) -> None:
    account = held_against_the_document(succeeds(a_row(), status=201))
    booking = a_booking(person=person, service=a_service(sends_length=sends_length))
    await (await calendar_of(account)).create(booking, attempt_id=ATTEMPT, send_by=NOW + SOON)

    (request,) = account.calcom.requests
    assert set(httpx.Response(200, content=request.content).json()) <= CREATE
    assert "2024-08-13" == request.headers["cal-api-version"]


async def test_a_look_is_documented() -> None:
    account = held_against_the_document(lists(), succeeds({"id": 1}))
    await (await calendar_of(account)).look(a_booking(), a_look())

    assert ["GET /v2/bookings", "GET /v2/event-types/1"] == account.calcom.calls


async def test_a_cancel_is_documented() -> None:
    account = held_against_the_document(succeeds(a_row()), succeeds(a_row(status="cancelled")))
    await (await calendar_of(account)).cancel(a_booking(), a_cancel())

    assert [f"GET /v2/bookings/{UID}", f"POST /v2/bookings/{UID}/cancel"] == account.calcom.calls


async def test_a_search_for_what_is_gone_is_documented() -> None:
    account = held_against_the_document(NOT_FOUND, lists())
    await (await calendar_of(account)).cancel(a_booking(), a_cancel())

    assert 3 == len(account.calcom.requests)


async def test_a_reschedule_is_documented() -> None:
    account = held_against_the_document(succeeds(a_row("uid2"), status=201))
    await (await calendar_of(account)).reschedule(
        UID, attempt_id=ATTEMPT, starts_at=START, reason="later", send_by=NOW + SOON
    )

    assert 1 == len(account.calcom.requests)


async def test_a_preflight_is_documented() -> None:
    account = held_against_the_document(succeeds({"id": 1, "lengthInMinutes": 30}), lists())
    await (await calendar_of(account)).preflight(1, duration_minutes=30)

    assert ["GET /v2/event-types/1", "GET /v2/bookings"] == account.calcom.calls


@pytest.mark.parametrize("minutes", [None, 30])
async def test_slots_and_the_owner_are_asked_for_as_documented(minutes: int | None) -> None:
    account = held_against_the_document(succeeds({}), succeeds({"id": 1}))
    calendar = await calendar_of(account)
    await calendar.slots(event_type_id=1, starts_at=NOW, ends_at=START, duration_minutes=minutes)
    await calendar.me()

    assert ["GET /v2/slots", "GET /v2/me"] == account.calcom.calls
