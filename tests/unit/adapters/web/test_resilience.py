"""
How everything stands, and how services have done lately, over HTTP.
"""

from __future__ import annotations

import hmac
from typing import Any

import httpx
import pytest

from adapters.breakers.documents import read_condition
from adapters.breakers.local import LocalBreakers
from adapters.breakers.telling import Telling
from domain.breaker_words import Command
from domain.dependencies import SERVICES
from domain.verdict import condition_of
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend


async def test_the_breakers_are_told_by_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/resilience/states")

    assert 200 == answer.status_code
    calcom = answer.json()["services"]["calcom"]
    assert ("closed", 0, None, 3, None, False) == tuple(
        calcom[name] for name in ("state", "failures", "last_failure", "half_open_quota", "override", "shared")
    )


async def test_what_a_person_did_is_told_with_who_and_why() -> None:
    backend = FakeBackend(breakers=(breakers := LocalBreakers({}, listener=Telling())))
    await breakers.control("calcom", Command(action="open", actor="ada", reason="they move house", seconds=600))

    async with connect(backend) as asking:
        calcom = (await asking.get("/api/resilience/states")).json()["services"]["calcom"]

    assert ("open", "ada", "they move house") == tuple(
        calcom["override"][name] for name in ("action", "actor", "reason")
    )
    assert calcom["open_until"] == calcom["override"]["expires_at"]
    assert [("closed", "open", "manual", "ada")] == [
        (one["before"], one["after"], one["cause"], one["actor"]) for one in calcom["recent"]
    ]


async def test_every_service_is_named_and_what_is_not_configured_is_not_down(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/resilience/states")).json()

    assert set(SERVICES) == set(told["services"]) == set(told["statuses"]) == set(told["dependencies"])
    assert ("healthy", [], {}, []) == tuple(told[name] for name in ("verdict", "because", "reasons", "cascades"))
    assert {"closed": ["calcom", "database"], "not_configured": ["retell", "redis", "webhooks", "email", "sms"]} == {
        state: [name for name, one in told["services"].items() if one["state"] == state and name != "appointments"]
        for state in ("closed", "not_configured")
    }
    assert ["calcom", "retell"] == told["dependencies"]["appointments"]


async def test_what_is_wrong_is_told_with_its_cause(backend: FakeBackend, client: httpx.AsyncClient) -> None:
    backend.database.control(Command(action="open", actor="ada", reason="they move house"))

    told = (await client.get("/api/resilience/states")).json()

    assert ("critical", "unhealthy") == (told["verdict"], told["statuses"]["database"])
    (reason,) = told["reasons"]["database"]
    assert ("breaker_open", True) == (reason["code"], reason["detail"].endswith(", by ada: they move house"))
    assert told["because"] == [f"no booking can do without database: {reason['detail']}"]


async def test_what_was_kept_is_told_as_it_stood() -> None:
    backend = FakeBackend(breakers=(breakers := LocalBreakers({}, listener=Telling())))
    opened = await breakers.control("calcom", Command(action="open", actor="ada", reason="they move house", seconds=9))

    async with connect(backend) as asking:
        (kept,) = (await asking.get("/api/resilience/snapshots")).json()["snapshots"]

    assert ("degraded", "open", "ada") == (
        kept["verdict"],
        kept["services"]["calcom"]["state"],
        kept["services"]["calcom"]["override"]["actor"],
    )
    assert condition_of(opened) == read_condition(kept["services"]["calcom"])


async def test_who_needs_the_database_is_told_at_once_that_it_is_away(
    backend: FakeBackend, client: httpx.AsyncClient, wish: dict[str, Any]
) -> None:
    backend.database.control(Command(action="open", actor="ada", reason="they move house", seconds=7))

    refused = [
        await client.post("/api/bookings", json=wish),
        await client.get("/api/bookings", headers={"Authorization": "Bearer x"}),
        await client.get("/api/resilience/failures"),
    ]

    assert [503] * 3 == [one.status_code for one in refused]
    assert {"7"} == {one.headers["Retry-After"] for one in refused}
    assert {"urn:calsaga:problem:unavailable"} == {one.json()["type"] for one in refused}
    assert [] == backend.bookings.booked
    assert [200] * 3 == [
        (await client.get(path)).status_code for path in ("/api/resilience/states", "/metrics", "/livez")
    ]


async def test_a_webhook_may_wait_for_the_database(backend: FakeBackend, client: httpx.AsyncClient) -> None:
    backend.database.control(Command(action="open", actor="ada", reason="they move house"))
    body = b"{}"
    signature = hmac.new(backend.companies.secrets[0].encode(), body, "sha256").hexdigest()

    answer = await client.post("/api/webhooks/calcom/acme", content=body, headers={"X-Cal-Signature-256": signature})

    assert (200, 1) == (answer.status_code, len(backend.inbox.stored))


async def test_failures_are_told_and_cleared_by_name(backend: FakeBackend, client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/resilience/failures")).json()
    cleared = await client.post("/api/resilience/failures/calcom/clear", json={"reason": "it was us"})

    assert ("degraded", "medium", None) == tuple(
        told["services"]["calcom"][name] for name in ("status", "severity", "cleared")
    )
    assert [("calcom", 9, 3, "medium")] == [
        tuple(one[name] for name in ("service", "requests", "failures", "severity")) for one in told["windows"]
    ]
    assert ("calcom", "healthy", "it was us") == (
        cleared.json()["service"],
        cleared.json()["status"],
        cleared.json()["cleared"]["reason"],
    )
    assert backend.failures.cleared["calcom"].actor == cleared.json()["cleared"]["actor"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/resilience/failures/fax/clear", {"reason": "it was us"}, 404),
        ("/api/resilience/failures/calcom/clear", {"reason": " "}, 422),
        ("/api/resilience/failures/calcom/clear", {"reason": "x" * 501}, 422),
        ("/api/resilience/failures/calcom/clear", {}, 422),
    ],
)
async def test_what_cannot_be_cleared_is_refused(
    client: httpx.AsyncClient, path: str, body: dict[str, str], status: int
) -> None:
    assert status == (await client.post(path, json=body)).status_code


@pytest.mark.parametrize("query", ["service=fax", "minutes=0", "minutes=1441", "minutes=x", "hours=1"])
async def test_what_cannot_be_asked_is_refused_by_name(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/resilience/failures?{query}")

    assert (422, query.partition("=")[0]) == (answer.status_code, answer.json()["errors"][0]["field"])
