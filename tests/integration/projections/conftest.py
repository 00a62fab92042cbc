from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.log.store import Store, open_store
from tests.histories.driving import Salon
from tests.integration.projections.counting import COUNTED


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    A store over a database of the test's own, once on each kind.
    """
    async with open_store(database_url) as opened:
        yield opened


@pytest.fixture
def salon(store: Store) -> Salon:
    """
    A salon where nothing goes wrong by itself.
    """
    salon = Salon(store)
    salon.open()
    salon.random.random = lambda: 1.0  # type: ignore[method-assign]
    return salon


@pytest.fixture
def counted(store: Store) -> None:
    """
    A read model that would show every event that counts twice.
    """
    with store.engine.begin() as connection:
        COUNTED.create(connection)
