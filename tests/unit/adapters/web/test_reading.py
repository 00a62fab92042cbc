from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from adapters.representation import event_documents
from adapters.web.ports import Readiness
from domain.errors import AppointmentDatabaseError
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import BOOKING_ID, CANCEL_ASKED, CANCELLED, NOW, OTHER_ID, stream

ONE = f"/api/bookings/{BOOKING_ID}"


async def test_a_booking_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.get(ONE)

    assert (200, "booked") == (answer.status_code, answer.json()["booking"]["status"])


@pytest.mark.parametrize(
    ("query", "status", "version"),
    [
        ({"at_version": "1"}, "pending", 1),
        ({"at_version": "4"}, "booked", 4),
        ({"as_of": (NOW + timedelta(minutes=2)).isoformat()}, "pending", 2),
        ({"as_of": "2030-01-01T00:00:00Z"}, "booked", 4),
    ],
)
async def test_a_booking_is_read_as_it_was(
    client: httpx.AsyncClient, query: dict[str, str], status: str, version: int
) -> None:
    answer = await client.get(ONE, params=query)

    assert (200, status, version) == (
        answer.status_code,
        answer.json()["booking"]["status"],
        answer.json()["booking"]["version"],
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("at_version=0", "at_version"),
        ("at_version=5", "at_version"),
        ("at_version=x", "at_version"),
        ("at_version=99999999999999999999", "at_version"),
        ("at_version=1&at_version=2", "at_version"),
        ("as_of=yesterday", "as_of"),
        ("as_of=2026-11-22T10:00:00", "as_of"),
        ("as_of=2020-01-01T00:00:00Z", "as_of"),
        ("surplus=1", "surplus"),
    ],
)
async def test_a_wrong_moment_is_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"{ONE}?{query}")

    assert (422, field) == (answer.status_code, answer.json()["errors"][0]["field"])


async def test_a_plus_sign_that_became_a_space_is_understood(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    answer = await client.get("/api/bookings?from=2027-03-02T10:00:00+01:00")

    assert 200 == answer.status_code
    assert datetime(2027, 3, 2, 9, tzinfo=UTC) == backend.list.asked[0][0].starts_from


@pytest.mark.parametrize("known", [str(OTHER_ID), "nonsense", "%00", "..%2f..", "x" * 5000])
@pytest.mark.parametrize("rest", ["", "/events", "/timeline", "?at_version=1"])
async def test_a_booking_that_is_not_there_is_not_found(client: httpx.AsyncClient, known: str, rest: str) -> None:
    answer = await client.get(f"/api/bookings/{known}{rest}")

    assert 404 == answer.status_code
    assert "urn:calsaga:problem:not-found" == answer.json()["type"]


async def test_a_stream_that_is_no_booking_is_not_found(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.streams.recorded = stream([CANCELLED])

    assert 404 == (await client.get(f"{ONE}/events")).status_code


async def test_events_tell_everything_but_who(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{ONE}/events")
    events = answer.json()["events"]

    assert [1, 2, 3, 4] == [one["version"] for one in events]
    assert "booking.initiated.v1" == events[0]["type"]
    assert {"name": "***", "email": "***", "phone": "***", "notes": "***", "metadata": None} == events[0]["data"][
        "person"
    ]
    assert not any(word in answer.text for word in ("Ada", "Lovelace", "ada@", "1701234567", "knee"))


@pytest.mark.parametrize(
    ("query", "media_type", "beginning"),
    [
        ("", "application/json", '{"timeline":['),
        ("?format=text", "text/plain; charset=utf-8", "      ms"),
        ("?format=mermaid", "text/plain; charset=utf-8", "sequenceDiagram"),
    ],
)
async def test_a_timeline_comes_in_three_forms(
    client: httpx.AsyncClient, query: str, media_type: str, beginning: str
) -> None:
    answer = await client.get(f"{ONE}/timeline{query}")

    assert (200, media_type) == (answer.status_code, answer.headers["Content-Type"])
    assert answer.text.startswith(beginning)
    assert "Lovelace" not in answer.text


async def test_the_list_is_asked_what_the_caller_asked(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    answer = await client.get(
        "/api/bookings",
        params={
            "status": "booked",
            "from": "2027-01-01T00:00:00Z",
            "to": "2027-02-01T00:00:00Z",
            "service_id": "consult",
            "limit": "7",
            "cursor": "abc",
        },
    )
    wanted, limit, cursor = backend.list.asked[0]

    assert 200 == answer.status_code
    assert ("more", 7, 9) == tuple(answer.json()[name] for name in ("next_cursor", "position", "head"))
    assert [str(BOOKING_ID)] == [one["id"] for one in answer.json()["bookings"]]
    assert ("acme", "booked", "consult", 7, "abc") == (
        wanted.company_id,
        wanted.status,
        wanted.service_id,
        limit,
        cursor,
    )
    assert (datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)) == (
        wanted.starts_from,
        wanted.starts_to,
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("from=monday", "from"),
        ("to=2027-01-01", "to"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("service_id=a%00b", "service_id"),
        ("cursor=bad", "cursor"),
        ("cursor=", "cursor"),
        ("statuss=booked", "statuss"),
    ],
)
async def test_a_wrong_filter_is_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/api/bookings?{query}")

    assert (422, field) == (answer.status_code, answer.json()["errors"][0]["field"])


def test_a_cancellation_tells_that_something_was_said_and_not_what() -> None:
    (document,) = event_documents(stream([CANCEL_ASKED]))

    assert {"person": {"reason": "***"}, "command_id": None} == document["data"]


async def test_an_unreachable_database_is_unavailable(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.streams.error = AppointmentDatabaseError("gone", kind="connection_lost")

    answer = await client.get(f"{ONE}/events")

    assert (503, "5") == (answer.status_code, answer.headers["Retry-After"])
    assert "booking_id" not in answer.json()


async def test_the_process_lives(client: httpx.AsyncClient) -> None:
    answer = await client.get("/livez", headers={"Authorization": ""})

    assert (200, {"status": "live"}) == (answer.status_code, answer.json())


async def test_anybody_may_fetch_the_metrics(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics", headers={"Authorization": ""})

    assert (200, "text/plain; version=0.0.4; charset=utf-8") == (answer.status_code, answer.headers["Content-Type"])
    assert "calls_total 1.0 {'calcom': 'closed', 'database': 'closed'}\n" == answer.text


@pytest.mark.parametrize(
    ("problem", "overdue", "status", "word", "problems"),
    [
        (None, 0, 200, "ready", 0),
        (None, 29, 200, "ready", 0),
        (None, 31, 200, "degraded", 1),
        ("the database does not answer", 0, 503, "unavailable", 1),
    ],
)
async def test_readiness_tells_what_is_wrong(
    *,
    client: httpx.AsyncClient,
    backend: FakeBackend,
    problem: str | None,
    overdue: int,
    status: int,
    word: str,
    problems: int,
) -> None:
    backend.probes.state = Readiness(problem=problem, overdue=timedelta(seconds=overdue))

    answer = await client.get("/readyz")

    assert (status, word, problems, overdue) == (
        answer.status_code,
        answer.json()["status"],
        len(answer.json()["problems"]),
        answer.json()["oldest_due_seconds"],
    )
