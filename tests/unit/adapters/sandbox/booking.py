"""
What the tests of webhooks do with bookings.
"""

from __future__ import annotations

from typing import Any

import httpx

from tests.unit.adapters.sandbox.subscriber import SECRET, URL

ADA = {"name": "Ada", "email": "ada@example.com", "timeZone": "Europe/London"}
BODY = {"eventTypeId": 1, "start": "2026-05-05T10:00:00Z", "attendee": ADA, "metadata": {"attempt": "1"}}
LATER = "2026-05-05T12:00:00Z"


async def subscribe(api: httpx.AsyncClient, **wish: Any) -> Any:  # noqa: ANN401 - JSON
    answer = await api.post("/_sandbox/webhooks", json={"subscriberUrl": URL, "secret": SECRET} | wish)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def book(api: httpx.AsyncClient, **change: object) -> str:
    answer = await api.post("/v2/bookings", json=BODY | change)
    assert 201 == answer.status_code, answer.text
    uid: str = answer.json()["data"]["uid"]
    return uid


async def cancel(api: httpx.AsyncClient, uid: str) -> httpx.Response:
    return await api.post(f"/v2/bookings/{uid}/cancel", json={"cancellationReason": "ill"})


async def move(api: httpx.AsyncClient, uid: str) -> str:
    body = {"start": LATER, "rescheduledBy": "ada@example.com"}
    answer = await api.post(f"/v2/bookings/{uid}/reschedule", json=body)
    assert 201 == answer.status_code, answer.text
    moved: str = answer.json()["data"]["uid"]
    return moved


async def person(api: httpx.AsyncClient, **wish: Any) -> str:  # noqa: ANN401 - JSON
    answer = await api.post("/_sandbox/people", json=wish)
    assert 200 == answer.status_code, answer.text
    uid: str = answer.json()["bookings"][0]["uid"]
    return uid


async def trouble(api: httpx.AsyncClient, kind: str, **fault: Any) -> None:  # noqa: ANN401 - JSON
    assert 200 == (await api.post("/_sandbox/faults", json={"kind": kind, **fault})).status_code


async def counted(api: httpx.AsyncClient) -> dict[str, int]:
    found: dict[str, int] = (await api.get("/_sandbox/stats")).json()["webhooks"]
    return found
