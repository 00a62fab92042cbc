from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain import findings as f
from domain.errors import AppointmentError, CustomerValidationError, FieldError, NothingToDecide, UnknownBooking
from domain.person import Remark
from projections.failures import SyncFailure
from sagas.repairs import AnswerReview
from sagas.wishes import BookingResult
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import (
    ATTEMPTED,
    BOOKED,
    BOOKING_ID,
    CREATED,
    FAILURE,
    FAILURE_ID,
    FOUND,
    NOW,
    OTHER_ID,
    booking,
    initiated,
    stream,
)

ONE = f"/api/sync-failures/{FAILURE_ID}"
STREAM = (initiated(), ATTEMPTED, CREATED, BOOKED, FOUND)
ASKED = f.ManualReviewRequested(at=NOW, reason="already_ended", detail="Ada", attempt_id="a", uid="uid1")
ANSWERED = f.ManualReviewAnswered(
    at=NOW,
    answer="cancel",
    actor="me",
    person=Remark(reason=""),
    attempt_id="a",
    uid="uid1",
    status_after="cancelling",
    reason_after=None,
    detail_after=None,
)


async def test_the_list_is_asked_what_the_caller_asked(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    answer = await client.get("/api/sync-failures?status=manual_review&limit=7&cursor=abc")
    wanted, limit, cursor = backend.sync_failures.asked[0]

    assert (200, "more") == (answer.status_code, answer.json()["next_cursor"])
    assert ("acme", "manual_review", 7, "abc") == (wanted.company_id, wanted.status, limit, cursor)
    assert [
        {
            "id": str(FAILURE_ID),
            "company_id": "acme",
            "booking_id": str(BOOKING_ID),
            "appointment_id": None,
            "calcom_booking_id": "uid1",
            "attempt_id": "a",
            "failure_type": "orphan",
            "error_message": "it stands there alone",
            "proposed_repair": "cancel",
            "status": "manual_review",
            "resolution": None,
            "actor": None,
            "attempt_count": 1,
            "created_at": "2026-11-22T08:00:00+00:00",
            "updated_at": "2026-11-22T08:00:00+00:00",
            "resolved_at": None,
        }
    ] == answer.json()["sync_failures"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("cursor=bad", "cursor"),
        ("cursor=", "cursor"),
        ("state=pending", "state"),
    ],
)
async def test_a_wrong_filter_is_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/api/sync-failures?{query}")

    assert (422, field) == (answer.status_code, answer.json()["errors"][0]["field"])


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("already_ended", "The appointment is over and cannot be cancelled any more; a person has to decide."),
        ("ada@example.com waits at +49 170 1234567", "*** waits at ***"),
    ],
)
async def test_nobody_is_named(client: httpx.AsyncClient, backend: FakeBackend, message: str, shown: str) -> None:
    backend.sync_failures.held = [replace(FAILURE, error_message=message)]

    answer = await client.get("/api/sync-failures")

    assert shown == answer.json()["sync_failures"][0]["error_message"]


@pytest.mark.parametrize(
    ("body", "answer", "adopt", "note"),
    [
        ({"answer": "adopt", "uid": "uid2"}, "adopt", "uid2", ""),
        ({"answer": "absent"}, "absent", None, ""),
        ({"answer": "cancel", "note": "she rang\nme"}, "cancel", None, "she rang\nme"),
        ({"answer": "keep_local", "uid": None, "note": None}, "keep_local", None, ""),
    ],
)
async def test_a_decision_reaches_the_saga_with_who_took_it(
    *,
    client: httpx.AsyncClient,
    backend: FakeBackend,
    body: dict[str, Any],
    answer: f.ReviewAnswer,
    adopt: str | None,
    note: str,
) -> None:
    answered = await client.post(f"{ONE}/resolve", json=body, headers={"Prefer": "wait=3"})

    assert (200, "wait=3") == (answered.status_code, answered.headers["Preference-Applied"])
    assert [
        AnswerReview(
            company_id="acme",
            booking_id=BOOKING_ID,
            attempt_id="a",
            uid="uid1",
            answer=answer,
            adopt=adopt,
            actor=client.headers["Authorization"].removeprefix("Bearer "),
            note=note,
        )
    ] == backend.repairs.answered
    assert [3] == backend.repairs.patience


