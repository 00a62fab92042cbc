"""
A sandbox in the process of the test, with a clock that the test moves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.sandbox.app import create_app
from adapters.sandbox.state import SandboxConfig
from tests.unit.adapters.sandbox.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def api(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """
    The owner of the key, with the headers of the booking operations and no rate limit.
    """
    transport = httpx.ASGITransport(create_app(SandboxConfig(rate_limit=0, clock=clock)))
    headers = {"Authorization": "Bearer cal_owner", "cal-api-version": "2024-08-13"}
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as client:
        yield client
