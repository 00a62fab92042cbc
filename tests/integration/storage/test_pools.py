"""
The pools of a database: as large as they may be, counted, and filled again by themselves.
"""

from __future__ import annotations

import asyncio
import threading
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from adapters.log.store import Store, open_store
from adapters.pools import PoolState
from domain.errors import AppointmentDatabaseError
from tests.integration.storage.appends import append, deferred, define_service
from tests.integration.system.installation import eventually
from tests.servers.postgres import PostgresServer

OTHERS = (
    "SELECT application_name FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def states(store: Store) -> dict[str, PoolState]:
    return {name: look() for name, look in store.pools.items()}


async def test_readers_are_as_many_as_they_may_be_and_counted(database_url: str) -> None:
    async with open_store(database_url, readers=range(1, 3)) as store:
        gate, inside = threading.Event(), threading.Semaphore(0)

        def read() -> None:
            inside.release()
            gate.wait()

        reading = [asyncio.create_task(store.readers.run(read)) for _ in range(5)]
        for _ in range(2):
            await asyncio.to_thread(inside.acquire)
        busy = states(store)["database_readers"]
        gate.set()
        await asyncio.gather(*reading)
        idle = states(store)["database_readers"]

    assert (2, 2, 3) == (busy.limit, busy.in_use, busy.waiting)
    assert (0, 0, 0) == (idle.in_use, idle.waiting, idle.timeouts)
    assert idle.longest_wait


async def test_a_read_that_takes_too_long_is_counted(database_url: str) -> None:
    gate = threading.Event()
    async with open_store(database_url, read_timeout=5) as store:
        store.readers._limit = 0.01
        with pytest.raises(AppointmentDatabaseError):
            await store.readers.run(gate.wait)
        gate.set()

        assert 1 == states(store)["database_readers"].timeouts


async def test_the_logs_pool_keeps_what_it_was_told_to_keep(postgres_url: str) -> None:
    async with open_store(postgres_url, readers=range(3, 6)) as store:

        async def kept() -> bool:
            return states(store)["database_log"].size == 3

        await eventually(kept, "three connections are open")
        assert 5 == states(store)["database_log"].limit


async def test_every_pool_is_filled_again_when_the_server_is_back(
    mortal_server: PostgresServer, mortal_url: str
) -> None:
    define_service(mortal_url)
    async with open_store(mortal_url, patience=0.1) as store:
        await store.log.append(append(uuid4(), 0, deferred()))
        mortal_server.kill()
        with pytest.raises(AppointmentDatabaseError):
            await store.log.append(append(uuid4(), 0, deferred()))
        mortal_server.start()

        async def works() -> bool:
            try:
                await store.log.append(append(uuid4(), 0, deferred()))
                await store.log.head()
                await store.appointments.find(uuid4())
            except AppointmentDatabaseError:
                return False
            return True

        await eventually(works, "the log is written and read")
        found = states(store)

    assert {0} == {state.in_use for state in found.values()}
    assert found["database_log"].size >= 1
    assert found["database_tables"].size >= 1


async def test_who_still_reads_when_the_store_is_closed_leaves_no_connection_open(postgres_url: str) -> None:
    gate, inside, done = threading.Event(), threading.Event(), threading.Event()

    async with open_store(postgres_url) as store:

        def read() -> None:
            try:
                with store.engine.connect() as connection:
                    connection.exec_driver_sql("SELECT 1")
                    inside.set()
                    gate.wait()
                    connection.exec_driver_sql("SELECT 1")
            except OperationalError:
                with pytest.raises(OperationalError, match="its store is being closed"):
                    store.engine.connect()
                done.set()

        reading = asyncio.create_task(store.readers.run(read))
        await asyncio.to_thread(inside.wait)
        reading.cancel()
    gate.set()
    await asyncio.to_thread(done.wait)

    with psycopg.connect(postgres_url, autocommit=True) as connection:

        async def gone() -> bool:
            return connection.execute(OTHERS).fetchall() == []

        await eventually(gone, "nobody else is connected")
