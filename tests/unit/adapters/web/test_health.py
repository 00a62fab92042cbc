"""
How calsaga is, over HTTP: what anybody may know, and what only operators may.
"""

from __future__ import annotations

from typing import get_args

import httpx
import pytest

from adapters.web import health_documents
from domain import health as words
from domain.errors import AppointmentDatabaseError
from domain.health import SERVICES
from domain.verdict import Verdict
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.fake_health import FakeHealth

SECRET = "postgresql://calsaga:hunter2@db.internal/calsaga"


async def test_everybody_is_told_how_everything_is_and_nothing_that_is_a_secret(backend: FakeBackend) -> None:
    backend.health = FakeHealth(statuses={"calcom": "down"}, verdict="degraded", problems=("calcom is down",))
    backend.health.detail = SECRET

    async with connect(backend, key="") as anybody:
        answer = await anybody.get("/health")

    told = answer.json()
    assert (200, "degraded", ["calcom is down"]) == (answer.status_code, told["status"], told["problems"])
    assert list(SERVICES) == list(told["services"])
    assert ("down", None, False) == tuple(
        told["services"]["calcom"][name] for name in ("status", "response_time_ms", "threshold_ok")
    )
    assert {"lag": 3, "behind_seconds": 0.2, "parked": 0} == told["read_models"]["bookings"]
    assert {"due": 0, "oldest_due_seconds": 0.0} == told["queue"]
    assert {"calcom": "closed"} == told["circuits"]
    assert "hunter2" not in answer.text
    assert "db.internal" not in answer.text


async def test_what_is_critical_is_told_by_the_status_too(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.health.verdict = "critical"

    answer = await client.get("/health")

    assert (503, "critical", "5") == (answer.status_code, answer.json()["status"], answer.headers["Retry-After"])


async def test_operators_are_told_details_and_uptimes(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.health.detail = "HTTP 502"

    told = (await client.get("/api/health/status?minutes=60")).json()

    assert ("healthy", [], []) == (told["status"], told["open_circuits"], told["half_open_circuits"])
    assert (0.75, 4, "HTTP 502") == tuple(told["services"]["calcom"][name] for name in ("uptime", "checks", "detail"))
    # Checks that said nothing, and none at all, make no uptime.
    assert [None, None] == [told["services"][name]["uptime"] for name in ("database", "retell")]


async def test_the_history_of_a_service_is_a_list(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    answer = await client.get("/api/health/history?service=retell&minutes=30")

    assert [{"timestamp", "status", "response_time_ms"}] == [set(one) for one in answer.json()]
    assert [("retell", 30)] == backend.health.asked


async def test_an_hour_is_told_if_nothing_else_is_asked_for(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    await client.get("/api/health/history?service=email")

    assert [("email", 60)] == backend.health.asked


async def test_what_is_to_be_expected_is_told_with_what_to_do(client: httpx.AsyncClient) -> None:
    services = (await client.get("/api/health/forecast")).json()["services"]

    calcom, redis = services["calcom"], services["redis"]
    assert ("degraded", ["rising", "bad_hour", "breaker_near"]) == (calcom["expected"], calcom["signs"])
    assert len(calcom["signs"]) == len(calcom["recommendations"])
    assert calcom["response_time_ms"] > calcom["trend"]["now_ms"] > calcom["anomaly"]["usual_ms"]
    assert [{"hour": 8, "bad_days": 7, "days": 7}] == calcom["bad_hours"]
    # Of what nobody has seen nothing is made up.
    assert ("unknown", [], None, None, None) == tuple(
        redis[name] for name in ("expected", "signs", "trend", "anomaly", "response_time_ms")
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("history", "service"),
        ("history?service=moon", "service"),
        ("history?service=calcom&minutes=0", "minutes"),
        ("history?service=calcom&minutes=1441", "minutes"),
        ("status?minutes=10081", "minutes"),
        ("status?days=1", "days"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/api/health/{query}")

    assert (422, [field]) == (answer.status_code, [one["field"] for one in answer.json()["errors"]])


async def test_without_a_database_there_is_no_history(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    backend.health.error = AppointmentDatabaseError("gone", kind="connection_lost")

    assert 503 == (await client.get("/api/health/history?service=calcom")).status_code


async def test_a_redis_that_is_away_is_a_problem_and_no_reason_to_send_callers_elsewhere(
    client: httpx.AsyncClient, backend: FakeBackend
) -> None:
    backend.health.statuses["redis"] = "down"

    answer = await client.get("/readyz")

    assert (200, "degraded") == (answer.status_code, answer.json()["status"])
    assert ["Redis does not answer"] == [one.partition(":")[0] for one in answer.json()["problems"]]


@pytest.mark.parametrize("status", ["not_configured", "degraded", "healthy"])
async def test_a_redis_that_is_not_away_is_none(
    client: httpx.AsyncClient, backend: FakeBackend, status: words.Status
) -> None:
    backend.health.statuses["redis"] = status

    told = (await client.get("/readyz")).json()

    assert ("ready", []) == (told["status"], told["problems"])


def test_the_document_knows_every_word() -> None:
    assert get_args(words.Status) == get_args(health_documents.Status)
    assert get_args(Verdict) == get_args(health_documents.Verdict)
