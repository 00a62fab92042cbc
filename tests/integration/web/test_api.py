from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from adapters.bootstrap import Application
from domain.events import BookingEvent
from domain.findings import InconsistencyDetected, InconsistencyResolved
from tests.histories.appending import append
from tests.integration.web.conftest import SERVICE, connected, wish

NOBODYS = UUID(int=7)


async def test_a_booking_lives_from_wish_to_cancellation(client: httpx.AsyncClient, opened: Application) -> None:
    body = wish()
    booked = await client.post("/api/bookings", json=body, headers={"Idempotency-Key": "k1", "X-Correlation-Id": "c1"})
    again = await client.post("/api/bookings", json=body, headers={"Idempotency-Key": '"k1"'})
    other = await client.post("/api/bookings", json=wish(1), headers={"Idempotency-Key": "k1"})
    near = await client.post("/api/bookings", json=body)
    where = booked.headers["Location"]
    read = await client.get(where)
    pending = await client.get(f"{where}?at_version=1")
    events = await client.get(f"{where}/events")
    timeline = await client.get(f"{where}/timeline?format=text")
    cancelled = await client.post(f"{where}/cancel", json={"reason": "ill"}, headers={"Idempotency-Key": "x"})
    cancelled_again = await client.post(f"{where}/cancel", json={"reason": "ill"}, headers={"Idempotency-Key": "x"})
    after = await client.post("/api/bookings", json=body, headers={"Idempotency-Key": "k1"})
    await opened.followers.catch_up()
    listed = await client.get("/api/bookings?status=cancelled")

    assert (201, "booked", "c1") == (
        booked.status_code,
        booked.json()["booking"]["status"],
        booked.json()["booking"]["correlation_id"],
    )
    assert (200, booked.json()) == (again.status_code, again.json())
    assert (422, "urn:calsaga:problem:key-reused") == (other.status_code, other.json()["type"])
    assert (409, booked.json()["booking"]["id"]) == (near.status_code, near.json()["booking_id"])
    assert booked.json() == read.json()
    assert ("pending", 1) == (pending.json()["booking"]["status"], pending.json()["booking"]["version"])
    assert "booking.appointment-booked.v1" == events.json()["events"][-1]["type"]
    assert "Lovelace" not in events.text + timeline.text
    assert (200, "cancelled") == (cancelled.status_code, cancelled.json()["booking"]["status"])
    assert (200, "true") == (cancelled_again.status_code, cancelled_again.headers["Idempotency-Replayed"])
    assert (409, "cancelled") == (after.status_code, after.json()["reason"])
    assert [booked.json()["booking"]["id"]] == [one["id"] for one in listed.json()["bookings"]]


async def test_how_long_callers_wait_is_measured_by_route(client: httpx.AsyncClient) -> None:
    booked = await client.post("/api/bookings", json=wish())
    await client.get(booked.headers["Location"])
    metrics = (await client.get("/metrics")).text

    for operation in ("POST /api/bookings", "GET /api/bookings/{booking_id}"):
        assert f'calsaga_answer_seconds_count{{operation="{operation}"}} 1.0' in metrics


async def test_whoever_is_told_how_to_book_beside_another_booking_can_do_it_so(client: httpx.AsyncClient) -> None:
    first = wish()
    later = datetime.fromisoformat(first["starts_at"]) + timedelta(minutes=3)
    near, beside = first | {"starts_at": later.isoformat()}, {"allow_near_duplicate": True}

    async def book(body: dict[str, Any], key: str | None = None) -> httpx.Response:
        return await client.post("/api/bookings", json=body, headers={} if key is None else {"Idempotency-Key": key})

    booked = await book(first)
    with_key, without_key = await book(near, "near"), await book(near)
    same_wish = await book(first | {"staff_id": "ben"})
    as_told = [
        await book(near | beside, "new"),
        await book(near | beside),
        await book(first | beside | {"staff_id": "ben"}, "another"),
    ]
    otherwise = [await book(near | beside, "near"), await book(first | beside | {"staff_id": "ben"})]

    refused = [with_key, without_key, same_wish]
    assert [(409, booked.json()["booking"]["id"])] * 3 == [(it.status_code, it.json()["booking_id"]) for it in refused]
    assert [
        "Send `allow_near_duplicate` with a new `Idempotency-Key` to book beside it.",
        "Send `allow_near_duplicate` to book beside it.",
        "Send `allow_near_duplicate` with an `Idempotency-Key` to book beside it.",
    ] == [it.json()["detail"].partition("`booking_id`. ")[2] for it in refused]
    assert [201] * 3 == [it.status_code for it in as_told]
    assert [422, 409] == [it.status_code for it in otherwise]


