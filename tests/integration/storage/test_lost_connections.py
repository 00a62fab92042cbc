from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from uuid import uuid4

import pytest
from sqlalchemy import text

from adapters.database import engine
from adapters.log.store import Store, open_store
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, Appended
from tests.integration.storage.appends import append, deferred, define_service, start, until
from tests.integration.storage.proxy import Proxy
from tests.servers.postgres import PostgresServer


@pytest.fixture
def own_url(mortal_url: str) -> str:
    """
    A database that knows one service, on a server that may be killed.
    """
    define_service(mortal_url)
    return mortal_url


async def test_a_database_that_takes_its_time_to_let_us_in_is_opened(postgres_url: str) -> None:
    # Longer than a caller would wait for a connection: so busy a server is slow, not away.
    async with Proxy(postgres_url, slowness=1.2) as proxy, open_store(proxy.url) as store:
        assert isinstance(await store.log.append(append(uuid4(), 0, deferred())), Appended)


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_commit_whose_answer_is_cut_off_is_recognized(postgres_url: str, at_once: bool) -> None:
    define_service(postgres_url)
    async with Proxy(postgres_url) as proxy, open_store(proxy.url) as store:
        booking = start()
        await store.log.append(booking)
        # A claim that takes another's place goes in turn.
        claim = None if at_once else booking.claim
        then = append(booking.stream_id, 2, deferred(), deferred("again"), claim=claim)

        proxy.swallow_answers_after(b"COMMIT")
        assert Appended(events=then.events) == await store.log.append(then)
        assert 1 == proxy.swallowed
        assert 4 == len(await store.log.read(then.stream_id)) == await store.log.head()


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


async def test_nobody_waits_for_ever_for_a_peer_that_takes_everything_and_says_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "STATEMENT_SECONDS", 0.5)
    async with (
        Proxy(postgres_url) as proxy,
        open_store(proxy.url, statement_timeout=0.5, lock_timeout=0.5, read_timeout=0.3, patience=30) as store,
    ):

        async def everything() -> None:
            await store.log.append(append(uuid4(), 0, deferred()))
            await store.log.head()
            await store.appointments.find(uuid4())

        await everything()
        proxy.fall_silent()
        async with asyncio.timeout(20):
            written = await store.log.append(append(uuid4(), 0, deferred()))
            while True:
                with suppress(AppointmentDatabaseError):
                    await everything()
                    break
            # Whoever asked meanwhile is let go, too.
            await until(lambda: not any(look().in_use for look in store.pools.values()))

        assert isinstance(written, Appended)


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


async def test_appends_outlive_a_server_that_is_killed(mortal_server: PostgresServer, own_url: str) -> None:
    written: list[Append] = []

    async def write(store: Store) -> None:
        for _ in range(40):
            one = start()
            assert isinstance(await store.log.append(one), Appended)
            written.append(one)

    async with open_store(own_url, patience=20) as store:
        writers = [asyncio.create_task(write(store)) for _ in range(8)]
        await until(lambda: len(written) >= 40)
        await asyncio.to_thread(mortal_server.kill)
        await asyncio.to_thread(mortal_server.restart)
        await asyncio.gather(*writers)

        assert 320 == len(written)
        assert 640 == await store.log.head() - await gaps(store)
        for one in written:
            assert [event.event for event in await store.log.read(one.stream_id)] == list(one.events)


async def gaps(store: Store) -> int:
    # A sequence does not go back when a transaction is lost.
    found = await store.log.read_all(after=0, limit=10_000)
    return found[-1].position - len(found)


async def test_appends_outlive_an_orderly_restart(mortal_server: PostgresServer, own_url: str) -> None:
    async with open_store(own_url, patience=20) as store:
        await store.log.append(append(uuid4(), 0, deferred()))
        restarting = asyncio.create_task(asyncio.to_thread(mortal_server.restart))
        for _ in range(50):
            assert isinstance(await store.log.append(append(uuid4(), 0, deferred())), Appended)
            await asyncio.sleep(0.01)
        await restarting
        assert isinstance(await store.log.append(append(uuid4(), 0, deferred())), Appended)
