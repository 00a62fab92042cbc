from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.log.store import Store, open_store


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    A store over a database of the test's own, once on each kind.
    """
    async with open_store(database_url) as opened:
        yield opened
