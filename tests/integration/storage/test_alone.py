"""
An append that is alone is one statement for PostgreSQL, and becomes what it would have become in a batch.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.postgres import recorder
from adapters.postgres.alone import written_at_once
from adapters.postgres.session import LOCK
from adapters.recording.backend import Backend
from domain import events as e
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, Appended, Customer, DueAfter
from tests.integration.storage.appends import (
    COMPANY,
    HALF_HOUR,
    TEN,
    append,
    deferred,
    define_service,
    finish,
    initiated,
    opened,
    rows,
    start,
    withdraw,
)
from tests.servers.forking import FORKED
from tests.servers.postgres import DatabaseServer, PostgresServer

KEPT = {
    "stored_events": "notification_id, originator_id, originator_version, topic, state",
    "slot_claims": "booking_id, customer_id, staff_id, starts_at, ends_at, starts_epoch, allow_near_duplicate, leg",
    "customers": "customer_id, name, email, email_folded, phone",
    "appointments": "id, booking_id, calcom_booking_uid, service_id, customer_id, staff_id, starts_at, ends_at, status",
    "saga_due": "saga_id, priority, lease_token, attempt",
}
"""What is compared of each table: all but when it was written."""

EMAILS = st.sampled_from([None, "ada@example.com", "ADA@example.com", "eve@example.com"])
PHONES = st.sampled_from([None, "+49301", "+49302"])


@dataclass
class Booking:
    """
    What was asked for, and the appends that were tried for it.
    """

    facts: e.BookingInitiated
    first: Append
    finished: Append
    last: Append


@st.composite
def begun(draw: st.DrawFn) -> Booking:
    facts = initiated(
        person=draw(st.text(min_size=1, max_size=9)),
        customer_id=UUID(int=draw(st.integers(1, 4))),
        staff_id=draw(st.sampled_from([None, "ada", "ben"])),
        starts_at=TEN + draw(st.integers(0, 3)) * HALF_HOUR / 2,
        allow_near_duplicate=draw(st.booleans()),
    )
    person = Customer(
        customer_id=facts.customer_id,
        company_id=COMPANY,
        name="Ada",
        email=draw(EMAILS),
        phone=draw(PHONES),
        found=draw(st.integers(0, 4)) == 0,
    )

    def for_customer(customer_id: UUID) -> Append:
        met = replace(facts, customer_id=customer_id)
        return replace(
            start(
                met,
                stream_id=first.stream_id,
                customer=replace(person, customer_id=customer_id),
                due=first.due,
                releases_claim=releases,
            ),
            append_id=first.append_id,
            events=(met, *first.events[1:]),
        )

    releases = draw(st.integers(0, 9)) == 0
    first = start(facts, customer=person, for_customer=for_customer, releases_claim=releases)
    service_id = draw(st.sampled_from(["checkup", "checkup", "unknown"]))
    second = finish(first.stream_id, facts, service_id=service_id)
    return Booking(facts, first, second, first)


def what_comes(draw: st.DrawFn, bookings: list[Booking]) -> Append:
    """
    Draw the next append: a new booking, or something about one there is, as it should be or too late.
    """
    kind = draw(st.sampled_from(["new", "new", "finish", "finish", "again", "withdraw", "defer", "release", "stale"]))
    if kind == "new" or not bookings:
        bookings.append(draw(begun()))
        return bookings[-1].first
    one = draw(st.sampled_from(bookings))
    stream_id = one.first.stream_id
    match kind:
        case "finish":
            one.last = one.finished
        case "withdraw":
            row = one.finished.appointment
            assert row is not None
            one.last = withdraw(stream_id, row.appointment_id)
        case "defer":
            due = DueAfter(delay=timedelta(seconds=draw(st.integers(0, 9))), priority=draw(st.integers(0, 9)))
            one.last = append(stream_id, draw(st.sampled_from([2, 4])), deferred(draw(st.text(max_size=9))), due=due)
        case "release":
            one.last = append(stream_id, draw(st.sampled_from([0, 2, 4])), releases_claim=True)
        case "stale":
            one.last = append(stream_id, draw(st.integers(0, 7)), deferred())
    return one.last


@st.composite
def appends(draw: st.DrawFn) -> list[Append]:
    bookings: list[Booking] = []
    return [what_comes(draw, bookings) for _ in range(draw(st.integers(1, 12)))]


@contextmanager
def as_in_a_batch() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(recorder, "can_be_tried", lambda _: False)
        yield


def _told(database: Backend, one: Append) -> object:
    [result] = database.append([one])
    return result


def _tables(url: str) -> dict[str, list[Any]]:
    return {table: rows(url, f"SELECT {columns} FROM {table} ORDER BY 1, 2") for table, columns in KEPT.items()}


@pytest.fixture
def twin_url(postgres_server: DatabaseServer, postgres_template: str) -> Iterator[str]:
    """
    Another database of the test's own.
    """
    name = f"twin_{uuid4().hex}"
    yield postgres_server.create_database(name, template=postgres_template)
    postgres_server.drop_database(name)


def test_it_becomes_what_it_would_have_become_in_a_batch(
    postgres_url: str, twin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: Counter[bool] = Counter()

    def watched(*arguments: Any) -> bool:  # noqa: ANN401 - as it is called
        at_once[is_written := written_at_once(*arguments)] += 1
        return is_written

    monkeypatch.setattr(recorder, "written_at_once", watched)
    for url in (postgres_url, twin_url):
        define_service(url)
    with opened(postgres_url) as alone, opened(twin_url) as batched:

        @given(several=appends())
        @settings(suppress_health_check=list(HealthCheck))
        def alike(several: Sequence[Append]) -> None:
            for url in (postgres_url, twin_url):
                rows(url, f"TRUNCATE {', '.join(KEPT)} RESTART IDENTITY CASCADE")
            for one in several:
                told = _told(alone, one)
                with as_in_a_batch():
                    assert told == _told(batched, one)
            assert _tables(postgres_url) == _tables(twin_url)

        alike()
    # Both courses have been taken, and often.
    assert min(at_once[True], at_once[False]) > at_once.total() / 5


def test_whoever_dies_while_it_waits_for_the_lock_has_written_nothing(postgres_url: str) -> None:
    define_service(postgres_url)
    first = start()
    with psycopg.connect(postgres_url) as holder:
        holder.execute(LOCK)
        child = FORKED.Process(target=append_one, args=(postgres_url, replace(first, on_refused=None)))
        child.start()
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while holder.execute(waits).fetchone() == (0,):
            time.sleep(0.01)
        child.kill()
        child.join()
    with psycopg.connect(postgres_url) as next_one:
        next_one.execute(LOCK)

    for table in ("stored_events", "slot_claims", "saga_due", "customers"):
        assert [(0,)] == rows(postgres_url, f"SELECT count(*) FROM {table}")
    with opened(postgres_url) as database:
        assert Appended(events=first.events) == _told(database, first)


def append_one(url: str, one: Append) -> None:
    """
    Append, in a process that will not see the end of it.
    """
    with opened(url) as database:
        database.append([one])


async def test_what_waits_in_vain_shows_nobodys_data_in_the_servers_log(
    mortal_server: PostgresServer, mortal_url: str
) -> None:
    define_service(mortal_url)
    facts = replace(initiated(person="Ada Lovelace"), call_id="call 17")
    sought = Customer(
        customer_id=facts.customer_id, company_id=COMPANY, name="Ada", email="ada@example.com", phone="+4930901820"
    )
    first = start(facts, customer=sought)
    with opened(mortal_url, lock_timeout=0.2) as database, psycopg.connect(mortal_url) as holder:
        database.append([start()])
        holder.execute(LOCK)
        for batch in ([first], [first, start()]):
            with pytest.raises(AppointmentDatabaseError):
                database.append(batch)

    told = mortal_server.log()
    assert 2 <= told.count("canceling statement due to lock timeout")
    assert [] == [secret for secret in ("Ada", "ada@", "901820", first.append_id) if secret in told]
