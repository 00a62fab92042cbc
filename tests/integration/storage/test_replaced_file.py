"""
A SQLite file that is deleted or replaced while it is in use: nothing more is written into the one nobody finds again.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from adapters.health.readiness import GONE, StoreProbes
from adapters.log.store import Store, open_store
from domain.errors import AppointmentDatabaseError
from tests.integration.storage.appends import append, deferred
from tests.integration.system.outage import HeldFile


def replace(file: Path) -> None:
    shutil.copy(file, file.with_suffix(".copy"))
    file.with_suffix(".copy").rename(file)


@pytest.mark.parametrize("lose", [Path.unlink, replace])
async def test_nothing_more_is_written_by_who_has_the_old_one(sqlite_url: str, lose: Callable[[Path], object]) -> None:
    file = Path(make_url(sqlite_url).database or "")
    kept = file.with_suffix(".kept")
    async with open_store(sqlite_url, patience=0.1) as store:
        await store.log.append(append(uuid4(), 0, deferred()))
        kept.hardlink_to(file)
        lose(file)
        states = [await state_of(asked) for asked in questions(store)]
        lost = await StoreProbes(store).readiness()

        # Connections of that time would go on with whatever they have.
        kept.replace(file)
        states += [await state_of(asked) for asked in questions(store)]

    assert ["SQLITE_READONLY_DBMOVED"] * 6 == states
    assert GONE == lost.problem


async def test_who_waits_for_the_lock_meanwhile_writes_nothing_either(sqlite_url: str) -> None:
    file = Path(make_url(sqlite_url).database or "")
    held = HeldFile(sqlite_url)
    async with open_store(sqlite_url, patience=0.1) as store:
        await store.log.append(append(uuid4(), 0, deferred()))
        held.begins()
        waiting = asyncio.create_task(state_of(store.log.append(append(uuid4(), 0, deferred()))))
        await asyncio.sleep(0.2)
        replace(file)
        held.ends()

        assert "SQLITE_READONLY_DBMOVED" == await waiting


def questions(store: Store) -> list[Coroutine[Any, Any, object]]:
    """
    A write into the log, a claim of what is due, and a question beside the log.
    """
    return [
        store.log.append(append(uuid4(), 0, deferred())),
        store.agenda.claim(limit=1, lease=timedelta(seconds=1)),
        store.appointments.find(uuid4()),
    ]


async def state_of(asked: Coroutine[Any, Any, object]) -> str:
    try:
        await asked
    except AppointmentDatabaseError as error:
        return error.sql_state
    return ""
