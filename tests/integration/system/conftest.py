"""
A sandbox for Cal.com, reset before each test, and an installation over each kind of database.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.integration.sandbox.sandbox_process import SandboxProcess
from tests.integration.system.account import Account
from tests.integration.system.installation import Installation, quick
from tests.servers.postgres import PostgresServer


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


@pytest.fixture(scope="module")
def mortal_server() -> Iterator[PostgresServer]:
    """
    A server that may be killed.
    """
    server = PostgresServer(durable=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mortal_url(mortal_server: PostgresServer) -> str:
    """
    A migrated database on it.
    """
    from migrations.runner import migrate  # noqa: PLC0415 - as late as in the shared fixtures

    url = mortal_server.create_database(f"mortal_{uuid4().hex}")
    migrate(url)
    return url
