"""
A client of the sandbox for tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

TOMORROW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)


class Client:
    """
    A client of the API and of the control interface.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def book(self, *, event_type: int = 1, email: str = "ada@example.com", **extra: Any) -> httpx.Response:  # noqa: ANN401 - JSON
        attendee = {"name": "Ada", "email": email, "timeZone": "Europe/London"}
        body = {"eventTypeId": event_type, "start": TOMORROW.isoformat(), "attendee": attendee} | extra
        return await self.http.post("/v2/bookings", json=body)

    async def cancel(self, uid: str) -> httpx.Response:
        return await self.http.post(f"/v2/bookings/{uid}/cancel", json={"cancellationReason": "compensation"})

    async def queue(self, kind: str, **fault: Any) -> None:  # noqa: ANN401 - JSON
        (await self.http.post("/_sandbox/faults", json={"kind": kind, **fault})).raise_for_status()

    async def ledger(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.http.get("/_sandbox/ledger")).json()["bookings"]
        return found

    async def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/_sandbox/stats")).json()
        return found

    async def listed(self) -> list[str]:
        page = await self.http.get("/v2/bookings", params={"eventTypeId": 1, "sortCreated": "asc"})
        return [booking["uid"] for booking in page.json()["data"]]


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """
    Return once a condition holds, and fail if it does not in five seconds.
    """
    async with asyncio.timeout(5):
        while not await condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.02)
