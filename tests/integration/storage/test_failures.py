from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from time import monotonic
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from adapters.database import engine
from adapters.log.store import Store, open_store
from adapters.postgres.session import WRITER_LOCK
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, Appended
from tests.integration.storage.appends import append, deferred, define_service, initiated, start, until


def poisoned(kind: str) -> Append:
    # SQLite keeps a null character in a text; PostgreSQL does not.
    first = start(initiated(person="\ud800" if kind == "sqlite" else "\x00"))
    return first if kind == "sqlite" else replace(first, events=(deferred(),))


async def blocked(store: Store, url: str, *appends: Append) -> list[object]:
    """
    Append while somebody else holds the writer lock, so that all of them come to stand in one batch.
    """
    connection = await psycopg.AsyncConnection.connect(url)
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])
    first = asyncio.create_task(store.log.append(append(uuid4(), 0, deferred())))
    await asyncio.sleep(0.05)
    others = [asyncio.create_task(store.log.append(one)) for one in appends]
    await asyncio.sleep(0.05)
    await connection.close()
    await first
    return list(await asyncio.gather(*others, return_exceptions=True))


async def test_a_faulty_append_fails_alone(url: str) -> None:
    kind = url.partition(":")[0]
    async with open_store(url) as store:
        good = [start() for _ in range(5)]
        batch = [*good[:2], poisoned(kind), *good[2:]]

        results = await asyncio.gather(*(store.log.append(one) for one in batch), return_exceptions=True)

    fault = results.pop(2)
    assert isinstance(fault, AppointmentDatabaseError)
    assert ("data", False, batch[2].stream_id) == (fault.kind, fault.retryable, fault.booking_id)
    assert [Appended(events=one.events) for one in good] == results


async def test_a_faulty_append_of_a_batch_fails_alone(postgres_url: str) -> None:
    define_service(postgres_url)
    async with open_store(postgres_url) as store:
        good = [start() for _ in range(3)]
        results = await blocked(store, postgres_url, good[0], poisoned("postgres"), *good[1:])

    assert isinstance(results.pop(1), AppointmentDatabaseError)
    assert [Appended(events=one.events) for one in good] == results


async def test_a_writer_lock_that_is_not_to_be_had_is_a_time_out(postgres_url: str) -> None:
    async with open_store(postgres_url, lock_timeout=0.2, patience=0.5) as store:
        with psycopg.connect(postgres_url) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])
            with pytest.raises(AppointmentDatabaseError) as caught:
                await store.log.append(append(uuid4(), 0, deferred()))
        assert ("timeout", "55P03", True) == (caught.value.kind, caught.value.sql_state, caught.value.retryable)
        assert "correlation" == caught.value.correlation_id

        assert isinstance(await store.log.append(append(uuid4(), 0, deferred())), Appended)


async def test_a_writer_lock_that_is_free_again_in_time_delays_nobody_for_long(postgres_url: str) -> None:
    async with open_store(postgres_url, lock_timeout=0.2, patience=10) as store:
        async with await psycopg.AsyncConnection.connect(postgres_url) as other:
            await other.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])
            waiting = asyncio.create_task(store.log.append(append(uuid4(), 0, deferred())))
            await asyncio.sleep(0.7)
            assert not waiting.done()

        assert isinstance(await asyncio.wait_for(waiting, 3), Appended)


async def test_whoever_is_stopped_behind_the_writer_lock_loses_it(postgres_url: str) -> None:
    frozen: list[str] = []

    def freeze(point: str) -> None:
        if point.startswith("append.written:") and not frozen:
            frozen.append(point)
            waking.wait(3)

    waking = threading.Event()
    async with (
        open_store(postgres_url, probe=freeze, statement_timeout=0.5, patience=5) as stopped,
        open_store(postgres_url, patience=5) as other,
    ):
        first = append(uuid4(), 0, deferred())
        waiting = asyncio.create_task(stopped.log.append(first))
        await until(lambda: frozen)

        began = monotonic()
        assert isinstance(await other.log.append(append(uuid4(), 0, deferred())), Appended)
        assert monotonic() - began < 2

        waking.set()
        assert Appended(events=first.events) == await waiting
        assert 2 == len(await other.log.read_all(after=0, limit=10))


async def test_a_statement_of_a_reader_that_does_not_end_is_ended(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "STATEMENT_SECONDS", 0.5)
    async with open_store(f"{postgres_url}?options=-c%20work_mem%3D8MB", statement_timeout=0.4) as store:
        datastore = store.log._recorder.datastore  # type: ignore[attr-defined]
        with store.engine.connect() as connection:
            assert "8MB" == connection.scalar(text("SHOW work_mem"))
            with pytest.raises(DBAPIError, match="statement timeout"):
                connection.execute(text("SELECT pg_sleep(5)"))
        with datastore.get_connection() as reader:
            assert {"work_mem": "8MB"} == reader.execute("SHOW work_mem").fetchone()
            with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
                reader.execute("SELECT pg_sleep(5)")


async def test_the_wait_for_the_writer_lock_may_be_longer_than_a_statement(postgres_url: str) -> None:
    async with open_store(postgres_url, lock_timeout=30, statement_timeout=0.3, patience=0) as store:
        async with await psycopg.AsyncConnection.connect(postgres_url) as other:
            await other.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])
            waiting = asyncio.create_task(store.log.append(append(uuid4(), 0, deferred())))
            await asyncio.sleep(1)
            assert not waiting.done()

        assert isinstance(await waiting, Appended)


async def test_the_wait_for_the_file_ends_when_it_is_told_to(sqlite_url: str) -> None:
    async with open_store(sqlite_url, lock_timeout=0.2, patience=0) as store:
        with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = monotonic()
            with pytest.raises(AppointmentDatabaseError) as caught:
                await store.log.append(append(uuid4(), 0, deferred()))
            assert monotonic() - began < 10

    assert caught.value.retryable


async def test_a_closed_log_takes_nothing(url: str) -> None:
    async with open_store(url) as store:
        pass

    with pytest.raises(AppointmentDatabaseError, match="closed"):
        await store.log.append(append(uuid4(), 0, deferred()))


async def test_what_waits_when_the_store_is_closed_is_written(url: str) -> None:
    async with open_store(url) as store:
        waiting = [asyncio.create_task(store.log.append(append(uuid4(), 0, deferred()))) for _ in range(300)]
        await asyncio.sleep(0)

    assert all(isinstance(one, Appended) for one in await asyncio.gather(*waiting))
    async with open_store(url) as store:
        assert 300 == await store.log.head()
