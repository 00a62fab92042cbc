"""
Calendars over real sockets, and a sandbox process that is reset before each test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from adapters.calcom.calendar import CalComCalendar
from adapters.calcom.calendars import CalComCalendars
from tests.integration.sandbox.sandbox_process import SandboxProcess

Calendars = Callable[..., CalComCalendars]


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Sandbox:
    """
    What a test does to the sandbox, and what it sees of it.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.url = str(http.base_url).rstrip("/")

    async def breaks(self, kind: str, **knobs: object) -> None:
        await self._control("POST", "/_sandbox/faults", {"kind": kind, **knobs})

    async def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        return await self._control(method, path, body)

    async def ledger(self) -> list[dict[str, Any]]:
        found = await self._control("GET", "/_sandbox/ledger")
        bookings: list[dict[str, Any]] = found["bookings"] if isinstance(found, dict) else found
        return bookings

    async def _control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        answer = await self._http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with SandboxProcess("--rate-limit", "0") as process:
        yield process.url


@pytest.fixture
async def sandbox(sandbox_url: str) -> AsyncIterator[Sandbox]:
    async with httpx.AsyncClient(base_url=sandbox_url, timeout=5) as http:
        await http.post("/_sandbox/reset")
        yield Sandbox(http)


@pytest.fixture
async def calendars() -> AsyncIterator[Calendars]:
    """
    Make calendars that are closed in the end.
    """
    async with AsyncExitStack() as stack:

        def make(url: str, **options: Any) -> CalComCalendars:  # noqa: ANN401 - whatever the constructor takes
            made = CalComCalendars(
                base_url=url, api_key_of=_api_key_of, clock=SystemClock(), **{"attempt_seconds": 2.0, **options}
            )
            stack.push_async_callback(made.aclose)
            return made

        yield make


@pytest.fixture
async def calendar(calendars: Calendars, sandbox: Sandbox) -> CalComCalendar:
    return await calendars(sandbox.url).of("acme")


async def _api_key_of(company_id: str) -> str | None:
    return "cal_owner"
