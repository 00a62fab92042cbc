"""
The database fails for a reason that passes, with Cal.com's answer in hand: nothing is undone or asked twice.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from adapters.bootstrap import wiring
from adapters.log.appender import Appender
from adapters.log.store import open_store
from adapters.postgres.session import WRITER_LOCK
from adapters.sqlite.session import WriterSession
from domain.booking import Booking
from domain.errors import AppointmentDatabaseError, DatabaseKind
from tests.integration.persistence.interference import STAFF, Once
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    PATIENT,
    START,
    Installation,
    a_wish,
    eventually,
    named,
    quick,
    quiet,
    story,
)
from tests.integration.system.outage import HeldFile


class Failures:
    """
    What the writer was told by the database.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kinds: list[DatabaseKind] = []
        self.states: list[str] = []
        opened = Appender.__init__

        def listening(appender: Appender, write: Callable[..., object], **options: Any) -> None:  # noqa: ANN401
            opened(appender, self._heard(write), **options)  # type: ignore[arg-type]

        monkeypatch.setattr(Appender, "__init__", listening)

    def _heard(self, write: Callable[..., object]) -> Callable[..., object]:
        def heard(*batch: object) -> object:
            try:
                return write(*batch)
            except AppointmentDatabaseError as error:
                self.kinds.append(error.kind)
                self.states.append(str(error.context["sql_state"]))
                raise

        return heard


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> Failures:
    # The writer gives up soon, so that it is the engine that insists.
    monkeypatch.setattr(wiring, "open_store", partial(open_store, patience=0.2))
    return Failures(monkeypatch)


@pytest.fixture
def on_postgres(postgres_url: str, account: Account) -> Installation:
    return Installation(settings=quick(postgres_url, account, database_lock_seconds=0.2))


@pytest.fixture
def on_sqlite(sqlite_url: str, account: Account) -> Installation:
    return Installation(settings=quick(sqlite_url, account, database_lock_seconds=0.2))


async def _books_all_the_same(here: Installation, account: Account, interfere: Once) -> Booking:
    await here.define(account.event_type())
    async with here.opened(on_point=interfere) as app:
        booking = (await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)).booking
        await quiet(app)
        happened = named(await story(app.store, booking.booking_id))
    assert "booked" == booking.status.value
    assert 1 == account.calls("create") == len(account.live())
    assert 1 == happened.count("CalcomBookingAttempted") == happened.count("AppointmentBooked")
    assert [] == await here.faults(account.ledger())
    return booking


async def test_a_writer_whose_backend_is_terminated_writes_again(
    on_postgres: Installation, account: Account, failures: Failures
) -> None:
    def terminate() -> None:
        with psycopg.connect(on_postgres.settings.database_url, autocommit=True) as other:
            killed = other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert killed.rowcount

    await _books_all_the_same(on_postgres, account, Once(terminate))

    assert {"connection_lost"} == set(failures.kinds)


async def test_a_writer_lock_that_another_session_holds_is_waited_for(
    on_postgres: Installation, account: Account, failures: Failures
) -> None:
    with psycopg.connect(on_postgres.settings.database_url) as other:
        interfere = Once(lambda: other.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK]))
        booking = asyncio.create_task(_books_all_the_same(on_postgres, account, interfere))
        # Two more than the writer itself takes: the engine has been told, and insists.
        await eventually(lambda: _more(failures.kinds, 4), "the writer has waited for the lock in vain")
        assert not booking.done()
        other.rollback()
        await booking

    assert ({"timeout"}, {"55P03"}) == (set(failures.kinds), set(failures.states))


async def test_a_file_that_another_program_holds_is_waited_for(
    on_sqlite: Installation, account: Account, failures: Failures
) -> None:
    holder = HeldFile(on_sqlite.settings.database_url)
    booking = asyncio.create_task(_books_all_the_same(on_sqlite, account, Once(holder.begins)))
    await eventually(lambda: _more(failures.kinds, 4), "the writer has waited for the file in vain")
    assert not booking.done()
    holder.ends()
    await booking

    assert {"timeout"} == set(failures.kinds)


