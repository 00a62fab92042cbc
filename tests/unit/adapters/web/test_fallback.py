"""
Full fallback, the fallback chain and the retry queue over HTTP, in the language that was asked for.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.web.ports import FreeSlots
from domain.cancel_deferred import CalcomCancelDeferred
from domain.errors import AlreadyOver, AppointmentDatabaseError, CalcomBookingError
from domain.events import BookingDeferred, BookingEvent, CalcomCancelAttempted
from domain.full_fallback import SwitchOn
from domain.moving import CalcomRescheduleAttempted, CalcomRescheduleDeferred, RescheduleRequested
from domain.person import Remark
from sagas.wishes import BookingResult
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import (
    ATTEMPTED,
    BOOKED,
    BOOKING_ID,
    CANCEL_ASKED,
    CREATED,
    FREE,
    NOW,
    REVIEW,
    STARTS,
    booking,
    failed,
)

ADDRESS = "/api/resilience/fallback"
SLOTS = "/api/availability?service_id=consult&from=2027-03-02&to=2027-03-03"
GERMAN = {"Accept-Language": "de-AT, en;q=0.5"}
ISSUES = "System experiencing issues. We are working to restore service."
ON = SwitchOn(actor="ada", reason="they move house")
LATER = datetime.now(UTC) + timedelta(hours=1)
CANCEL_PUT_OFF = CalcomCancelDeferred(at=NOW, uid="uid1", until=LATER, reason="breaker_open")
MOVE_ASKED = RescheduleRequested(at=NOW, starts_at=STARTS, ends_at=STARTS, command_id=None, person=Remark(reason=""))
MOVE_PUT_OFF = CalcomRescheduleDeferred(at=NOW, until=LATER, reason="rate_limited")
TRIED: dict[str, BookingEvent] = {
    "cancel": CalcomCancelAttempted(at=NOW, uid="uid1", purpose="cancellation", number=1),
    "reschedule": CalcomRescheduleAttempted(at=NOW, uid="uid1", number=1, send_by=NOW, answer_by=NOW),
}
DEFERRED = BookingDeferred(at=NOW, until=NOW + timedelta(minutes=1), reason="breaker_open")


async def test_it_is_switched_on_and_off_by_whose_key_it_is(client: httpx.AsyncClient) -> None:
    before = (await client.get(ADDRESS)).json()
    begun = (await client.post(ADDRESS, json={"reason": "they move house", "seconds": 60})).json()
    ended = (await client.delete(ADDRESS)).json()

    assert ("normal", None, None) == (before["mode"], before["full_fallback"], before["last_ended"])
    held = begun["full_fallback"]
    assert ("full_fallback", "they move house") == (begun["mode"], held["reason"])
    assert held["actor"].startswith("acme/")
    assert ("normal", None, held["actor"]) == (ended["mode"], ended["full_fallback"], ended["last_ended"]["actor"])


async def test_the_table_of_features_follows_the_mode(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.fallback.failing = True

    told = (await client.get(ADDRESS)).json()

    assert "degraded" == told["mode"]
    assert {"read", "list", "staff", "cached_slots"} == {
        name for name, feature in told["features"].items() if feature["available"]
    }


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("reason", {}),
        ("reason", {"reason": " "}),
        ("seconds", {"reason": "why", "seconds": 0}),
        ("seconds", {"reason": "why", "seconds": 1e-9}),
        ("seconds", {"reason": "why", "seconds": 86_401}),
        ("until", {"reason": "why", "until": "tomorrow"}),
    ],
)
async def test_a_wrong_wish_names_its_field(client: httpx.AsyncClient, field: str, body: dict[str, Any]) -> None:
    answer = await client.post(ADDRESS, json=body)

    assert 422 == answer.status_code
    assert [field] == [error["field"] for error in answer.json()["errors"]]


async def test_nobody_is_kept_waiting_while_it_holds(backend: FakeBackend, wish: dict[str, Any]) -> None:
    await backend.fallback.on(ON)
    async with connect(backend) as client:
        await client.post("/api/bookings", json=wish, headers={"Prefer": "wait=30"})
        await client.post(f"/api/bookings/{BOOKING_ID}/cancel", json={"reason": "ill"})
        await client.post(f"/api/bookings/{BOOKING_ID}/reschedule", json={"starts_at": "2027-03-02T12:00:00+01:00"})

    assert [0.0, 0.0, 0.0] == backend.bookings.patience


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        (DEFERRED, ("queued", "Request queued, will retry automatically", True)),
        (REVIEW, ("manual_review", "Critical - requires manual action", False)),
    ],
)
async def test_an_answer_says_which_rung_it_comes_from(
    backend: FakeBackend, wish: dict[str, Any], happened: BookingEvent, told: tuple[str, str, bool]
) -> None:
    rung, notice, retries = told
    backend.bookings.result = BookingResult(booking=booking(happened, key_given=True))
    async with connect(backend) as client:
        answer = await client.post("/api/bookings", json=wish, headers={"Idempotency-Key": "a"})
        german = await client.post("/api/bookings", json=wish, headers={"Idempotency-Key": "a", **GERMAN})
        counted = (await client.get("/api/resilience/fallback-metrics")).json()["operations"]["book"]

    assert 202 == answer.status_code
    assert {"rung": rung, "notice": notice, "retries_itself": retries} == answer.json()["fallback"]
    assert rung == german.json()["fallback"]["rung"]
    assert answer.json()["message"] != german.json()["message"]
    assert (2, 1.0) == (counted[rung], counted["rates"][rung])


@pytest.mark.parametrize(
    ("operation", "body", "happened", "said"),
    [
        ("cancel", {"reason": "ill"}, (CANCEL_ASKED, CANCEL_PUT_OFF), ("cancellation", "Absage")),
        ("reschedule", {"starts_at": "2027-03-02T12:00:00+01:00"}, (MOVE_ASKED, MOVE_PUT_OFF), ("moved", "verschoben")),
    ],
)
async def test_a_change_that_waits_for_cal_com_is_in_the_queue_until_cal_com_is_asked(
    backend: FakeBackend,
    operation: str,
    body: dict[str, str],
    happened: tuple[BookingEvent, ...],
    said: tuple[str, str],
) -> None:
    address = f"/api/bookings/{BOOKING_ID}/{operation}"
    async with connect(backend) as client:

        async def asked(*events: BookingEvent, **headers: str) -> httpx.Response:
            backend.bookings.result = BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED, *events))
            return await client.post(address, json=body, headers=headers)

        waits, german = await asked(*happened), await asked(*happened, **GERMAN)
        under_way = await asked(*happened, TRIED[operation])
        counted = (await client.get("/api/resilience/fallback-metrics")).json()["operations"][operation]

    assert {202} == {one.status_code for one in (waits, german, under_way)}
    assert ("queued", True) == (waits.json()["fallback"]["rung"], waits.json()["fallback"]["retries_itself"])
    for answer, beginning, word in ((waits, "The calendar", said[0]), (german, "Der Kalender", said[1])):
        assert answer.json()["message"].startswith(beginning)
        assert word in answer.json()["message"]
    assert (60, 2) == (int(waits.headers["Retry-After"]), int(under_way.headers["Retry-After"]))
    assert "fallback" not in under_way.json()
    assert (2, 1) == (counted["queued"], counted["primary"])


async def test_what_is_under_way_or_done_comes_from_the_first(backend: FakeBackend, wish: dict[str, Any]) -> None:
    async with connect(backend) as client:
        done = await client.post("/api/bookings", json=wish)
        backend.bookings.result = BookingResult(booking=booking(ATTEMPTED))
        going_on = await client.post("/api/bookings", json=wish)
        counted = (await client.get("/api/resilience/fallback-metrics")).json()["operations"]["book"]

    assert (201, 202) == (done.status_code, going_on.status_code)
    assert "fallback" not in done.json()
    assert "fallback" not in going_on.json()
    assert (2, 2) == (counted["answers"], counted["primary"])


async def test_old_slots_say_so(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.availability.free = replace(FREE, source="stale", age_seconds=1800)

    told = (await client.get(SLOTS)).json()
    german = (await client.get(SLOTS, headers=GERMAN)).json()

    assert ("stale", 1800, "Availability from cache (may be stale)") == (
        told["source"],
        told["age_seconds"],
        told["message"],
    )
    assert {"rung": "stale", "notice": told["message"], "retries_itself": False} == told["fallback"]
    assert "Freie Zeiten" in german["message"]
    assert "message" not in (await _with(backend, replace(FREE, source="cache"))).json()


async def _with(backend: FakeBackend, free: FreeSlots) -> httpx.Response:
    backend.availability.free = free
    async with connect(backend) as client:
        return await client.get(SLOTS)


async def test_below_the_last_rung_people_are_told_that_it_is_worked_on(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]
) -> None:
    backend.availability.error = CalcomBookingError("gone", status=None, transient=True)
    backend.bookings.error = AppointmentDatabaseError("away", kind="connection_lost")

    slots, booked = await client.get(SLOTS), await client.post("/api/bookings", json=wish)
    german = await client.post("/api/bookings", json=wish, headers=GERMAN)
    backend.bookings.error = AppointmentDatabaseError("away", kind="timeout", booking_id=uuid4())
    perhaps = await client.post("/api/bookings", json=wish)
    counted = (await client.get("/api/resilience/fallback-metrics")).json()["operations"]

    assert {503} == {one.status_code for one in (slots, booked, german, perhaps)}
    assert {ISSUES} == {slots.json()["message"], booked.json()["message"]}
    assert "Es gibt gerade eine Störung. Wir arbeiten daran, sie zu beheben." == german.json()["message"]
    assert perhaps.json()["message"].startswith(ISSUES)
    assert {"refused"} == {one.json()["fallback"]["rung"] for one in (slots, booked, german, perhaps)}
    assert (1, 3) == (counted["availability"]["refused"], counted["book"]["refused"])


async def test_what_refuses_a_wish_for_good_is_no_fallback(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]
) -> None:
    backend.bookings.error = AlreadyOver(BOOKING_ID)
    answer = await client.post("/api/bookings", json=wish, headers=GERMAN)
    counted = (await client.get("/api/resilience/fallback-metrics")).json()["operations"]["book"]

    assert (409, 0) == (answer.status_code, counted["answers"])
    assert "Dieser Termin ist vorbei und lässt sich nicht mehr ändern." == answer.json()["message"]
    assert "fallback" not in answer.json()


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("slot_taken", ["The time is already taken.", "Die Zeit ist schon vergeben."]),
        (
            "near_duplicate",
            [
                "You already have a booking of this service at nearly the same time.",
                "Sie haben diese Leistung schon zu fast derselben Zeit gebucht.",
            ],
        ),
    ],
)
async def test_a_refusal_can_be_said_in_both_languages(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any], reason: str, said: list[str]
) -> None:
    backend.bookings.result = BookingResult(booking=booking(failed(reason)))

    answers = [await client.post("/api/bookings", json=wish, headers=headers) for headers in ({}, GERMAN)]

    assert [409, 409] == [one.status_code for one in answers]
    assert said == [one.json()["message"] for one in answers]
    # What programs and programmers read is the same for all.
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


async def test_the_queue_is_the_companys_own_and_paged(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    page = (await client.get("/api/resilience/queue?limit=7")).json()
    wrong = await client.get("/api/resilience/queue?cursor=bad")
    async with connect(backend, key="other/ops:read") as stranger:
        theirs = (await stranger.get("/api/resilience/queue")).json()

    (one,) = page["queue"]
    assert (str(BOOKING_ID), "full_fallback", "more") == (one["booking_id"], one["waits_for"], page["next_cursor"])
    assert [] == theirs["queue"]
    assert [("acme", 7, None), ("acme", 50, "bad"), ("other", 50, None)] == backend.queue.asked
    assert (422, "cursor") == (wrong.status_code, wrong.json()["errors"][0]["field"])
