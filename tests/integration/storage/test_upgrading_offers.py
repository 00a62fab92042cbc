"""
Rows from before it was kept what a service is offered as: they are compared like those that are written today.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from adapters.database.engine import open_engine
from adapters.database.tables import appointments, slot_claims
from adapters.log.store import open_store
from adapters.recording.backend import Backend
from adapters.verify import verify
from domain import events as e
from domain.booking import initial_state
from domain.composite import LegEvent
from domain.evolving import fold
from migrations.runner import migrate
from sagas.appending import InsertAppointment
from sagas.rows import appointment_of, claim_of
from tests.integration.storage.appends import NOW, append, define_service, finish, opened, row_of, rows, start
from tests.integration.storage.test_migrations import without_check
from tests.integration.storage.test_offered_alike import ADA, ALONE, BEN, claim, why, wish


@pytest.fixture
def url(empty_database_url: str) -> str:
    """
    A database of either kind as it was before, in which Ada's cut has another name by now.
    """
    migrate(empty_database_url, to="0005")
    define_service(empty_database_url, replace(ADA, name="Haircut"))
    define_service(empty_database_url, BEN)
    return empty_database_url


@pytest.fixture
def before(url: str) -> Iterator[Backend]:
    """
    Its log, open.
    """
    with without_check(url) as database:
        yield database


def put(url: str, table: sa.Table, row: dict[str, Any]) -> None:
    engine = open_engine(url)
    del row["offered_as"]
    with engine.begin() as connection:
        connection.execute(table.insert().values(row | {"created_at": NOW}))
    engine.dispose()


def booked(url: str, before: Backend, facts: e.BookingInitiated) -> UUID:
    first = start(facts)
    second = finish(first.stream_id, facts)
    events = [one for one in (*first.events, *second.events) if not isinstance(one, LegEvent)]
    before.append([append(first.stream_id, 0, *events)])  # type: ignore[arg-type]
    *until, last = events
    assert isinstance(last, e.AppointmentBooked)
    put_row(url, appointment_of(fold(initial_state(first.stream_id), until), last))  # type: ignore[arg-type]
    return first.stream_id


def put_row(url: str, row: InsertAppointment) -> None:
    facts = asdict(row)
    put(url, appointments, facts | {"id": facts.pop("appointment_id"), "status": "booked", "updated_at": NOW})


def claimed(url: str, before: Backend, facts: e.BookingInitiated) -> UUID:
    first = start(facts)
    before.append([append(first.stream_id, 0, *first.events)])  # type: ignore[arg-type]
    held = claim_of(facts)
    put(
        url,
        slot_claims,
        asdict(held) | {"booking_id": first.stream_id, "starts_epoch": int(held.starts_at.timestamp())},
    )
    return first.stream_id


def offered(url: str, table: str) -> list[str | None]:
    return [one for (one,) in rows(url, f"SELECT offered_as FROM {table} ORDER BY starts_at, staff_id, leg")]


async def test_what_has_a_log_is_what_the_log_says(url: str, before: Backend) -> None:
    booking_id = booked(url, before, wish(ADA))
    held = claimed(url, before, wish(ADA, minutes=60))
    booked(url, before, wish(ALONE, minutes=120))

    migrate(url)

    assert ["barbers 30 Cut", "cut-ada"] == offered(url, "appointments")
    assert ["barbers 30 Cut"] == offered(url, "slot_claims")
    with opened(url) as database:
        refused = [claim(database, wish(BEN, minutes=minutes))[1] for minutes in (0, 60, 120)]
    assert [("near_duplicate", booking_id), ("near_duplicate", held), None] == [why(one) for one in refused]
    async with open_store(url) as store:
        assert [] == [str(one) for one in await verify(store, look_again=[0.0]) if "offered_as" in one.what]
        rows(url, "UPDATE appointments SET offered_as = NULL")
        assert 2 == len([one for one in await verify(store, look_again=[0.0]) if "offered_as" in one.what])


def test_each_leg_is_what_the_log_says_of_it(url: str, before: Backend) -> None:
    legs = [wish(ALONE), wish(ADA, minutes=60)]
    events = [LegEvent(leg=leg, event=facts) for leg, facts in enumerate(legs, start=1)]
    booking_id = uuid4()
    before.append([replace(append(booking_id, 0), events=tuple(events))])
    for one in events:
        assert isinstance(one.event, e.BookingInitiated)
        put_row(url, row_of(booking_id, one.event, leg=one.leg, idempotency_key=f"k {one.leg}"))

    migrate(url)

    assert ["cut-ada", "barbers 30 Cut"] == offered(url, "appointments")


def test_what_has_no_log_is_what_its_service_is_now(url: str) -> None:
    others = [wish(ADA), wish(BEN, minutes=60), wish(replace(BEN, service_id="by-hand"), minutes=120)]
    for facts in others:
        put_row(url, row_of(uuid4(), facts))

    migrate(url)

    assert ["barbers 30 Haircut", "barbers 30 Cut", None] == offered(url, "appointments")
    with opened(url) as database:
        # Nobody's, or an overlap would come first.
        assert why(claim(database, wish(replace(ADA, staff_id=None), minutes=60))[1]) is not None


def test_two_under_way_that_were_let_through_before_stop_nothing(url: str, before: Backend) -> None:
    held = {claimed(url, before, wish(one)) for one in (ADA, BEN)}
    beside = claimed(url, before, wish(replace(BEN, staff_id=None), allow_near_duplicate=True))

    migrate(url)

    assert held | {beside} == {UUID(str(one)) for (one,) in rows(url, "SELECT booking_id FROM slot_claims")}
    with opened(url) as database:
        refused = why(claim(database, wish(replace(BEN, service_id="cut-cal", staff_id="cal")))[1])
    assert refused is not None
    assert ("near_duplicate", True) == (refused[0], refused[1] in held)
