"""
Which news make a breaker of this process open, and which say nothing.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from adapters.breakers.feeding import DatabaseFeed, feed_appointments, feed_webhooks
from adapters.breakers.watched import WatchedBreaker
from adapters.postgres import errors as postgres
from adapters.sqlite import errors as sqlite
from domain.breaker_policy import BreakerPolicy
from domain.errors import AppointmentDatabaseError, DatabaseKind
from sagas.inbox import WebhookNews
from tests.breakers.listening import Heard
from tests.fakes.given import BOOKED, attempted, failed, given, refused


def breaker(name: str) -> WatchedBreaker:
    return WatchedBreaker(name, BreakerPolicy(), listener=Heard())


def counted(watched: WatchedBreaker) -> tuple[int, int]:
    snapshot = watched.snapshot()
    return snapshot.successes, snapshot.failures


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (None, (1, 0)),
        ("timeout", (0, 1)),
        ("connection_lost", (0, 1)),
        ("deadlock", (0, 0)),
        ("constraint", (0, 0)),
        ("data", (0, 0)),
        ("other", (0, 0)),
    ],
)
def test_the_database_fails_when_it_does_not_answer(kind: DatabaseKind | None, expected: tuple[int, int]) -> None:
    watched = breaker("database")
    DatabaseFeed(watched)(None if kind is None else AppointmentDatabaseError("it failed", kind=kind), wrote=True)

    assert expected == counted(watched)


@pytest.mark.parametrize("error", [psycopg.errors.DiskFull, psycopg.errors.OutOfMemory, psycopg.errors.IoError])
def test_nor_has_a_server_without_room_or_with_a_broken_disk_taken_anything(error: type[psycopg.Error]) -> None:
    watched = breaker("database")
    told = postgres.database_error(error("it failed"))
    DatabaseFeed(watched)(told, wrote=True)

    assert (0, 1) == counted(watched)
    assert ("exhausted", False) == (told.kind, told.retryable)


def test_nor_has_sqlite_when_its_file_may_not_grow() -> None:
    watched = breaker("database")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA max_page_count = 2")
        connection.execute("CREATE TABLE t (x)")
        with pytest.raises(sqlite3.OperationalError, match="full") as full:
            connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    DatabaseFeed(watched)(sqlite.database_error(full.value), wrote=True)

    assert (0, 1) == counted(watched)


def test_reads_that_go_well_do_not_hide_that_nothing_can_be_written() -> None:
    watched = breaker("database")
    heard = DatabaseFeed(watched)
    read_only = AppointmentDatabaseError("read-only", kind="connection_lost")
    for _ in range(5):
        heard(read_only, wrote=True)
        for _ in range(100):
            heard(None, wrote=False)
    state = watched.snapshot().state
    heard(None, wrote=True)
    heard(None, wrote=False)

    assert ("open", 2) == (state, watched.snapshot().operations["call"]["succeeded"])


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        ("stored", (1, 0)),
        ("equal", (1, 0)),
        ("given_up", (0, 1)),
        ("failed", (0, 1)),
        ("put_off", (0, 0)),
        ("rejected", (0, 0)),
    ],
)
def test_webhooks_fail_for_a_reason_of_ours(news: WebhookNews, expected: tuple[int, int]) -> None:
    watched = breaker("webhooks")
    feed_webhooks(watched)(news)

    assert expected == counted(watched)


def test_appointments_fail_but_for_the_customers_own_reason() -> None:
    watched = breaker("appointments")
    tell = feed_appointments(watched)
    for booking in (
        given(*BOOKED),
        given(attempted()),
        given(attempted(), refused(), failed(reason="slot_taken")),
        given(attempted(), refused(), failed(reason="expired")),
    ):
        tell(booking)

    assert (1, 1) == counted(watched)
