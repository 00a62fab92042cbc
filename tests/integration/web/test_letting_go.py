"""
SIGTERM while callers wait for a Cal.com that is slow: each is told where the booking stands, and nobody is cut off.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.settings import Settings
from tests.integration.system.installation import eventually
from tests.integration.web.conftest import server, wish

DRAIN_SECONDS = 8
CUT_SECONDS = DRAIN_SECONDS / 2
"""From then on a server waits for no request any more."""
HELD = {"kind": "delay", "seconds": 40.0, "moment": "before"}
REPEATS = 'calsaga_idempotency_lookups_total{outcome="hit",tier="process"}'


class HeldCalcom:
    def __init__(self, url: str) -> None:
        self._url = url

    def holds(self, *operations: str) -> None:
        """
        From now on these take longer than any caller waits.
        """
        faults = [{**HELD, "operation": operation} for operation in operations] or [HELD]
        httpx.put(f"{self._url}/_sandbox/faults", json={"seed": 1, "faults": faults}).raise_for_status()


@pytest.fixture
def held_calcom(calcom_url: str) -> Iterator[HeldCalcom]:
    yield HeldCalcom(calcom_url)
    httpx.post(f"{calcom_url}/_sandbox/reset")


@pytest.mark.parametrize("workers", [1, 2])
async def test_who_waits_for_a_booking_is_told_that_it_is_pending(
    app_settings: Settings, key: str, held_calcom: HeldCalcom, workers: int
) -> None:
    held_calcom.holds("create")
    with server(app_settings, workers=workers, drain_seconds=str(DRAIN_SECONDS)) as running:
        async with _client(running.url, key) as client:
            asked = asyncio.create_task(client.post("/api/bookings", json=wish()))
            await _stands(client, "pending", count=1)
            running.terminate()
            began = time.monotonic()
            answer = await asked
            seconds = time.monotonic() - began

    assert [(202, "pending")] == _told(answer)
    assert (f"/api/bookings/{answer.json()['booking']['id']}", "2") == _where_and_when(answer)
    assert seconds < CUT_SECONDS
    assert "" == running.rest


async def test_who_repeats_a_request_is_told_the_same(
    app_settings: Settings, key: str, held_calcom: HeldCalcom
) -> None:
    held_calcom.holds("create")
    with server(app_settings, drain_seconds=str(DRAIN_SECONDS)) as running:
        async with _client(running.url, key) as client:
            first = asyncio.create_task(client.post("/api/bookings", json=wish(), headers={"Idempotency-Key": "k"}))
            await _stands(client, "pending", count=1)
            again = asyncio.create_task(client.post("/api/bookings", json=wish(), headers={"Idempotency-Key": "k"}))
            await eventually(lambda: _has_repeated(client), "the repeat waits")
            running.terminate()
            answers = await asyncio.gather(first, again)

    assert [(202, "pending")] * 2 == _told(*answers)
    assert 1 == len({_where_and_when(answer) for answer in answers})
    assert "" == running.rest


async def test_so_is_who_waits_for_a_cancellation_a_move_or_several_services(
    app_settings: Settings, key: str, held_calcom: HeldCalcom
) -> None:
    with server(app_settings, drain_seconds=str(DRAIN_SECONDS)) as running:
        async with _client(running.url, key) as client:
            booked = [(await client.post("/api/bookings", json=wish(n))).headers["Location"] for n in range(2)]
            held_calcom.holds("cancel", "reschedule", "create")
            asked = asyncio.gather(
                client.post(f"{booked[0]}/cancel", json={"reason": "ill"}),
                client.post(f"{booked[1]}/reschedule", json={"starts_at": wish(9)["starts_at"]}),
                client.post("/api/bookings/composite", json=_composite()),
            )
            for status in ("cancelling", "rescheduling", "pending"):
                await _stands(client, status, count=1)
            running.terminate()
            answers = await asked

    assert [(202, "cancelling"), (202, "rescheduling"), (202, "pending")] == _told(*answers)
    assert all(all(_where_and_when(answer)) for answer in answers)
    assert "" == running.rest


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_wish_that_is_not_durable_yet_is_unavailable(app_settings: Settings, key: str, tmp_path: Path) -> None:
    file = app_settings.database_url.removeprefix("sqlite:///")
    trace = tmp_path / "trace"
    trace.touch()
    with server(app_settings, drain_seconds=str(DRAIN_SECONDS), crash_trace=str(trace)) as running:
        async with _client(running.url, key) as client:
            await client.get("/readyz")
            with closing(sqlite3.connect(file, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                asked = asyncio.create_task(client.post("/api/bookings", json=wish()))
                await eventually(lambda: _reached(trace, "append.before:booking"), "the append waits")
                running.terminate()
                answer = await asked

    assert (503, "application/problem+json") == (answer.status_code, answer.headers["Content-Type"])
    assert answer.headers["Location"].endswith(answer.json()["booking_id"])
    assert int(answer.headers["Retry-After"]) > 0
    assert "Traceback" not in running.rest


async def test_who_waits_for_anything_else_is_unavailable_at_the_end(
    app_settings: Settings, key: str, held_calcom: HeldCalcom, calcom_url: str
) -> None:
    with server(app_settings, drain_seconds="2") as running:
        async with _client(running.url, key) as client:
            held_calcom.holds("event_type")
            before = await _calls(calcom_url, "event_type")
            asked = asyncio.create_task(client.put("/api/services/other", json=_other_service()))
            await eventually(lambda: _is_asked(calcom_url, before), "Cal.com is asked")
            running.terminate()
            answer = await asked

    assert (503, "application/problem+json") == (answer.status_code, answer.headers["Content-Type"])
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["correlation_id"] == answer.headers["X-Correlation-Id"]
    assert "Traceback" not in running.rest


def _client(url: str, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Authorization": key}, timeout=60)


async def _stands(client: httpx.AsyncClient, status: str, *, count: int) -> None:
    async def there() -> bool:
        return len((await client.get(f"/api/bookings?status={status}")).json()["bookings"]) == count

    await eventually(there, f"{count} {status}")


async def _has_repeated(client: httpx.AsyncClient) -> bool:
    lines = (await client.get("/metrics")).text.splitlines()
    return any(float(line.split()[-1]) > 0 for line in lines if line.startswith(REPEATS))


async def _reached(trace: Path, point: str) -> bool:
    return point in await asyncio.to_thread(trace.read_text)


async def _is_asked(calcom_url: str, before: int) -> bool:
    return await _calls(calcom_url, "event_type") > before


async def _calls(calcom_url: str, operation: str) -> int:
    async with httpx.AsyncClient(base_url=calcom_url) as sandbox:
        return int((await sandbox.get("/_sandbox/stats")).json()["calls"].get(operation, 0))


def _composite() -> dict[str, Any]:
    common = wish(20)
    starts_at, service = common.pop("starts_at"), common.pop("service_id")
    return {**common, "legs": [{"service_id": service, "starts_at": starts_at}, {"service_id": service}]}


def _other_service() -> dict[str, Any]:
    return {"name": "Other", "duration_minutes": 30, "calcom_event_type_id": 12, "staff_id": "ann"}


def _told(*answers: httpx.Response) -> list[tuple[int, str]]:
    return [(one.status_code, one.json()["booking"]["status"]) for one in answers]


def _where_and_when(answer: httpx.Response) -> tuple[str, str]:
    return answer.headers["Location"], answer.headers["Retry-After"]
