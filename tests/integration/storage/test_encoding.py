"""
What is written is what was meant, in whatever encoding a connection speaks; a database that cannot hold it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest

from adapters.recording.codec import booking_codec
from adapters.recording.mapper import EventMapper
from migrations.errors import EncodingRefused
from migrations.runner import check, migrate
from sagas.appending import Customer
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
