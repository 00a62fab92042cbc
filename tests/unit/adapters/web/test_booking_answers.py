from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.reasons import sentence
from domain import events as e
from domain.errors import AppointmentDatabaseError, CircuitOpenError, KeyReused
from sagas.wishes import BookingResult
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import (
    ATTEMPTED,
    BOOKED,
    BOOKING_ID,
    CANCEL_ASKED,
    CANCELLED,
    CREATED,
    NOW,
    OTHER_ID,
    REVIEW,
    UNDOING,
    booking,
    failed,
)

LOCATION = f"/api/bookings/{BOOKING_ID}"


async def test_a_booking_in_both_places_is_created(client: httpx.AsyncClient, wish: dict[str, Any]) -> None:
    answer = await client.post("/api/bookings", json=wish)

    assert 201 == answer.status_code
    assert LOCATION == answer.headers["Location"]
    assert "Idempotency-Replayed" not in answer.headers
    assert {
        "id": str(BOOKING_ID),
        "status": "booked",
        "company_id": "acme",
        "calcom_booking_uid": "uid1",
        "failure": None,
        "starts_at": "2027-03-02T09:00:00+00:00",
        "version": 4,
    }.items() <= answer.json()["booking"].items()


async def test_a_repeated_key_gets_the_same_booking(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]
) -> None:
    backend.bookings.result = BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED), replayed=True)

    answer = await client.post("/api/bookings", json=wish)

    assert 200 == answer.status_code
    assert "true" == answer.headers["Idempotency-Replayed"]


@pytest.mark.parametrize(
    ("happened", "key_given", "said"),
    [
        ([ATTEMPTED], False, "still confirming"),
        ([e.BookingDeferred(at=NOW, until=NOW, reason="circuit_open")], False, "queued and will be retried"),
        ([ATTEMPTED, CREATED, UNDOING], False, "could not be kept"),
        ([ATTEMPTED, CREATED, BOOKED, CANCEL_ASKED], False, "cancellation is recorded"),
        ([REVIEW], True, "has to look at it"),
    ],
)
@pytest.mark.parametrize("replayed", [False, True])
async def test_what_goes_on_is_accepted_with_a_sentence_to_say(
    *,
    client: httpx.AsyncClient,
    backend: FakeBackend,
    wish: dict[str, Any],
    happened: list[e.BookingEvent],
    key_given: bool,
    said: str,
    replayed: bool,
) -> None:
    backend.bookings.result = BookingResult(booking=booking(*happened, key_given=key_given), replayed=replayed)

    answer = await client.post("/api/bookings", json=wish)

    assert 202 == answer.status_code
    assert LOCATION == answer.headers["Location"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert said in answer.json()["message"]
    assert replayed == (answer.headers.get("Idempotency-Replayed") == "true")


@pytest.mark.parametrize(("seconds", "expected"), [(-5, 2), (20, 20), (4000, 60)])
async def test_retry_after_follows_the_next_attempt(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any], seconds: int, expected: int
) -> None:
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    deferred = e.BookingDeferred(at=NOW, until=until, reason="circuit_open")
    backend.bookings.result = BookingResult(booking=booking(deferred))

    answer = await client.post("/api/bookings", json=wish)

    assert expected == pytest.approx(int(answer.headers["Retry-After"]), abs=1)


@pytest.mark.parametrize(
    ("happened", "slug", "reason", "about"),
    [
        ([failed("slot_taken")], "slot-taken", "slot_taken", BOOKING_ID),
        ([failed("near_duplicate", conflicting=OTHER_ID)], "near-duplicate", "near_duplicate", OTHER_ID),
        ([failed("expired")], "booking-refused", "expired", BOOKING_ID),
        ([failed("needs_confirmation")], "booking-refused", "needs_confirmation", BOOKING_ID),
        ([ATTEMPTED, CREATED, BOOKED, CANCEL_ASKED, CANCELLED], "booking-cancelled", "cancelled", BOOKING_ID),
        ([REVIEW], "needs-review", "needs_review", BOOKING_ID),
    ],
)
@pytest.mark.parametrize("replayed", [False, True])
async def test_a_refused_booking_is_a_conflict(
    *,
    client: httpx.AsyncClient,
    backend: FakeBackend,
    wish: dict[str, Any],
    happened: list[e.BookingEvent],
    slug: str,
    reason: str,
    about: object,
    replayed: bool,
) -> None:
    backend.bookings.result = BookingResult(booking=booking(*happened), replayed=replayed)

    answer = await client.post("/api/bookings", json=wish)
    problem = answer.json()

    assert 409 == answer.status_code
    assert "application/problem+json" == answer.headers["Content-Type"]
    assert (f"urn:calsaga:problem:{slug}", reason, str(about)) == (
        problem["type"],
        problem["reason"],
        problem["booking_id"],
    )
    assert replayed == (answer.headers.get("Idempotency-Replayed") == "true")


