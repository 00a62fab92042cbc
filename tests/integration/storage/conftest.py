from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from adapters.database.engine import open_engine
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


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """
    A migrated database of either kind, as read models see it.
    """
    engine = open_engine(database_url)
    yield engine
    engine.dispose()
