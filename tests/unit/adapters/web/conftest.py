from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters.web.app import create_api
from adapters.web.rate_limit import RateLimit
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
    transport = httpx.ASGITransport(create_api(backend.as_backend(), rate_limit=rate_limit), raise_app_exceptions=False)
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
