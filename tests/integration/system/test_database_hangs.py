"""
PostgreSQL hangs: it takes connections and requests, and says nothing. Whoever waits is told so within five seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.integration.system.account import Account
from tests.integration.system.installation import START, Installation, eventually, quick, quiet
from tests.integration.system.serving import Served, served
from tests.servers.postgres import PostgresServer

TOLD_WITHIN = 5.0
"""Seconds that a voice agent can wait for something to say."""


@pytest.fixture
def here(mortal_server: PostgresServer, mortal_url: str, account: Account) -> Iterator[Installation]:
    # Looks and leases as in production: what hangs must not be hidden by what is given up soon.
    yield Installation(settings=quick(mortal_url, account, lease_seconds=45))
    mortal_server.resume()


def body(number: int) -> dict[str, Any]:
    return {
        "service_id": "consultation",
        "customer": {"name": f"Customer {number}", "phone": f"+49170{3_000_000 + number}"},
        "starts_at": (START + timedelta(hours=number)).isoformat(),
        "time_zone": "UTC",
        "source": "voice",
        "confidence": 1,
    }


async def timed(asking: Any) -> tuple[httpx.Response, float]:  # noqa: ANN401 - whatever is awaited
    began = time.monotonic()
    response = await asking
    return response, time.monotonic() - began


def book(there: Served, number: int) -> Any:  # noqa: ANN401 - to be awaited
    return there.http.post(
        "/api/bookings", json=body(number), headers={"Idempotency-Key": f"wish {number}", "Prefer": "wait=4"}
    )


async def test_everybody_is_told_within_five_seconds_and_no_wish_is_lost_or_made_twice(
    here: Installation, mortal_server: PostgresServer, account: Account
) -> None:
    await here.define(account.event_type())
    async with served(here) as there:
        standing = [(await book(there, number)).json()["booking"]["id"] for number in range(3)]
        account.breaks("delay", operation="create", seconds=1.0, moment="after")
        in_hand = asyncio.create_task(timed(book(there, 10)))
        await eventually(_asked(account, 4), "Cal.com was asked")

        mortal_server.suspend()
        asked = [
            *(book(there, number) for number in range(11, 19)),
            *(book(there, number) for number in range(3)),
            there.http.post(f"/api/bookings/{standing[0]}/cancel", json={"reason": "ill"}),
            there.http.post(f"/api/bookings/{standing[1]}/reschedule", json={"starts_at": body(30)["starts_at"]}),
            there.http.get(f"/api/bookings/{standing[2]}"),
            there.http.get("/api/bookings"),
            there.http.get("/api/sync-failures"),
            there.http.get("/api/customers", params={"phone": body(2)["customer"]["phone"]}),
        ]
        told = await asyncio.gather(*(timed(one) for one in asked), in_hand)
        mortal_server.resume()

        await eventually(lambda: _books(there, 19), "bookings are taken again")
        repeated = [await book(there, number) for number in range(10, 19)]
        await quiet(there.app)

    assert TOLD_WITHIN > max(seconds for _, seconds in told)
    accepted = told[-1][0]
    assert (202, True) == (accepted.status_code, bool(accepted.json()["message"]))
    refused = [response for response, _ in told[:-1]]
    assert {503} == {response.status_code for response in refused}
    assert all(response.json()["message"] and response.headers["Retry-After"] for response in refused)
    assert {200, 201} >= {response.status_code for response in repeated}
    assert [] == await here.faults(account.ledger())
    # Three from before and ten since; the cancellation may have been stored.
    assert len(account.live()) in {12, 13}


def _asked(account: Account, times: int) -> Any:  # noqa: ANN401 - a condition
    async def asked() -> bool:
        return await asyncio.to_thread(account.calls, "create") >= times

    return asked


async def _books(there: Served, number: int) -> bool:
    return (await book(there, number)).status_code in {200, 201}
