from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.recording.backend import Backend
from tests.integration.storage.appends import define_service, opened


@pytest.fixture
def url(database_url: str) -> str:
    """
    A migrated database of either kind that knows one service.
    """
    define_service(database_url)
    return database_url


@pytest.fixture
def database(url: str) -> Iterator[Backend]:
    """
    The same database, open.
    """
    with opened(url) as backend:
        yield backend
