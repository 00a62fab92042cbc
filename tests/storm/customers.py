"""
Customers, who come over HTTP, insist on an answer, and change their minds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import httpx

from adapters.demo import day
from adapters.demo.judging import Answer
from tests.storm.visits import GROUP, Visit

AGAIN_AFTER_SECONDS: Final = 0.3
PATIENCE: Final = {"Prefer": "wait=8"}
MOST_AT_ONCE: Final = 250
SETTLED_WITHIN_SECONDS: Final = 30
UNDER_WAY: Final = frozenset({"pending", "compensating", "cancelling", "rescheduling"})


@dataclass(slots=True)
class Customers:
    """
    Everybody who comes; `answers` is what they were told, `statuses` how.
    """

    http: httpx.AsyncClient
    answers: list[Answer] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    lines: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))

    async def come(self, visits: Iterable[Visit]) -> None:
        """
        Let everybody come, and return when everybody has gone.
        """
        async with asyncio.TaskGroup() as group:
            for visit in visits:
                group.create_task(self._visit(visit))

    async def _visit(self, visit: Visit) -> None:
        await asyncio.sleep(visit.request.after)
        sendings = (self._book(visit, after=time * AGAIN_AFTER_SECONDS) for time in range(visit.request.times))
        booking_id, *_ = await asyncio.gather(*sendings)
        await asyncio.sleep(visit.thinks)
        where, number = f"/api/bookings/{booking_id}", visit.request.number
        if visit.moves_to is not None:
            await self._until_settled(where)
            body = {"starts_at": visit.moves_to.isoformat(), "reason": "something came up"}
            await self._insist("moved", f"{where}/reschedule", body, key=f"move {number}")
        if visit.cancels:
            await self._insist("cancelled", f"{where}/cancel", {"reason": "changed my mind"}, key=f"cancel {number}")

    async def _book(self, visit: Visit, *, after: float) -> UUID:
        await asyncio.sleep(after)
        wish = visit.request.wish
        path = "/api/bookings/composite" if visit.kind == "row" else "/api/bookings"
        answer = await self._insist(f"{visit.kind} booked", path, _body(visit), key=wish.idempotency_key or "")
        told = answer.json()
        booking = told.get("booking", {})
        booking_id = UUID(booking.get("id") or told["booking_id"])
        self.answers.append(
            Answer(
                number=visit.request.number,
                booking_id=booking_id,
                status=booking.get("status", "failed"),
                replayed="Idempotency-Replayed" in answer.headers,
            )
        )
        return booking_id

    async def _until_settled(self, where: str) -> None:
        deadline = asyncio.get_running_loop().time() + SETTLED_WITHIN_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            with suppress(httpx.TransportError):
                answer = await self.http.get(where)
                if answer.is_success and answer.json()["booking"]["status"] not in UNDER_WAY:
                    return
            await asyncio.sleep(1)

    async def _insist(self, what: str, path: str, body: object, *, key: str) -> httpx.Response:
        """
        Send the same request with the same key until there is an answer.
        """
        while True:
            try:
                async with self.lines:
                    answer = await self.http.post(path, json=body, headers={**PATIENCE, "Idempotency-Key": key})
            except httpx.TransportError:
                self.statuses[f"{what} unanswered"] += 1
            else:
                self.statuses[f"{what} {answer.status_code}"] += 1
                if answer.status_code < 500:
                    return answer
            await asyncio.sleep(AGAIN_AFTER_SECONDS)


def _body(visit: Visit) -> dict[str, Any]:
    wish = visit.request.wish
    customer = {"name": wish.customer.name, "email": wish.customer.email, "phone": wish.customer.phone}
    said = {"customer": customer, "time_zone": wish.time_zone, "source": wish.source}
    first = {"service_id": wish.service_id, "starts_at": wish.starts_at.isoformat()}
    match visit.kind:
        case "one":
            return {**said, **first}
        case "anybody":
            return {**said, **first, "staff_group": GROUP}
        case "row":
            return {**said, "legs": [first, {"service_id": _other_service(wish.service_id)}]}


def _other_service(service_id: str) -> str:
    """
    Return the other service of the same member of staff.
    """
    staff_id = {it.service_id: it.staff_id for it in day.offers()}
    return next(it for it, whose in staff_id.items() if it != service_id and whose == staff_id[service_id])