@pytest.mark.parametrize("gives_way", [True, False], ids=["the row is withdrawn", "the row stays"])
async def test_a_deadlock_is_resolved_by_writing_again(
    postgres_url: str, account: Account, failures: Failures, gives_way: bool
) -> None:
    # The other session holds a row that our insert waits for, and then asks for the lock that our writer holds.
    here = Installation(settings=quick(postgres_url, account, database_lock_seconds=10))
    await here.define(account.event_type())
    _let_us_find_circles(postgres_url)
    other = psycopg.connect(postgres_url)
    stuck: list[threading.Thread] = []

    def entangle() -> None:
        other.execute("SET deadlock_timeout = '60s'")
        other.execute(*_row_in_the_way())
        thread = threading.Thread(target=ask_for_the_lock)
        stuck.append(thread)
        thread.start()

    def ask_for_the_lock() -> None:
        _await_a_waiter(postgres_url)
        other.execute("SELECT pg_advisory_xact_lock(%s)", [WRITER_LOCK])
        other.rollback() if gives_way else other.commit()

    async with here.opened(on_point=Once(entangle)) as app:
        booking = (await app.orchestrator.book(a_wish(staff_id=STAFF), patience=PATIENT)).booking
        await quiet(app)
    stuck[0].join(PATIENT)
    other.close()

    assert ({"deadlock"}, {"40P01"}) == (set(failures.kinds), set(failures.states))
    assert ("booked" if gives_way else "failed") == booking.status.value
    assert 1 == account.calls("create")
    assert [] == await here.faults(account.ledger())


async def test_a_database_that_became_read_only_is_waited_for(
    on_postgres: Installation, account: Account, failures: Failures
) -> None:
    # As after a failover to a standby: the sessions go on, and what they write is refused.
    url = make_url(on_postgres.settings.database_url)
    beside = url.set(database="postgres").render_as_string(hide_password=False)
    setting = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")

    def set_read_only(switch: str) -> None:
        with psycopg.connect(beside, autocommit=True) as other:
            other.execute(setting.format(sql.Identifier(str(url.database)), sql.Literal(switch)))
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [url.database])

    booking = asyncio.create_task(_books_all_the_same(on_postgres, account, Once(lambda: set_read_only("on"))))
    await eventually(lambda: _more(failures.states, 4), "the writer was refused")
    assert not booking.done()
    set_read_only("off")
    await booking

    assert "25006" in failures.states


async def test_a_file_without_room_delays_a_booking_and_breaks_nothing(
    on_sqlite: Installation, account: Account, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    await on_sqlite.define(account.event_type())
    # What migrations have left free inside the file is room, too.
    with closing(sqlite3.connect(on_sqlite.settings.database_url.removeprefix("sqlite:///"))) as connection:
        connection.execute("VACUUM")
    full = threading.Event()
    begin = WriterSession.begin

    def cramped(session: WriterSession) -> sqlite3.Connection:
        connection = begin(session)
        # SQLite's own limit stands in for the disk's: the same error in the same place.
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages if full.is_set() else 2**30}")
        if full.is_set():
            connection.execute("CREATE TABLE filler (junk)")
        return connection

    monkeypatch.setattr(WriterSession, "begin", cramped)
    async with on_sqlite.opened(on_point=Once(full.set)) as app:
        with pytest.raises(AppointmentDatabaseError):
            await app.orchestrator.book(a_wish(), patience=PATIENT)
        full.clear()
        result = await app.orchestrator.book(a_wish(), patience=PATIENT)
        await quiet(app)

    assert ("exhausted", "SQLITE_FULL") == (failures.kinds[0], failures.states[0])
    assert ("booked", True) == (result.booking.status.value, result.replayed)
    assert 1 == account.calls("create") == len(account.live())
    assert [] == await on_sqlite.faults(account.ledger())


async def _more(heard: list[DatabaseKind] | list[str], than: int) -> bool:
    return len(heard) > than


def _let_us_find_circles(url: str) -> None:
    # Long enough for the circle to be closed on a slow machine before our writer looks for one; the other never looks.
    name = sql.Identifier(str(make_url(url).database))
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(sql.SQL("ALTER DATABASE {} SET deadlock_timeout = '3s'").format(name))


def _row_in_the_way() -> tuple[str, list[object]]:
    statement = (
        "INSERT INTO appointments (id, company_id, booking_id, idempotency_key, service_id, customer_id, staff_id,"
        " starts_at, ends_at, status, source) VALUES (gen_random_uuid(), 'default', gen_random_uuid(), 'front desk',"
        " 'consultation', gen_random_uuid(), %s, %s, %s + interval '10 minutes', 'booked', 'front-desk')"
    )
    return statement, [STAFF, START, START]


def _await_a_waiter(url: str) -> None:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'calsaga writer' AND wait_event_type = 'Lock'"
    with psycopg.connect(url, autocommit=True) as watcher:
        while watcher.execute(waiting).fetchone() is None:
            time.sleep(0.01)
