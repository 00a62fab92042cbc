"""
A sandbox for Cal.com, reset before each test, and an installation over each kind of database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.sandbox.sandbox_process import SandboxProcess
from tests.integration.system.account import Account
from tests.integration.system.composites import define_row
from tests.integration.system.installation import Installation, quick
from tests.integration.system.serving import HOOK, SECRET, Served, served


@pytest.fixture(scope="session")
def calcom_url() -> Iterator[str]:
    with SandboxProcess("--rate-limit", "0") as sandbox:
        yield sandbox.url


@pytest.fixture
def account(calcom_url: str) -> Iterator[Account]:
    account = Account(calcom_url)
    yield account
    account.close()


@pytest.fixture
def installation(database_url: str, account: Account) -> Installation:
    """
    An installation under which everything is over within seconds.
    """
    return Installation(settings=quick(database_url, account))


@pytest.fixture
async def event_types(installation: Installation, account: Account) -> dict[str, int]:
    """
    Three services with a member of staff each, and their event types.
    """
    return await define_row(installation, account)


@pytest.fixture
def told(database_url: str, account: Account) -> Installation:
    """
    An installation that Cal.com has a webhook for.
    """
    return Installation(settings=quick(database_url, account, calcom_webhook_secret=SECRET))


@pytest.fixture
async def here(told: Installation, account: Account) -> AsyncIterator[Served]:
    """
    That installation, serving, and told of everything that happens at Cal.com.
    """
    async with served(told) as here:
        account.subscribes(f"{here.url}{HOOK}", secret=SECRET)
        yield here
