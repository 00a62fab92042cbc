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
from tests.unit.adapters.sandbox.subscriber import Subscriber


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def subscriber() -> Subscriber:
    return Subscriber()


@pytest.fixture
async def api(clock: Clock, subscriber: Subscriber) -> AsyncIterator[httpx.AsyncClient]:
    """
    The owner of the key, with the headers of the booking operations and no rate limit.
    """
    config = SandboxConfig(
        rate_limit=0, clock=clock, webhook_transport=httpx.MockTransport(subscriber), webhook_limit_seconds=0.2
    )
    app = create_app(config)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": "Bearer cal_owner", "cal-api-version": "2024-08-13"}
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as client:
        yield client
        await app.state.sandbox.close()
