"""
What is written is what was meant, in whatever encoding a connection speaks; a database that cannot hold it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from adapters.log.store import open_store
from adapters.recording.codec import booking_codec
from adapters.recording.mapper import EventMapper
from migrations.errors import EncodingRefused
from migrations.runner import check, migrate
from sagas.appending import Customer, DueAfter
from tests.integration.storage.appends import COMPANY, append, deferred, initiated, opened, rows, start
from tests.servers.postgres import DatabaseServer


@pytest.mark.parametrize("encoding", ["utf8", "latin1"])
@pytest.mark.parametrize("reason", ["Žofie 🦒", "\x00", "a\\u0000b \"\\\" '' $1 %(events)b", "\u2028\ufeff\x7f"])
@pytest.mark.parametrize("neighbours", [0, 1])
def test_an_event_is_stored_byte_for_byte(postgres_url: str, encoding: str, reason: str, neighbours: int) -> None:
    first = append(uuid4(), 0, deferred(reason))
    [row] = EventMapper(booking_codec()).rows(first, first.events)

    with opened(f"{postgres_url}?client_encoding={encoding}") as database:
        database.append([first, *(append(uuid4(), 0, deferred(reason)) for _ in range(neighbours))])
        [stored] = database.recorder.select_events(first.stream_id)

    assert (row.topic, row.state) == (stored.topic, bytes(stored.state))


@pytest.mark.parametrize("neighbours", [0, 1])
def test_a_name_is_stored_as_it_is_whatever_the_connection_says_of_text(postgres_url: str, neighbours: int) -> None:
    facts = initiated()
    person = Customer(
        customer_id=facts.customer_id, company_id=COMPANY, name="Žofie 🦒", email=None, phone=None, found=True
    )

    with opened(f"{postgres_url}?client_encoding=latin1") as database:
        database.append([start(facts, customer=person), *(append(uuid4(), 0, deferred()) for _ in range(neighbours))])

    assert [("Žofie 🦒",)] == rows(postgres_url, "SELECT name FROM customers")


@pytest.mark.parametrize("what", [migrate, check])
def test_a_database_that_cannot_hold_every_name_is_refused(
    postgres_server: DatabaseServer, what: Callable[[str], None]
) -> None:
    name = f"latin1_{uuid4().hex}"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(EncodingRefused, match="encoding LATIN1"):
            what(postgres_server.url(name))
    finally:
        postgres_server.drop_database(name)


async def test_times_are_read_as_they_are_whatever_the_database_says_of_their_look(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        database = sql.Identifier(connection.info.dbname)
        for name, look in (("datestyle", "German"), ("intervalstyle", "sql_standard"), ("extra_float_digits", "-15")):
            connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(database, sql.Identifier(name), look))

    async with open_store(postgres_url) as store:
        await store.log.append(append(uuid4(), 0, deferred(), due=DueAfter(delay=timedelta(hours=30))))
        wait = await store.agenda.next_due()
        with store.engine.connect() as reading:
            read = reading.execute(text("SELECT timestamptz '2026-11-27T09:00Z', 16.129032258064516::float8")).one()

    assert wait is not None
    assert timedelta(hours=29) < wait <= timedelta(hours=30)
    assert (datetime(2026, 11, 27, 9, tzinfo=UTC), 16.129032258064516) == tuple(read)
