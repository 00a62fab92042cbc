from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
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
from tests.integration.storage.proxy import Proxy
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """
    A server that may be killed.
    """
    server = PostgresServer(durable=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_url(own_server: PostgresServer) -> str:
    """
    A migrated database on it.
    """
    from migrations.runner import migrate  # noqa: PLC0415 - as late as in the shared fixtures

    url = own_server.create_database(f"mortal_{uuid4().hex}")
    migrate(url)
    define_service(url)
    return url


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


async def test_a_commit_whose_answer_is_cut_off_is_recognized(postgres_url: str) -> None:
    async with Proxy(postgres_url) as proxy, open_store(proxy.url) as store:
        await store.log.append(append(uuid4(), 0, deferred()))
        first = append(uuid4(), 0, deferred(), deferred("again"))

        proxy.swallow_answers_after(b"COMMIT")
        assert Appended(events=first.events) == await store.log.append(first)
        assert 1 == proxy.swallowed
        assert 2 == len(await store.log.read(first.stream_id))
        assert 3 == await store.log.head()


async def test_a_connection_that_is_cut_is_opened_again(postgres_url: str) -> None:
    async with Proxy(postgres_url) as proxy, open_store(proxy.url) as store:
        await store.log.append(append(uuid4(), 0, deferred()))
        proxy.cut()

        assert isinstance(await store.log.append(append(uuid4(), 0, deferred())), Appended)
        assert 2 == await store.log.head()


@pytest.mark.parametrize("asked_first", [False, True])
async def test_readers_are_not_lost_with_a_peer_that_is_gone_without_a_word(
    postgres_url: str, asked_first: bool
) -> None:
    def ask(seconds: float) -> None:
        with store.engine.connect() as connection:
            connection.execute(text(f"SELECT pg_sleep({seconds})"))

    async def head_and_row() -> None:
        await store.log.head()
        await store.readers.run(lambda: ask(0))

    async with (
        Proxy(postgres_url) as proxy,
        open_store(proxy.url, read_timeout=1, statement_timeout=2) as store,
    ):
        await asyncio.gather(*(head_and_row() for _ in range(4)))
        # The question may have arrived, so that only a sign of life is missing, or may itself be lost.
        asking = [asyncio.create_task(store.readers.run(lambda: ask(1.5))) for _ in range(2)]
        await asyncio.sleep(0.5 if asked_first else 0)
        proxy.forget()
        asking += [asyncio.create_task(store.log.head()) for _ in range(2)]  # type: ignore[arg-type]
        for one in await asyncio.gather(*asking, return_exceptions=True):
            assert isinstance(one, AppointmentDatabaseError)

        async def answers() -> bool:
            with suppress(AppointmentDatabaseError):
                await head_and_row()
                return True
            return False

        began = monotonic()
        while not await answers():
            assert monotonic() - began < 30


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


async def test_what_cannot_be_written_holds_up_no_shutdown_for_long(postgres_url: str) -> None:
    async with Proxy(postgres_url) as proxy, open_store(proxy.url, patience=300) as store:
        await proxy.close()
        waiting = [asyncio.create_task(store.log.append(append(uuid4(), 0, deferred()))) for _ in range(600)]
        await asyncio.sleep(0.2)

        began = monotonic()
        await store.log.aclose(within=0.5)
        assert monotonic() - began < 20

        for one in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(one, AppointmentDatabaseError)
            assert one.retryable


async def test_a_database_that_stays_away_is_said_to_everybody_who_waits(postgres_url: str) -> None:
    async with Proxy(postgres_url) as proxy, open_store(proxy.url, patience=0.5, read_timeout=0.5) as store:
        await proxy.close()

        results = await asyncio.gather(
            *(store.log.append(append(uuid4(), 0, deferred())) for _ in range(20)),
            store.log.read(uuid4()),
            store.agenda.next_due(),
            return_exceptions=True,
        )

    for result in results:
        assert isinstance(result, AppointmentDatabaseError)
        assert result.retryable


async def test_appends_outlive_a_server_that_is_killed(own_server: PostgresServer, own_url: str) -> None:
    written: list[Append] = []

    async def write(store: Store) -> None:
        for _ in range(40):
            one = start()
            assert isinstance(await store.log.append(one), Appended)
            written.append(one)

    async with open_store(own_url, patience=20) as store:
        writers = [asyncio.create_task(write(store)) for _ in range(8)]
        await until(lambda: len(written) >= 40)
        await asyncio.to_thread(own_server.kill)
        await asyncio.to_thread(own_server.restart)
        await asyncio.gather(*writers)

        assert 320 == len(written)
        assert 640 == await store.log.head() - await gaps(store)
        for one in written:
            assert [event.event for event in await store.log.read(one.stream_id)] == list(one.events)


async def gaps(store: Store) -> int:
    # A sequence does not go back when a transaction is lost.
    found = await store.log.read_all(after=0, limit=10_000)
    return found[-1].position - len(found)


async def test_appends_outlive_an_orderly_restart(own_server: PostgresServer, own_url: str) -> None:
    async with open_store(own_url, patience=20) as store:
        await store.log.append(append(uuid4(), 0, deferred()))
        restarting = asyncio.create_task(asyncio.to_thread(own_server.restart))
        for _ in range(50):
            assert isinstance(await store.log.append(append(uuid4(), 0, deferred())), Appended)
            await asyncio.sleep(0.01)
        await restarting
        assert isinstance(await store.log.append(append(uuid4(), 0, deferred())), Appended)


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