@pytest.mark.parametrize("reason", ["slot_taken", "booker_limit", "http_418"])
async def test_nobody_is_told_what_cal_com_said(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any], reason: str
) -> None:
    # The detail of these failures is "it did not work".
    backend.bookings.result = BookingResult(booking=booking(failed(reason)))
    refused = (await client.post("/api/bookings", json=wish)).json()
    read = (await client.get(LOCATION)).json()["booking"]["failure"]

    assert (reason, reason) == (refused["reason"], read["reason"])
    assert (sentence(reason), sentence(reason)) == (refused["detail"], read["detail"])


async def test_a_wish_too_close_to_an_older_booking_is_a_near_duplicate(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]
) -> None:
    older = booking(ATTEMPTED, CREATED, BOOKED)
    backend.bookings.result = BookingResult(booking=older, replayed=True, near_duplicate=True)

    answer = await client.post("/api/bookings", json=wish)

    assert (409, str(BOOKING_ID)) == (answer.status_code, answer.json()["booking_id"])


async def test_a_key_with_another_payload_is_unprocessable(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]
) -> None:
    backend.bookings.error = KeyReused(BOOKING_ID)

    answer = await client.post("/api/bookings", json=wish, headers={"Idempotency-Key": "k"})

    assert 422 == answer.status_code
    assert "urn:calsaga:problem:key-reused" == answer.json()["type"]
    assert "Idempotency-Key" == answer.json()["errors"][0]["field"]


async def test_a_lost_database_names_the_booking_that_may_go_on(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]
) -> None:
    backend.bookings.error = AppointmentDatabaseError("gone", kind="connection_lost", booking_id=BOOKING_ID)

    answer = await client.post("/api/bookings", json=wish)

    assert 503 == answer.status_code
    assert LOCATION == answer.headers["Location"]
    assert int(answer.headers["Retry-After"]) > 0
    assert str(BOOKING_ID) == answer.json()["booking_id"]
    assert "may go on" in answer.json()["detail"]


async def test_a_database_that_will_never_take_it_promises_nothing(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]
) -> None:
    backend.bookings.error = AppointmentDatabaseError("no such column", kind="other", booking_id=BOOKING_ID)

    answer = await client.post("/api/bookings", json=wish)

    assert (500, str(BOOKING_ID)) == (answer.status_code, answer.json()["booking_id"])
    assert "Retry-After" not in answer.headers
    assert "in time" not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AppointmentDatabaseError("secret words", kind="timeout"), 503),
        (AppointmentDatabaseError("secret words", kind="exhausted"), 503),
        (AppointmentDatabaseError("secret words", kind="data"), 500),
        (CircuitOpenError("calcom", retry_after=0.2), 503),
        (RuntimeError("secret words"), 500),
    ],
)
async def test_a_fault_tells_nothing_but_the_correlation_id(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any], error: Exception, status: int
) -> None:
    backend.bookings.error = error

    answer = await client.post("/api/bookings", json=wish, headers={"X-Correlation-Id": "corr-1"})

    assert status == answer.status_code
    assert "corr-1" == answer.json()["correlation_id"] == answer.headers["X-Correlation-Id"]
    assert "secret words" not in answer.text
    assert (status == 503) == ("Retry-After" in answer.headers)


