"""
One sandbox process for all tests of this folder, reset before each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.integration.sandbox.client import Client
from tests.integration.sandbox.sandbox_process import SandboxProcess


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with SandboxProcess("--rate-limit", "0") as sandbox:
        yield sandbox.url


@pytest.fixture
async def client(sandbox_url: str) -> AsyncIterator[Client]:
    headers = {"Authorization": "Bearer cal_owner", "cal-api-version": "2024-08-13"}
    async with httpx.AsyncClient(base_url=sandbox_url, headers=headers, timeout=5) as http:
        await http.post("/_sandbox/reset")
        yield Client(http)
