"""
Unit tests take milliseconds and touch nothing outside the process.
"""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def postgres_server() -> None:
    """
    Refuse what belongs to the integration tests.
    """
    pytest.fail("a unit test starts no server: it belongs in tests/integration")


@pytest.fixture(scope="session")
def sqlite_template() -> None:
    """
    Refuse what belongs to the integration tests, too.
    """
    pytest.fail("a unit test opens no database: it belongs in tests/integration")
