"""
What subscribers are told, in which words, and when.
"""

from __future__ import annotations

import asyncio
import hmac
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.unit.adapters.sandbox.booking import BODY, LATER, book, cancel, counted, move, person, subscribe, trouble
from tests.unit.adapters.sandbox.clock import Clock
from tests.unit.adapters.sandbox.subscriber import SECRET, URL, Subscriber

BOOK = {"action": "book", "event_type_id": 1, "start": "2026-05-05T10:00:00Z"}


@pytest.fixture(autouse=True)
async def subscription(api: httpx.AsyncClient) -> Any:  # noqa: ANN401 - JSON
    return await subscribe(api)


async def test_a_booking_is_told_with_all_that_cal_com_tells(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    uid = await book(api)

    (body,) = subscriber.bodies
    assert {
        "triggerEvent": "BOOKING_CREATED",
        "createdAt": "2026-05-04T08:00:00.000Z",
        "payload": {
            "type": "consultation-30",
            "title": "Consultation 30 between Host 1 and Ada",
            "description": "",
            "additionalNotes": "",
            "customInputs": {},
            "startTime": "2026-05-05T10:00:00Z",
            "endTime": "2026-05-05T10:30:00Z",
            "organizer": {
                "id": 1,
                "name": "Host 1",
                "email": "host-1@sandbox.example",
                "username": "host-1",
                "timeZone": "UTC",
                "language": {"locale": "en"},
                "timeFormat": "HH:mm",
                "utcOffset": 0,
            },
            "responses": {
                "name": {"label": "name", "value": "Ada"},
                "email": {"label": "email", "value": "ada@example.com"},
                "guests": {"label": "guests", "value": []},
            },
            "userFieldsResponses": {},
            "attendees": [
                {
                    "email": "ada@example.com",
                    "name": "Ada",
                    "timeZone": "Europe/London",
                    "language": {"locale": "en"},
                    "utcOffset": 60,
                }
            ],
            "location": "integrations:daily",
            "destinationCalendar": None,
            "eventTypeId": 1,
            "uid": uid,
            "bookingId": 1,
            "iCalUID": f"{uid}@Cal.com",
            "iCalSequence": 0,
            "eventTitle": "Consultation 30",
            "eventDescription": "",
            "requiresConfirmation": False,
            "price": 0,
            "currency": "usd",
            "length": 30,
            "status": "ACCEPTED",
            "metadata": {"attempt": "1"},
        },
    } == body


async def test_the_exact_bytes_are_signed(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await book(api)

    (request,) = subscriber.requests
    expected = hmac.new(SECRET.encode(), request.content, sha256).hexdigest()
    assert ("POST", URL, expected, "2021-10-20", "application/json") == (
        request.method,
        str(request.url),
        request.headers["X-Cal-Signature-256"],
        request.headers["X-Cal-Webhook-Version"],
        request.headers["Content-Type"],
    )


async def test_without_a_secret_it_says_so(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await api.post("/_sandbox/reset")
    await subscribe(api, secret=None)
    await book(api)

    assert "no-secret-provided" == subscriber.requests[0].headers["X-Cal-Signature-256"]


async def test_a_booking_is_told_before_its_maker_has_the_answer(
    api: httpx.AsyncClient, subscriber: Subscriber
) -> None:
    heard, goes_on = asyncio.Event(), asyncio.Event()

    async def hold(_body: dict[str, Any]) -> None:
        heard.set()
        await goes_on.wait()

    subscriber.reacts = hold
    booking = asyncio.create_task(book(api))
    await heard.wait()
    unanswered = not booking.done()
    goes_on.set()

    assert unanswered
    assert subscriber.bodies[0]["payload"]["uid"] == await booking


@pytest.mark.parametrize("by", ["api", "person"])
async def test_a_cancelling_is_told_before_it_happens(
    api: httpx.AsyncClient, subscriber: Subscriber, clock: Clock, by: str
) -> None:
    uid = await book(api)
    seen = []

    async def look(_body: dict[str, Any]) -> None:
        seen.append((await api.get(f"/v2/bookings/{uid}")).json()["data"]["status"])
        clock.move(seconds=3)

    subscriber.reacts = look
    if by == "api":
        await cancel(api, uid)
    else:
        await person(api, action="cancel", uid=uid, reason="ill", email="host-1@sandbox.example")

    after = (await api.get(f"/v2/bookings/{uid}")).json()["data"]
    assert (["accepted"], "cancelled", "2026-05-04T08:00:03.000Z") == (seen, after["status"], after["updatedAt"])
    told = subscriber.bodies[1]
    assert ("BOOKING_CANCELLED", uid, 1, "CANCELLED", "ill") == (
        told["triggerEvent"],
        told["payload"]["uid"],
        told["payload"]["bookingId"],
        told["payload"]["status"],
        told["payload"]["cancellationReason"],
    )
    assert "metadata" not in told["payload"]
    assert told["payload"]["cancelledBy"] == (None if by == "api" else "host-1@sandbox.example")


async def test_of_two_who_cancel_at_once_one_is_refused_by_the_inner_handler(
    api: httpx.AsyncClient, subscriber: Subscriber
) -> None:
    uid = await book(api)
    answers = []

    async def cancel_too(_body: dict[str, Any]) -> None:
        subscriber.reacts = nothing_more
        answers.append(await cancel(api, uid))

    async def nothing_more(_body: dict[str, Any]) -> None: ...

    subscriber.reacts = cancel_too
    answers.append(await cancel(api, uid))

    assert [200, 400] == [answer.status_code for answer in answers]
    assert "This booking has already been cancelled." == answers[1].json()["message"]


async def test_a_refused_call_is_told_to_nobody(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    uid = await book(api)
    await cancel(api, uid)
    before = len(subscriber.requests)

    assert 400 == (await cancel(api, uid)).status_code
    assert 404 == (await cancel(api, "nothing")).status_code
    await book(api)
    assert 400 == (await api.post("/v2/bookings", json=BODY)).status_code
    assert before + 1 == len(subscriber.requests)


@pytest.mark.parametrize("by", ["api", "person"])
async def test_a_reschedule_names_the_old_booking(api: httpx.AsyncClient, subscriber: Subscriber, by: str) -> None:
    old = await book(api)
    if by == "api":
        new = await move(api, old)
    else:
        new = await person(api, action="move", uid=old, start=LATER, email="ada@example.com")

    told = subscriber.bodies[1]
    expected = {
        "uid": new,
        "bookingId": 2,
        "status": "ACCEPTED",
        "startTime": "2026-05-05T12:00:00Z",
        "metadata": {"attempt": "1"},
        "rescheduleId": 1,
        "rescheduleUid": old,
        "rescheduleStartTime": "2026-05-05T10:00:00Z",
        "rescheduleEndTime": "2026-05-05T10:30:00Z",
        "rescheduledBy": "ada@example.com",
    }
    assert "BOOKING_RESCHEDULED" == told["triggerEvent"]
    assert expected == {name: told["payload"][name] for name in expected}
    assert 2 == len(subscriber.requests)


@pytest.mark.parametrize(
    ("action", "trigger", "status"),
    [("confirm", "BOOKING_CREATED", "ACCEPTED"), ("decline", "BOOKING_REJECTED", "REJECTED")],
)
async def test_a_request_is_told_and_so_is_its_decision(
    api: httpx.AsyncClient, subscriber: Subscriber, action: str, trigger: str, status: str
) -> None:
    uid = await book(api, eventTypeId=4)
    await person(api, action=action, uid=uid, reason="no time")

    requested, decided = subscriber.bodies
    assert ("BOOKING_REQUESTED", "PENDING", {"attempt": "1"}) == (
        requested["triggerEvent"],
        requested["payload"]["status"],
        requested["payload"]["metadata"],
    )
    assert (trigger, status, uid) == (
        decided["triggerEvent"],
        decided["payload"]["status"],
        decided["payload"]["uid"],
    )
    assert "metadata" not in decided["payload"]
    assert ("no time" if action == "decline" else None) == decided["payload"].get("rejectionReason")


async def test_a_repeated_request_is_told_once(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    first = await book(api, eventTypeId=4)
    again = await book(api, eventTypeId=4)
    await person(api, **BOOK | {"event_type_id": 4, "attendee": BODY["attendee"]})

    assert first == again
    assert ["BOOKING_REQUESTED"] == subscriber.triggers


async def test_a_moved_request_is_told_as_a_request(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    old = await book(api, eventTypeId=4)
    await move(api, old)

    assert ["BOOKING_REQUESTED", "BOOKING_REQUESTED"] == subscriber.triggers
    assert old == subscriber.bodies[1]["payload"]["rescheduleUid"]


async def test_each_booking_of_a_series_and_each_seat_is_told(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await api.post("/v2/bookings", json=BODY | {"eventTypeId": 8})
    await book(api, eventTypeId=7)
    await book(api, eventTypeId=7, attendee={"name": "Bob", "email": "bob@example.com", "timeZone": "UTC"})

    assert ["BOOKING_CREATED"] * 6 == subscriber.triggers
    assert 4 == len({body["payload"]["uid"] for body in subscriber.bodies[:4]})
    assert subscriber.bodies[4]["payload"]["uid"] == subscriber.bodies[5]["payload"]["uid"]
    assert 2 == len(subscriber.bodies[5]["payload"]["attendees"])


async def test_what_a_person_books_is_told(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    uid = await person(api, **BOOK)

    assert ["BOOKING_CREATED"] == subscriber.triggers
    assert uid == subscriber.bodies[0]["payload"]["uid"]


async def test_a_late_commit_is_told_when_it_comes(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await trouble(api, "late_commit", seconds=0.02)
    with pytest.raises(ConnectionResetError):
        await book(api)
    told_too_early = list(subscriber.requests)
    await subscriber.hears(1)

    assert [] == told_too_early
    assert ["BOOKING_CREATED"] == subscriber.triggers


async def test_a_dead_subscriber_does_not_hang_the_sandbox(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    async def sleep(_body: dict[str, Any]) -> None:
        await asyncio.sleep(60)

    subscriber.reacts = sleep
    async with asyncio.timeout(2):
        await book(api)

    assert {"sent": 0, "dropped": 0, "doubled": 0, "failed": 1, "to_come": 0} == await counted(api)


async def test_a_subscriber_that_cannot_be_reached_is_not_tried_again(
    api: httpx.AsyncClient, subscriber: Subscriber
) -> None:
    async def refuse(_body: dict[str, Any]) -> None:
        message = "refused"
        raise httpx.ConnectError(message)

    subscriber.reacts = refuse
    await book(api)

    assert 1 == len(subscriber.requests)
    assert 1 == (await counted(api))["failed"]


async def test_a_ping_goes_to_everybody_and_tells_of_no_booking(api: httpx.AsyncClient, subscriber: Subscriber) -> None:
    await subscribe(api, triggers=[], event_type_id=3)
    answer = await api.post("/_sandbox/webhooks/ping")

    assert {"subscribers": 2} == answer.json()
    assert ["PING", "PING"] == subscriber.triggers
    payload = subscriber.bodies[0]["payload"]
    assert "Test" == payload["type"]
    assert "uid" not in payload
