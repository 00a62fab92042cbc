"""
Appends that nothing stands in the way of are one statement for PostgreSQL, and become what they would have in turn.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.database.clock import DatabaseClock
from adapters.postgres import at_once
from adapters.postgres.session import LOCK, Row
from adapters.recording.backend import Backend
from adapters.recording.batch import Draft
from domain import events as e
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, Appended, Customer, DueAfter, Instead, Refusal
from tests.integration.storage.appends import (
    COMPANY,
    HALF_HOUR,
    NOW,
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

EVENTS_OF_EACH = "SELECT originator_id, originator_version FROM stored_events ORDER BY originator_id, notification_id"

RARELY = st.integers(0, 9).map(lambda number: number == 0)
PEOPLE = st.integers(1, 12).map(lambda number: UUID(int=number))
EMAILS = st.sampled_from([None, None, None, "ada@example.com", "ADA@example.com", "eve@example.com"])
PHONES = st.sampled_from([None, *(f"+4930{number}" for number in range(9))])


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
def begun(
    draw: st.DrawFn,
    *,
    people: st.SearchStrategy[UUID] = PEOPLE,
    releasing: st.SearchStrategy[bool] = RARELY,
    emails: st.SearchStrategy[str | None] = EMAILS,
    phones: st.SearchStrategy[str | None] = PHONES,
) -> Booking:
    facts = initiated(
        person=draw(st.text(min_size=1, max_size=9)),
        customer_id=draw(people),
        staff_id=draw(st.sampled_from(["ada", "ada", None, "ben"])),
        starts_at=TEN + draw(st.integers(0, 2)) * HALF_HOUR / 2,
        allow_near_duplicate=draw(st.booleans()),
    )
    person = Customer(
        customer_id=facts.customer_id,
        company_id=COMPANY,
        name="Ada",
        email=draw(emails),
        phone=draw(phones),
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

    releases = draw(releasing)
    first = start(facts, customer=person, for_customer=for_customer, releases_claim=releases)
    service_id = draw(st.sampled_from(["checkup", "checkup", "unknown"]))
    second = finish(first.stream_id, facts, service_id=service_id)
    return Booking(facts, first, second, first)


def what_comes(draw: st.DrawFn, bookings: list[Booking]) -> Append:
    """
    Draw the next append: a new booking, or something about one there is, as it should be or too late.
    """
    kind = draw(
        st.sampled_from(["new", "new", "new", "finish", "finish", "again", "withdraw", "defer", "release", "stale"])
    )
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
            one.last = withdraw(stream_id, row.appointment_id, expected_version=draw(st.sampled_from([4, 4, 2, 5])))
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
def in_turn() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(at_once, "can_be_tried", lambda _: False)
        yield


def _told(database: Backend, one: Append) -> object:
    [result] = database.append([one])
    return result


def _told_by_stream(database: Backend, several: Sequence[Append]) -> dict[UUID, object]:
    return dict(zip([one.stream_id for one in several], database.append(several), strict=True))


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


@dataclass
class Twins:
    """
    Two databases that are to become alike.

    Of the appends that were tried at once in the first: how many became what, and which of the last ones fitted.
    """

    at_once: Backend
    in_turn: Backend
    urls: tuple[str, str]
    tried: Counter[str]
    fitting: set[UUID]

    def emptied(self) -> None:
        for url in self.urls:
            rows(url, f"TRUNCATE {', '.join(KEPT)} RESTART IDENTITY CASCADE")


@pytest.fixture
def twins(postgres_url: str, twin_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twins]:
    tried: Counter[str] = Counter()
    fitting: set[UUID] = set()
    write = at_once.write

    def watched(cursor: psycopg.Cursor[Row], clock: DatabaseClock, drafts: Sequence[Draft]) -> at_once.Outcome:
        outcome = write(cursor, clock, drafts)
        tried.update(written=len(outcome.written), refused=len(outcome.fitting - outcome.written))
        tried["unfit"] += len(drafts) - len(outcome.fitting)
        fitting.clear()
        fitting.update(outcome.fitting)
        return outcome

    monkeypatch.setattr(at_once, "write", watched)
    for url in (postgres_url, twin_url):
        define_service(url)
    with opened(postgres_url) as first, opened(twin_url) as second:
        yield Twins(first, second, (postgres_url, twin_url), tried, fitting)


def test_one_alone_becomes_what_it_would_have_become_in_turn(twins: Twins) -> None:
    @given(several=appends())
    @settings(suppress_health_check=list(HealthCheck))
    def alike(several: Sequence[Append]) -> None:
        twins.emptied()
        for one in several:
            told = _told(twins.at_once, one)
            with in_turn():
                assert told == _told(twins.in_turn, one)
        at_once, in_turn_ = map(_tables, twins.urls)
        assert at_once == in_turn_

    alike()
    # Each of the ways has been taken.
    assert min(twins.tried[way] for way in ("written", "refused", "unfit")) > twins.tried.total() / 100


@st.composite
def batches(draw: st.DrawFn) -> list[list[Append]]:
    """
    Draw batches none of which frees what others in it are waiting for.
    """
    bookings: list[Booking] = []
    found: list[list[Append]] = []
    # Nobody fits two customers, and whoever is looked for has an id that nobody has had.
    not_known_by = draw(st.sampled_from(["emails", "phones"]))
    unambiguous = {
        "people": st.builds(uuid4),
        "releasing": st.just(value=False),
        not_known_by: st.none(),
    }
    for kinds in ("begin", *draw(st.lists(st.sampled_from(["begin", "finish", "end"]), max_size=6))):
        batch = draw(st.lists(one_of_kind(kinds, bookings, unambiguous), min_size=1, max_size=8))
        found.append(list({one.stream_id: one for one in batch}.values()))
    return found


@st.composite
def one_of_kind(draw: st.DrawFn, kinds: str, bookings: list[Booking], unambiguous: dict[str, Any]) -> Append:
    """
    Draw an append for a batch in which bookings begin, or get their appointments, or free what they have.
    """
    if kinds == "begin" and draw(st.integers(0, 3)):
        bookings.append(new := draw(begun(**unambiguous)))
        assert new.first.customer is not None
        # Who is said to have been found, and was not, is looked for by nobody who comes in the same batch.
        new.first = replace(new.first, customer=replace(new.first.customer, found=False))
        return new.first
    if not bookings:
        return append(uuid4(), draw(st.integers(0, 1)), deferred(), due=DueAfter(delay=timedelta(0)))
    one = draw(st.sampled_from(bookings))
    stream_id, row = one.first.stream_id, one.finished.appointment
    assert row is not None
    match kinds:
        case "finish" if draw(st.integers(0, 3)):
            return one.finished
        case "end" if draw(st.booleans()):
            return withdraw(stream_id, row.appointment_id, expected_version=draw(st.sampled_from([4, 4, 2, 5])))
        case "end":
            return append(stream_id, draw(st.sampled_from([2, 4])), releases_claim=True)
        case _:
            return append(stream_id, draw(st.sampled_from([0, 2, 2, 2, 4])), deferred())


def test_those_of_a_batch_become_what_they_would_have_become_in_turn(twins: Twins) -> None:
    @given(several=batches())
    @settings(suppress_health_check=list(HealthCheck))
    def alike(several: Sequence[Sequence[Append]]) -> None:
        twins.emptied()
        for batch in several:
            twins.fitting.clear()
            told = _told_by_stream(twins.at_once, batch)
            with in_turn():
                # Whoever did not fit, or was not tried, comes after all others.
                for one in sorted(batch, key=lambda one: one.stream_id not in twins.fitting):
                    assert _but_why(told[one.stream_id]) == _but_why(_told(twins.in_turn, one))
        first, second = (_but_why_and_in_which_order(_tables(url)) for url in twins.urls)
        assert first == second
        for _, events in groupby(rows(twins.urls[0], EVENTS_OF_EACH), key=itemgetter(0)):
            versions = [version for _, version in events]
            assert versions == list(range(1, len(versions) + 1))

    alike()
    assert min(twins.tried[way] for way in ("written", "refused", "unfit")) > twins.tried.total() / 100


def _but_why(result: object) -> object:
    """
    What became of an append; of several rows in its way, any may be named, also one that came after it.
    """
    if not isinstance(result, Appended):
        return result
    return result.refusal is not None, [event.TOPIC for event in result.events]


def _but_why_and_in_which_order(tables: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {**tables, "stored_events": sorted(row[1:4] for row in tables["stored_events"])}


@pytest.mark.parametrize("kind", ["claim", "appointment", "appointment for another"])
@pytest.mark.parametrize("comes_first", [True, False])
def test_what_a_neighbour_frees_is_there_for_whoever_wants_it(postgres_url: str, kind: str, comes_first: bool) -> None:
    define_service(postgres_url)
    with opened(postgres_url) as database:
        facts = initiated(staff_id="ada")
        first = start(facts)
        booked = finish(first.stream_id, facts)
        database.append([first])
        frees = append(first.stream_id, 2, e.BookingCancelled(at=NOW, reason="requested"), releases_claim=True)
        wants = start(initiated(staff_id="ada"))
        if kind != "claim":
            assert booked.appointment is not None
            database.append([booked])
            frees = withdraw(first.stream_id, booked.appointment.appointment_id)
        if kind == "appointment for another":
            later = initiated(staff_id="ada", starts_at=TEN + timedelta(hours=4))
            second = start(later)
            database.append([second])
            wants = finish(second.stream_id, later, starts_at=facts.starts_at, ends_at=facts.ends_at)

        pair = [frees, wants] if comes_first else [wants, frees]
        others = [start() for _ in range(3)]
        told = database.append([*pair, *others])

    assert [Appended(events=one.events) for one in (*pair, *others)] == told


def test_of_one_persons_claims_that_name_no_customer_the_second_minds_the_first(postgres_url: str) -> None:
    customer_id = uuid4()
    beside, minding = (
        replace(start(initiated(customer_id=customer_id, allow_near_duplicate=allowed)), customer=None)
        for allowed in (True, False)
    )
    with opened(postgres_url) as database:
        told = database.append([beside, minding])

    assert ["", "near_duplicate"] == [
        one.refusal.by if one.refusal else "" for one in told if isinstance(one, Appended)
    ]


def test_who_is_refused_has_made_no_attempt(postgres_url: str) -> None:
    first = start(initiated(staff_id="ada"))

    def later(_: Refusal) -> Instead:
        return Instead(events=(deferred(),), due=DueAfter(delay=timedelta(0)))

    with opened(postgres_url) as database:
        database.append([first])
        refused = replace(start(initiated(staff_id="ada")), on_refused=later)
        database.append([refused, start()])

    told = f"SELECT attempt, lease_token FROM saga_due WHERE saga_id = '{refused.stream_id}'"
    assert [(0, None)] == rows(postgres_url, told)


def test_whoever_dies_while_it_waits_for_the_lock_has_sent_nothing_else(postgres_url: str) -> None:
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