@pytest.mark.parametrize(
    ("header", "patience", "applied"),
    [
        (None, 10, None),
        ("respond-async", 0, "respond-async"),
        ("wait=3", 3, "wait=3"),
        ("respond-async, wait=5", 5, "wait=5"),
        ('wait="7"', 7, "wait=7"),
        ("Wait = 7", 7, "wait=7"),
        ("wait=600", 60, "wait=60"),
        ("wait=-1", 10, None),
        ("wait=soon", 10, None),
        ("handling=lenient", 10, None),
        ("respond-async; foo=bar", 0, "respond-async"),
    ],
)
async def test_the_caller_says_how_long_to_wait(
    *,
    client: httpx.AsyncClient,
    backend: FakeBackend,
    wish: dict[str, Any],
    header: str | None,
    patience: float,
    applied: str | None,
) -> None:
    answer = await client.post("/api/bookings", json=wish, headers={"Prefer": header} if header else {})

    assert [patience] == backend.bookings.patience
    assert applied == answer.headers.get("Preference-Applied")


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("abc", "abc"),
        ('"abc"', "abc"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("a, b", "a, b"),
        ("k" * 255, "k" * 255),
        ('"' + "k" * 255 + '"', "k" * 255),
    ],
)
async def test_a_key_is_taken_bare_or_quoted(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any], header: str, key: str
) -> None:
    answer = await client.post("/api/bookings", json=wish, headers={"Idempotency-Key": header})

    assert (201, key) == (answer.status_code, backend.bookings.booked[0].idempotency_key)


@pytest.mark.parametrize(
    "header",
    [b"", b" ", b'"', b'""', b'"a', b'"a"b"', b"k" * 256, b'"' + b"k" * 256 + b'"', "schlüssel".encode(), b"a\tb"],
)
async def test_a_key_that_is_none_is_named(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any], header: bytes
) -> None:
    answer = await client.post("/api/bookings", json=wish, headers=[(b"Idempotency-Key", header)])

    assert 422 == answer.status_code
    assert ["Idempotency-Key"] == [one["field"] for one in answer.json()["errors"]]
    assert [] == backend.bookings.booked


async def test_two_keys_are_one_too_many(client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]) -> None:
    answer = await client.post("/api/bookings", json=wish, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])

    assert (422, []) == (answer.status_code, backend.bookings.booked)


@pytest.mark.parametrize("given", ["", "with space", "a\tb", "ü", "x" * 129, "-x", "<script>"])
async def test_a_correlation_id_that_is_not_sane_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/livez", headers=[(b"X-Correlation-Id", given.encode())])

    assert given != answer.headers["X-Correlation-Id"]
    assert 32 == len(answer.headers["X-Correlation-Id"])


async def test_a_sane_correlation_id_reaches_the_booking(
    client: httpx.AsyncClient, backend: FakeBackend, wish: dict[str, Any]
) -> None:
    await client.post("/api/bookings", json=wish, headers={"X-Correlation-Id": "call-4711"})

    assert "call-4711" == backend.bookings.booked[0].correlation_id


@pytest.mark.parametrize(
    ("happened", "status"),
    [
        ([ATTEMPTED, CREATED, BOOKED, CANCEL_ASKED, CANCELLED], 200),
        ([failed("expired")], 200),
        ([ATTEMPTED, CREATED, BOOKED, CANCEL_ASKED], 202),
        ([REVIEW], 202),
    ],
)
async def test_a_cancellation_is_done_or_goes_on(
    client: httpx.AsyncClient, backend: FakeBackend, happened: list[e.BookingEvent], status: int
) -> None:
    backend.bookings.result = BookingResult(booking=booking(*happened))

    answer = await client.post(
        f"{LOCATION}/cancel", json={"reason": "ill"}, headers={"Idempotency-Key": '"c1"', "Prefer": "wait=1"}
    )

    assert status == answer.status_code
    assert (status == 202) == ("Retry-After" in answer.headers)
    assert ("ill", "c1", "acme") == (
        backend.bookings.cancelled[0].reason,
        backend.bookings.cancelled[0].idempotency_key,
        backend.bookings.cancelled[0].company_id,
    )
    assert [1] == backend.bookings.patience


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "a\x00b"}, {"reason": 1}])
async def test_a_cancellation_needs_a_reason(
    client: httpx.AsyncClient, backend: FakeBackend, body: dict[str, Any]
) -> None:
    answer = await client.post(f"{LOCATION}/cancel", json=body)

    assert (422, "reason") == (answer.status_code, answer.json()["errors"][0]["field"])
    assert [] == backend.bookings.cancelled
