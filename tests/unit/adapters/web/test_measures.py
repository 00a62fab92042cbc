"""
How calls end and what they take, over HTTP.
"""

from __future__ import annotations

import httpx
import pytest

from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend

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


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("minutes", ["0", "1441", "1.5", "soon"])
async def test_a_window_that_is_none_is_refused(client: httpx.AsyncClient, address: str, minutes: str) -> None:
    answer = await client.get(address, params={"minutes": minutes})

    assert (422, ["minutes"]) == (answer.status_code, [one["field"] for one in answer.json()["errors"]])
