"""
A SQLite file that is deleted or replaced while it is in use: nothing more is written into the one nobody finds again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from adapters.health.readiness import GONE, StoreProbes
from adapters.log.store import open_store
from domain.errors import AppointmentDatabaseError
from tests.integration.storage.appends import append, deferred


def replace(file: Path) -> None:
    shutil.copy(file, file.with_suffix(".copy"))
    file.with_suffix(".copy").rename(file)


@pytest.mark.parametrize("lose", [Path.unlink, replace])
async def test_nothing_more_is_written_until_the_file_is_back(sqlite_url: str, lose: Callable[[Path], None]) -> None:
    file = Path(make_url(sqlite_url).database or "")
    kept = file.with_suffix(".kept")
    async with open_store(sqlite_url, patience=0.1) as store:
        await store.log.append(append(uuid4(), 0, deferred()))
        kept.hardlink_to(file)
        lose(file)
        with pytest.raises(AppointmentDatabaseError) as caught:
            await store.log.append(append(uuid4(), 0, deferred()))
        lost = await StoreProbes(store).readiness()

        kept.replace(file)
        await store.log.append(append(uuid4(), 0, deferred()))
        back = await StoreProbes(store).readiness()
        head = await store.log.head()

    assert ("SQLITE_READONLY_DBMOVED", True) == (caught.value.sql_state, caught.value.retryable)
    assert (GONE, None) == (lost.problem, back.problem)
    assert 2 == head
