from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

import httpx
import pytest

from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import ADA

PHONE, EMAIL = "+491701234567", "ada@example.com"


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("phone=%2B491701234567", (PHONE, None)),
        ("phone=+491701234567", (PHONE, None)),
        ("phone=+49%20(0)%20170%20123-4567", (PHONE, None)),
        ("phone=00491701234567", (PHONE, None)),
        ("email=%20ada@example.com", (None, EMAIL)),
        ("phone=%2B491701234567&email=ada@example.com", (PHONE, EMAIL)),
    ],
)
async def test_a_customer_is_asked_for_however_the_phone_is_written(
    client: httpx.AsyncClient, backend: FakeBackend, query: str, asked: tuple[str | None, str | None]
) -> None:
    answer = await client.get(f"/api/customers?{query}")

    assert [("acme", *asked)] == backend.customers.asked
    [customer] = answer.json()["customers"]
    assert {"customer_id", "name", "email", "phone", "created_at", "engagement"} == set(customer)
    assert (ADA.customer_id, ADA.name, ADA.email, ADA.phone, ADA.created_at) == (
        UUID(customer["customer_id"]),
        customer["name"],
        customer["email"],
        customer["phone"],
        datetime.fromisoformat(customer["created_at"]),
    )


async def test_a_customer_comes_with_what_became_of_their_appointments(backend: FakeBackend) -> None:
    async with connect(backend) as client:
        [ada] = (await client.get("/api/customers", params={"phone": PHONE})).json()["customers"]
        backend.customers.engagement = None
        [stranger] = (await client.get("/api/customers", params={"phone": PHONE})).json()["customers"]

    assert {
        "score": 29,
        "requested": 4,
        "booked": 3,
        "moved": 1,
        "cancelled": 1,
        "last_event_at": "2026-11-20T10:00:00+00:00",
    } == ada["engagement"]
    assert None is stranger["engagement"]


@pytest.mark.parametrize("query", ["phone=%2B4930000000", "email=nobody@example.com&phone=%2B4930000000"])
async def test_nobody_is_an_empty_list(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/customers?{query}")

    assert (200, {"customers": []}) == (answer.status_code, answer.json())


async def test_another_company_asks_for_its_own_customers(backend: FakeBackend) -> None:
    async with connect(backend, key="rival/bookings:read") as rival:
        answer = await rival.get("/api/customers", params={"phone": PHONE})

    assert {"customers": []} == answer.json()
    assert [("rival", PHONE, None)] == backend.customers.asked


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "phone"),
        ("phone=", "phone"),
        ("phone=01701234567", "phone"),
        ("phone=hunter2", "phone"),
        ("phone=%2B491701234567&phone=%2B491701234568", "phone"),
        ("phone=%00", "phone"),
        ("email=", "email"),
        ("email=hunter2", "email"),
        ("email=%25@example", "email"),
        ("name=hunter2", "name"),
    ],
)
async def test_what_is_no_phone_and_no_address_is_named_and_not_quoted(
    client: httpx.AsyncClient, backend: FakeBackend, query: str, field: str
) -> None:
    answer = await client.get(f"/api/customers?{query}")

    assert (422, field) == (answer.status_code, answer.json()["errors"][0]["field"])
    assert "hunter2" not in answer.text
    assert [] == backend.customers.asked


async def test_nobody_is_named_in_the_log(
    client: httpx.AsyncClient, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    async def crash(**_: object) -> None:
        raise RuntimeError

    backend.customers.list = crash  # type: ignore[method-assign,assignment]
    with caplog.at_level(logging.DEBUG):
        answer = await client.get("/api/customers", params={"phone": PHONE, "email": EMAIL})

    assert 500 == answer.status_code
    ours = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "1701234567" not in ours
    assert EMAIL not in ours
