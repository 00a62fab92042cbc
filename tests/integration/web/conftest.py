"""
The real application over each kind of database and a sandbox for Cal.com, behind the API.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from adapters.bootstrap import Application, application
from adapters.directory.scopes import Scope
from adapters.settings import Settings, read_settings
from adapters.web.app import create_app
from tests import day
from tests.integration.sandbox.sandbox_process import SandboxProcess
from tests.integration.web.server_process import ServerProcess

SERVICE = {"name": "Consultation", "duration_minutes": 30, "calcom_event_type_id": 12}


@pytest.fixture(scope="session")
def calcom_url() -> Iterator[str]:
    with SandboxProcess("--rate-limit", "0") as sandbox:
        yield sandbox.url


@pytest.fixture
def app_settings(database_url: str, calcom_url: str) -> Settings:
    httpx.post(f"{calcom_url}/_sandbox/reset")
    return read_settings(
        database_url=database_url,
        calcom_base_url=calcom_url,
        calcom_api_key="cal_owner",
        encryption_key=Fernet.generate_key().decode(),
    )


@pytest.fixture
async def opened(app_settings: Settings) -> AsyncIterator[Application]:
    async with application(app_settings, background=True) as opened:
        yield opened


@pytest.fixture
async def client(opened: Application) -> AsyncIterator[httpx.AsyncClient]:
    """
    A client with a key of the default company that may do everything, and a service that can be booked.
    """
    async with connected(opened, company_id="default") as client:
        assert 201 == (await client.put("/api/services/consult", json=SERVICE)).status_code
        yield client


@pytest.fixture
async def key(app_settings: Settings) -> str:
    """
    A key of the default company, which has a service.
    """
    async with application(app_settings, background=False) as opened, connected(opened, company_id="default") as client:
        await client.put("/api/services/consult", json=SERVICE)
        return str(client.headers["Authorization"])


def server(settings: Settings, *, workers: int = 1, port: int = 0, **more: str) -> ServerProcess:
    return ServerProcess(
        workers=workers,
        port=port,
        database_url=settings.database_url,
        calcom_base_url=settings.calcom_base_url,
        calcom_api_key="cal_owner",
        log_level="warning",
        **more,
    )


@asynccontextmanager
async def connected(opened: Application, *, company_id: str) -> AsyncIterator[httpx.AsyncClient]:
    _, key = await opened.directory.keys.create(company_id=company_id, scopes=list(Scope))
    transport = httpx.ASGITransport(create_app(opened), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://calsaga.test", headers=headers) as client:
        yield client


def wish(number: int = 0, **changes: object) -> dict[str, Any]:
    starts_at = day.after(7, hour=10) + timedelta(hours=number)
    return {
        "service_id": "consult",
        "customer": {"name": "Ada Lovelace", "email": f"ada{number}@example.com"},
        "starts_at": starts_at.isoformat(),
        "time_zone": "UTC",
        "source": "web",
        **changes,
    }
