"""
How the breakers have moved, over HTTP.
"""

from __future__ import annotations

import httpx
import pytest

from domain.dependencies import SERVICES
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import OTHER_ID


async def test_the_list_is_asked_what_the_caller_asked(client: httpx.AsyncClient, backend: FakeBackend) -> None:
    answer = await client.get("/api/resilience/events?service=calcom&limit=7&cursor=abc")

    assert [("calcom", 7, "abc")] == backend.breaker_events.asked
    assert {
        "events": [
            {
                "id": str(OTHER_ID),
                "service": "calcom",
                "from": "closed",
                "to": "open",
                "cause": "failures",
                "reason": None,
                "actor": None,
                "failures": 5,
                "calls": 7,
                "slow": None,
                "epoch": 1,
                "shared": True,
                "instance": None,
                "at": "2026-11-22T08:00:00+00:00",
            }
        ],
        "next_cursor": "more",
    } == answer.json()


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=201", "limit"), ("cursor=bad", "cursor"), ("service=", "service"), ("to=x", "to")],
)
async def test_what_cannot_be_meant_is_refused_by_name(client: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await client.get(f"/api/resilience/events?{query}")

    assert (422, [field]) == (answer.status_code, [one["field"] for one in answer.json()["errors"]])


async def test_a_service_that_there_is_not_is_answered_with_those_that_there_are(
    client: httpx.AsyncClient, backend: FakeBackend
) -> None:
    (error,) = (await client.get("/api/resilience/events?service=nope")).json()["errors"]

    assert "service" == error["field"]
    assert [] == [name for name in SERVICES if name not in error["message"]]
    assert [] == backend.breaker_events.asked
