"""
Callers at a steady pace, whatever they are answered, and how long each answer took.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

import httpx

from tests import day

HALF_HOUR = timedelta(minutes=30)
START = day.after(2, hour=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What one caller was answered; `asked_at` and `seconds` on the monotonic clock.
    """

    status: int
    asked_at: float
    seconds: float


@dataclass(slots=True, kw_only=True)
class Callers:
    """
    Customers of one service, each with an hour of their own.
    """

    http: httpx.AsyncClient
    service_id: str
    answers: list[Answer] = field(default_factory=list)

    async def come(self, count: int, *, per_second: float) -> None:
        """
        Come one after the other, and do not wait for each other.
        """
        began = monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                await asyncio.sleep(max(began + number / per_second - monotonic(), 0))
                group.create_task(self._book(number))

    async def _book(self, number: int) -> None:
        wish = {
            "service_id": self.service_id,
            "customer": {"name": f"Customer {number}", "email": f"customer-{number}@example.com"},
            "starts_at": (START + number * HALF_HOUR).isoformat(),
            "time_zone": "UTC",
            "source": "outage",
        }
        asked_at = monotonic()
        answer = await self.http.post("/api/bookings", json=wish)
        self.answers.append(Answer(status=answer.status_code, asked_at=asked_at, seconds=monotonic() - asked_at))