async def test_one_key_makes_one_booking_however_often_at_once(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.post("/api/bookings", json=wish(), headers={"Idempotency-Key": "same"}) for _ in range(20))
    )

    assert 1 == len({answer.json()["booking"]["id"] for answer in answers})
    assert [200] * 19 + [201] == sorted(answer.status_code for answer in answers)


async def test_an_impatient_caller_is_answered_once_the_wish_is_durable(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/bookings", json=wish(), headers={"Prefer": "respond-async"})
    where = answer.headers["Location"]
    statuses = {(await client.get(where)).json()["booking"]["status"]}
    while "booked" not in statuses:
        await asyncio.sleep(0.05)
        statuses.add((await client.get(where)).json()["booking"]["status"])

    assert (202, "respond-async") == (answer.status_code, answer.headers["Preference-Applied"])
    assert answer.json()["message"]
    assert statuses <= {"pending", "booked"}


async def test_another_company_sees_nothing(client: httpx.AsyncClient, opened: Application) -> None:
    where = (await client.post("/api/bookings", json=wish())).headers["Location"]
    await opened.followers.catch_up()
    async with connected(opened, company_id="rival") as rival:
        statuses = [
            (await rival.request(method, path, json=body)).status_code
            for method, path, body in (
                ("GET", where, None),
                ("GET", f"{where}?at_version=1", None),
                ("GET", f"{where}/events", None),
                ("GET", f"{where}/timeline", None),
                ("POST", f"{where}/cancel", {"reason": "mine now"}),
                ("PUT", "/api/companies/default", {"calcom_key": "cal_x"}),
            )
        ]
        foreign = await rival.post("/api/bookings", json=wish())
        lists = [(await rival.get(path)).json() for path in ("/api/bookings", "/api/services")]
        nobody = (await rival.get("/api/customers?email=ada0@example.com")).json()

    assert [404] * 6 == statuses
    assert (422, "service_id") == (foreign.status_code, foreign.json()["errors"][0]["field"])
    assert [] == lists[0]["bookings"] == lists[1]["services"] == nobody["customers"]
    assert "booked" == (await client.get(where)).json()["booking"]["status"]


async def test_a_caller_is_known_by_their_phone(client: httpx.AsyncClient) -> None:
    unknown = await client.get("/api/customers?phone=+491701234567")
    customer = {"name": "Ada Lovelace", "phone": "+49 170 1234567"}
    booked = await client.post("/api/bookings", json=wish(customer=customer))
    learned = await client.post("/api/bookings", json=wish(2, customer=customer | {"email": "Ada@example.com"}))
    known = await client.get("/api/customers?phone=0049-170-1234567")
    by_address = await client.get("/api/customers?email=ada@EXAMPLE.com")

    assert (200, {"customers": []}) == (unknown.status_code, unknown.json())
    [found] = known.json()["customers"]
    assert ("Ada Lovelace", "Ada@example.com", "+491701234567") == (found["name"], found["email"], found["phone"])
    assert {found["customer_id"]} == {one.json()["booking"]["customer_id"] for one in (booked, learned)}
    assert known.json() == by_address.json()


async def test_nobody_is_booked_outside_the_opening_hours(client: httpx.AsyncClient) -> None:
    everyday = {day: [["09:00", "12:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    put = await client.put("/api/services/consult", json=SERVICE | {"opening_hours": everyday, "time_zone": "UTC"})
    day = (datetime.now(UTC) + timedelta(days=7)).replace(minute=0, second=0, microsecond=0)
    booked = await client.post("/api/bookings", json=wish(starts_at=day.replace(hour=11, minute=30).isoformat()))
    late = await client.post("/api/bookings", json=wish(2, starts_at=day.replace(hour=11, minute=45).isoformat()))
    listed = await client.get("/api/services")
    events = await client.get(f"{booked.headers['Location']}/events")

    assert (200, 201, 422) == (put.status_code, booked.status_code, late.status_code)
    [error] = late.json()["errors"]
    assert "starts_at" == error["field"]
    assert "09:00 to 12:00 (UTC)" in error["message"]
    assert [everyday] == [one["opening_hours"] for one in listed.json()["services"]]
    assert "opening_hours" not in events.text


@pytest.mark.parametrize("event_type_id", [4, 6, 7, 8, 10, 11, 999])
async def test_an_event_type_that_cannot_be_compensated_is_refused(
    client: httpx.AsyncClient, event_type_id: int
) -> None:
    answer = await client.put("/api/services/other", json=SERVICE | {"calcom_event_type_id": event_type_id})
    length = await client.put("/api/services/other", json=SERVICE | {"duration_minutes": 45})

    assert 422 == answer.status_code, answer.text
    assert "calcom_event_type_id" in {one["field"] for one in answer.json()["errors"]}
    assert (422, "duration_minutes") == (length.status_code, length.json()["errors"][0]["field"])
    assert ["consult"] == [one["service_id"] for one in (await client.get("/api/services")).json()["services"]]


async def test_keys_are_made_and_revoked(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/keys", json={"scopes": ["ops:read"]})
    headers = {"Authorization": f"Bearer {made.json()['secret']}"}
    allowed = await client.get("/api/keys", headers=headers)
    forbidden = await client.get("/api/bookings", headers=headers)
    revoked = await client.delete(f"/api/keys/{made.json()['key']['key_id']}")
    ended = await client.get("/api/keys", headers=headers)

    assert [201, 200, 403, 204, 401] == [it.status_code for it in (made, allowed, forbidden, revoked, ended)]
    assert made.json()["secret"] not in allowed.text


async def test_secrets_are_stored(client: httpx.AsyncClient) -> None:
    put = await client.put("/api/companies/default", json={"calcom_key": "cal_mine"})
    listed = await client.get("/api/companies")

    assert 200 == put.status_code
    assert [{"company_id": "default", "has_calcom_key": True, "has_webhook_secret": False}] == listed.json()[
        "companies"
    ]


async def test_it_is_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")

    assert (200, "ready") == (answer.status_code, answer.json()["status"])


@pytest.mark.parametrize(
    "path", [f"/api/bookings/{NOBODYS}", f"/api/bookings/{NOBODYS}/events", "/api/bookings/%00/timeline"]
)
async def test_what_never_was_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert 404 == (await client.get(path)).status_code


@pytest.mark.parametrize(
    "changes",
    [
        {"service_id": "a\x00b"},
        {"service_id": "nowhere"},
        {"customer": {"name": "A\x00", "email": "a@example.com"}},
        {"metadata": {"a\x00": "b"}, "source": ""},
        {"time_zone": "Nowhere/Land"},
        {"starts_at": "2020-01-01T00:00:00+00:00"},
        {"metadata": {"deep": [{"nul": "a\x00b"}]}},
    ],
)
async def test_what_is_wrong_is_named_and_not_stored(
    client: httpx.AsyncClient, opened: Application, changes: dict[str, Any]
) -> None:
    before = await opened.store.log.head()
    answer = await client.post("/api/bookings", json=wish(**changes))

    assert 422 == answer.status_code, answer.text
    assert before == await opened.store.log.head()


async def test_metadata_with_any_text_is_kept(client: httpx.AsyncClient) -> None:
    odd = {"lines": "a\nb\tc", "emoji": "🦷", "big": 10**30, "deep": [[[{}]]]}
    answer = await client.post("/api/bookings", json=wish(metadata=odd))

    assert 201 == answer.status_code, answer.text
    assert 200 == (await client.get(f"{answer.headers['Location']}/events")).status_code


async def test_what_differs_is_listed_and_decided(client: httpx.AsyncClient, opened: Application) -> None:
    booked = (await client.post("/api/bookings", json=wish())).json()["booking"]
    found = InconsistencyDetected(
        at=opened.store.clock.now(),
        kind="time_drift",
        uid=booked["calcom_booking_uid"],
        evidence="half an hour later there",
        repair="move",
    )
    await append_to(opened, UUID(booked["id"]), found)
    await opened.followers.catch_up()

    listed = await client.get("/api/sync-failures?status=pending")
    (failure,) = listed.json()["sync_failures"]
    where = f"/api/sync-failures/{failure['id']}"
    async with connected(opened, company_id="rival") as rival:
        seen = (await rival.get("/api/sync-failures")).json()["sync_failures"]
        theirs = await rival.post(f"{where}/retry")

    assert (booked["id"], booked["appointment_id"], booked["calcom_booking_uid"], "time_drift") == (
        failure["booking_id"],
        failure["appointment_id"],
        failure["calcom_booking_id"],
        failure["failure_type"],
    )
    assert ([], 404) == (seen, theirs.status_code)

    resolved = InconsistencyResolved(
        at=opened.store.clock.now(), kind="time_drift", uid=found.uid, how="moved", actor="calsaga"
    )
    await append_to(opened, UUID(booked["id"]), resolved)
    decided = await client.post(f"{where}/resolve", json={"answer": "keep_local"})
    await opened.followers.catch_up()
    after = await client.get("/api/sync-failures?status=resolved")

    assert (409, booked["id"]) == (decided.status_code, decided.json()["booking_id"])
    assert [failure["id"]] == [one["id"] for one in after.json()["sync_failures"]]


async def append_to(opened: Application, booking_id: UUID, event: BookingEvent) -> None:
    recorded = await opened.store.log.read(booking_id)
    last = recorded[-1]
    await append(opened.store.log, [replace(last, version=last.version + 1, event=event)])
