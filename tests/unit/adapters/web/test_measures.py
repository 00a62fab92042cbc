"""
How calls end and what they take, over HTTP.
"""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from starlette.types import Message

from adapters.directory.scopes import Scope
from adapters.web.app import create_api
from domain.alert_rules import API
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import BOOKING_ID

ADDRESSES = ("/api/metrics/resilience", "/api/metrics/latency-breakdown")


async def test_services_are_told_by_name_with_what_they_are_held_to() -> None:
    backend = FakeBackend()
    backend.calls.meter.record("calcom", "create", "succeeded", 1.5)

    async with connect(backend) as asking:
        answer = (await asking.get("/api/metrics/resilience")).json()

    calcom = answer["services"]["calcom"]
    assert (60, 1.0, 1500.0, False) == (
        answer["minutes"],
        calcom["success_rate"],
        calcom["p99_latency_ms"],
        calcom["slos_met"],
    )
    assert "closed" == calcom["breaker"]["state"]
    assert answer["process"]["memory_bytes"] > 0


async def test_latencies_are_told_by_operation() -> None:
    backend = FakeBackend()
    backend.calls.meter.record("calcom", "create", "succeeded", 0.5)
    backend.calls.meter.record("calcom", "look", "failed", 2.0)
    backend.calls.meter.record("database", "append", "succeeded", 0.002)

    async with connect(backend) as asking:
        answer = (await asking.get("/api/metrics/latency-breakdown?minutes=5")).json()

    assert (5, {"calcom": {"create", "look"}, "database": {"append"}}) == (
        answer["minutes"],
        {service: set(operations) for service, operations in answer["services"].items()},
    )
    assert 2000.0 == answer["services"]["calcom"]["look"]["max_latency_ms"]


async def test_our_own_answers_are_measured_by_route_but_for_those_to_who_is_not_let_in() -> None:
    backend = FakeBackend()
    backend.bookings.error = RuntimeError("a defect")

    async with connect(backend) as asking, connect(backend, key="") as stranger:
        for _ in range(3):
            await asking.get(f"/api/bookings/{uuid4()}")
        await asking.post(f"/api/bookings/{BOOKING_ID}/cancel", json={"reason": "ill"})
        await stranger.get("/api/bookings")
        await asking.put("/api/bookings/composite")
        await asking.get("/livez")
        await asking.get("/no/such/route")
        answer = (await asking.get("/api/metrics/latency-breakdown")).json()

    told = answer["services"]["api"]
    assert {"GET /api/bookings/{booking_id}", "POST /api/bookings/{booking_id}/cancel"} == set(told)
    assert 3 == told["GET /api/bookings/{booking_id}"]["requests"]
    assert told["GET /api/bookings/{booking_id}"]["p95_latency_ms"] > 0
    assert 1 == told["POST /api/bookings/{booking_id}/cancel"]["failed"]


async def test_how_fast_an_answer_is_read_is_not_ours(backend: FakeBackend) -> None:
    api = create_api(backend.as_backend())
    clock = iter((0.0, 1.0, 60.0))

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            next(clock)

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/api/bookings/{uuid4()}",
        "headers": [(b"authorization", f"Bearer acme/{Scope.BOOKINGS_READ}".encode())],
        "query_string": b"",
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("adapters.web.correlation.perf_counter", lambda: next(clock))
        await api(scope, nothing, send)

    (tally,) = (one for (service, _), one in backend.calls.meter.look().items() if service == API)
    assert 1.0 == pytest.approx(tally.sketch.longest)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("minutes", ["0", "1441", "1.5", "soon"])
async def test_a_window_that_is_none_is_refused(client: httpx.AsyncClient, address: str, minutes: str) -> None:
    answer = await client.get(address, params={"minutes": minutes})

    assert (422, ["minutes"]) == (answer.status_code, [one["field"] for one in answer.json()["errors"]])
