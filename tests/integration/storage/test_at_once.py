"""
Appends that nothing stands in the way of are one statement for PostgreSQL, and become what they would have in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from adapters.postgres.session import Row
from adapters.recording.backend import Backend
from adapters.recording.batch import Draft
from sagas.appending import Append, Appended, InsertAppointment, Lost
from tests.integration.storage.appends import define_service, opened, rows
from tests.integration.storage.random_appends import appends, batches
from tests.servers.postgres import DatabaseServer

KEPT = {
    "stored_events": "notification_id, originator_id, originator_version, topic, state",
    "slot_claims": "booking_id, customer_id, staff_id, starts_at, ends_at, starts_epoch, allow_near_duplicate, leg",
    "customers": "customer_id, name, email, email_folded, phone",
    "appointments": "id, booking_id, calcom_booking_uid, service_id, customer_id, staff_id, starts_at, ends_at, status",
    "saga_due": "saga_id, priority, lease_token, attempt",
}
"""What is compared of each table: all but when it was written."""

EVENTS_OF_EACH = "SELECT originator_id, originator_version FROM stored_events ORDER BY originator_id, notification_id"


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
        _are_in_order(twins.urls[0])

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


def test_whatever_comes_in_one_batch_each_is_told_what_is_stored(postgres_url: str) -> None:
    define_service(postgres_url)
    with opened(postgres_url) as database:

        @given(several=appends(), size=st.integers(2, 6))
        @settings(suppress_health_check=list(HealthCheck))
        def is_so(several: Sequence[Append], size: int) -> None:
            rows(postgres_url, f"TRUNCATE {', '.join(KEPT)} RESTART IDENTITY CASCADE")
            for place in range(0, len(several), size):
                batch = list({one.stream_id: one for one in several[place : place + size]}.values())
                for one, result in zip(batch, database.append(batch), strict=True):
                    _is_stored(postgres_url, one, result)
            _are_in_order(postgres_url)

        is_so()


def _are_in_order(url: str) -> None:
    for _, events in groupby(rows(url, EVENTS_OF_EACH), key=itemgetter(0)):
        versions = [version for _, version in events]
        assert versions == list(range(1, len(versions) + 1))


def _is_stored(url: str, one: Append, result: object) -> None:
    stream = f"'{one.stream_id}'"
    of_it = f"position('{one.append_id}' in convert_from(state, 'UTF8')) > 0"
    query = "SELECT originator_version, topic FROM stored_events WHERE originator_id = {} AND {} ORDER BY 1"
    stored = rows(url, query.format(stream, of_it))
    if isinstance(result, Lost):
        assert [] == stored
        return
    assert isinstance(result, Appended)
    assert [event.TOPIC for event in result.events] == [topic for _, topic in stored]
    head = rows(url, f"SELECT max(originator_version) FROM stored_events WHERE originator_id = {stream}")
    if not stored or [(stored[-1][0],)] != head:
        # Sent again, after others: what it wrote beside its events may be gone by now.
        return
    is_whole = result.refusal is None
    if one.claim is not None:
        holds = is_whole and not one.releases_claim
        assert [(holds,)] == rows(url, f"SELECT count(*) > 0 FROM slot_claims WHERE booking_id = {stream}")
    if isinstance(one.appointment, InsertAppointment):
        stands = f"booking_id = {stream} AND status = 'booked'"
        assert [(is_whole,)] == rows(url, f"SELECT count(*) > 0 FROM appointments WHERE {stands}")