async def test_what_has_become_of_it_is_answered(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.streams.recorded = stream([*STREAM, ASKED])
    backend.repairs.result = BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED, FOUND, ASKED, ANSWERED))

    def answered() -> None:
        backend.streams.recorded = stream([*STREAM, ASKED, ANSWERED])

    backend.repairs.meanwhile = answered

    answer = await client.post(f"{ONE}/resolve", json={"answer": "cancel"})

    assert (200, str(BOOKING_ID)) == (answer.status_code, answer.json()["booking"]["id"])
    assert ("resolved", "cancel", "me") == tuple(
        answer.json()["sync_failure"][name] for name in ("status", "resolution", "actor")
    )


async def test_the_log_knows_better_than_the_list(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    moved = replace(FAILURE, calcom_booking_id="old", attempt_id=None, status="resolved")
    backend.sync_failures.held = [moved]
    backend.streams.recorded = stream([*STREAM, ASKED])

    answer = await client.post(f"{ONE}/retry")

    assert 200 == answer.status_code
    assert ("uid1", "a", "retry") == (
        backend.repairs.answered[0].uid,
        backend.repairs.answered[0].attempt_id,
        backend.repairs.answered[0].answer,
    )


async def test_what_is_pending_can_be_retried(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.streams.recorded = stream(STREAM)

    answer = await client.post(f"{ONE}/retry")

    assert (200, "pending") == (answer.status_code, answer.json()["sync_failure"]["status"])
    assert ["retry"] == [it.answer for it in backend.repairs.answered]


@pytest.mark.parametrize("listed", [FAILURE, replace(FAILURE, status="resolved")])
async def test_what_is_resolved_is_not_to_be_decided(
    client: httpx.AsyncClient, backend: FakeBackend, listed: SyncFailure
) -> None:
    backend.sync_failures.held = [listed]
    backend.streams.recorded = stream([*STREAM, ASKED, ANSWERED])

    answers = [await client.post(f"{ONE}/retry"), await client.post(f"{ONE}/resolve", json={"answer": "cancel"})]

    assert [(409, "urn:calsaga:problem:nothing-to-decide", str(BOOKING_ID))] * 2 == [
        (it.status_code, it.json()["type"], it.json()["booking_id"]) for it in answers
    ]
    assert [] == backend.repairs.answered


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NothingToDecide(BOOKING_ID), 409),
        (UnknownBooking(BOOKING_ID), 404),
        (CustomerValidationError((FieldError("uid", "is no booking of this calendar"),)), 422),
    ],
)
async def test_the_saga_may_refuse(
    client: httpx.AsyncClient, backend: FakeBackend, error: AppointmentError, status: int
) -> None:
    backend.repairs.error = error

    answer = await client.post(f"{ONE}/resolve", json={"answer": "adopt", "uid": "u"})

    assert (status, "application/problem+json") == (answer.status_code, answer.headers["Content-Type"])


async def test_a_log_without_the_stream_leaves_it_to_the_saga(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.streams.recorded = []

    assert 200 == (await client.post(f"{ONE}/retry")).status_code


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "answer"),
        ({"answer": "retry"}, "answer"),
        ({"answer": "adopt"}, "uid"),
        ({"answer": "adopt", "uid": ""}, "uid"),
        ({"answer": "adopt", "uid": "a/../b"}, "uid"),
        ({"answer": "adopt", "uid": "x" * 101}, "uid"),
        ({"answer": "cancel", "uid": "uid2"}, "uid"),
        ({"answer": "cancel", "note": "x" * 501}, "note"),
        ({"answer": "cancel", "note": "a\x00b"}, "note"),
        ({"answer": "cancel", "note": 1}, "note"),
        ({"answer": "cancel", "actor": "somebody else"}, "actor"),
    ],
)
async def test_a_wrong_decision_is_named(
    client: httpx.AsyncClient, backend: FakeBackend, body: dict[str, Any], field: str
) -> None:
    answer = await client.post(f"{ONE}/resolve", json=body)

    assert (422, field) == (answer.status_code, answer.json()["errors"][0]["field"])
    assert [] == backend.repairs.answered


@pytest.mark.parametrize("known", [str(OTHER_ID), str(UUID(int=0)), "nonsense", "%00", "x" * 5000])
@pytest.mark.parametrize("act", ["retry", "resolve"])
async def test_what_is_not_there_is_not_found(
    client: httpx.AsyncClient, backend: FakeBackend, known: str, act: str
) -> None:
    answer = await client.post(f"/api/sync-failures/{known}/{act}", json={"answer": "cancel"})

    assert (404, "There is no such sync failure.") == (answer.status_code, answer.json()["detail"])
    assert [] == backend.repairs.answered
