"""
What happens when the connection, the framework or our own code breaks.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from adapters.representation import event_documents
from adapters.web.body import read_object
from adapters.web.correlation import CorrelationMiddleware
from adapters.web.problems import Refused
from adapters.web.refusals import problem_of
from domain import events as e
from domain.errors import (
    AppointmentCreationError,
    AppointmentDatabaseError,
    AppointmentError,
    CalcomBookingError,
    DatabaseKind,
)
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import BOOKING_ID, NOW, initiated, stream

SCOPE: Scope = {"type": "http", "method": "POST", "headers": []}


async def nothing() -> Message:
    return {"type": "http.disconnect"}


async def test_a_caller_who_hangs_up_gets_no_booking() -> None:
    with pytest.raises(Refused) as refused:
        await read_object(Request(dict(SCOPE), nothing))

    assert 400 == refused.value.problem.kind.status


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    sent: list[Message] = []

    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError):
        await CorrelationMiddleware(broken)(dict(SCOPE), nothing, send)

    assert [200] == [message["status"] for message in sent]


async def test_what_is_no_request_is_passed_on() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def send(_message: Message) -> None: ...

    await CorrelationMiddleware(app)({"type": "lifespan"}, nothing, send)

    assert ["lifespan"] == seen


async def test_the_framework_has_no_words_of_its_own(backend: FakeBackend) -> None:
    backend.bookings.error = HTTPException(status_code=418, detail="private words")
    async with connect(backend) as client:
        answer = await client.post(f"/api/bookings/{BOOKING_ID}/cancel", json={"reason": "ill"})

    assert (400, "application/problem+json") == (answer.status_code, answer.headers["Content-Type"])
    assert "private words" not in answer.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AppointmentCreationError("refused", reason="slot_taken", booking_id=BOOKING_ID), 409),
        (AppointmentError("new and unknown"), 500),
    ],
)
def test_every_error_has_its_problem(error: AppointmentError, status: int) -> None:
    assert status == problem_of(error).kind.status


@pytest.mark.parametrize("booking_id", [None, BOOKING_ID])
@pytest.mark.parametrize(
    ("kind", "state", "called"),
    [("connection_lost", "25006", "is read-only"), ("exhausted", "SQLITE_FULL", "has no room")],
)
def test_what_is_wrong_with_a_database_is_said_as_far_as_it_helps(
    kind: DatabaseKind, state: str, called: str, booking_id: UUID | None
) -> None:
    error = AppointmentDatabaseError("as it says", kind=kind, sql_state=state, booking_id=booking_id)

    problem = problem_of(error)

    assert 503 == problem.kind.status
    assert called in problem.detail
    assert "Retry-After" in problem.headers


def test_names_are_masked_in_lists_and_other_peoples_words() -> None:
    looked = e.CalcomLooked(at=NOW, started_at=NOW, attempt_ids=("a", "b"), counted=(), problem="Ada Lovelace is busy")
    shown = event_documents(stream([initiated(), looked]))[1]["data"]

    assert ["a", "b"] == shown["attempt_ids"]
    assert "Lovelace" not in shown["problem"]


async def test_what_is_logged_of_a_failure_quotes_nobody(backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr("adapters.web.refusals.log.error", lambda _event, **facts: told.append(facts))
    backend.bookings.error = CalcomBookingError("ada@example.com is busy", status=400, answer="ada@example.com")
    async with connect(backend) as client:
        await client.post(f"/api/bookings/{BOOKING_ID}/cancel", json={"reason": "ill"})

    assert ("CalcomBookingError", 400) == (told[0]["error"], told[0]["status"])
    assert "ada@example.com" not in str(told)


async def test_access_is_logged_by_the_route_and_not_by_the_path(
    backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr("adapters.web.correlation._access.isEnabledFor", lambda _: True)
    monkeypatch.setattr("adapters.web.correlation.log.debug", lambda _event, **facts: told.append(facts))
    async with connect(backend) as client:
        await client.get("/api/bookings/ada@example.com")

    assert ("GET", "/api/bookings/{booking_id}", 404) == (told[0]["method"], told[0]["route"], told[0]["status"])
