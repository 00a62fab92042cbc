from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from adapters.limits.local import LocalLimiter
from adapters.limits.ports import RateLimit
from adapters.web.app import create_api
from tests.unit.adapters.web.fake_backend import FakeBackend
from tests.unit.adapters.web.given import ALL_SCOPES


@pytest.fixture
def backend() -> FakeBackend:
    """
    What the API under test stands on.
    """
    return FakeBackend()


@pytest.fixture
async def client(backend: FakeBackend) -> AsyncIterator[httpx.AsyncClient]:
    """
    A client of the API with a key of the company acme that may do everything.
    """
    async with connect(backend) as client:
        yield client


def connect(backend: FakeBackend, *, key: str | None = None, rate_limit: RateLimit | None = None) -> httpx.AsyncClient:
    limiter = None if rate_limit is None else LocalLimiter({"company": rate_limit})
    stood_on = replace(backend.as_backend(), limiter=limiter)
    transport = httpx.ASGITransport(create_api(stood_on), raise_app_exceptions=False)
    bearer = key if key is not None else f"acme/{','.join(ALL_SCOPES)}"
    return httpx.AsyncClient(
        transport=transport,
        base_url="http://calsaga.test",
        headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
    )


@pytest.fixture
def wish() -> dict[str, Any]:
    """
    A body that books.
    """
    return {
        "service_id": "consult",
        "customer": {"name": "Ada Lovelace", "email": "ada@example.com"},
        "starts_at": "2027-03-02T10:00:00+01:00",
        "time_zone": "Europe/Berlin",
        "source": "web",
    }
