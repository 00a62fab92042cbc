"""
The appointments, as the sagas read them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event, text

from adapters.log.store import Store, open_store
from domain import events as e
from sagas.appending import Append, InsertAppointment
from tests.integration.storage.appends import COMPANY, finish, initiated, start, withdraw


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind.
    """
    async with open_store(url) as store:
        yield store


async def booked(store: Store, uid: str, facts: e.BookingInitiated | None = None) -> Append:
    facts = facts or initiated()
    first = start(facts)
    second = finish(first.stream_id, facts, calcom_booking_uid=uid)
    await store.log.append(first)
    await store.log.append(second)
    return second


async def test_uids_tell_whose_they_are(store: Store) -> None:
    first, second = await booked(store, "uid-1"), await booked(store, "uid-2")

    found = await store.appointments.holders(company_id=COMPANY, uids=["uid-1", "uid-2", "uid-3"])
    assert {"uid-1": first.stream_id, "uid-2": second.stream_id} == found


async def test_a_cancelled_appointment_still_has_its_uid(store: Store) -> None:
    one = await booked(store, "uid-1")
    assert isinstance(one.appointment, InsertAppointment)
    await store.log.append(withdraw(one.stream_id, one.appointment.appointment_id))

    assert {"uid-1": one.stream_id} == await store.appointments.holders(company_id=COMPANY, uids=["uid-1"])


async def test_the_uids_of_another_company_are_nobodys(store: Store) -> None:
    await booked(store, "uid-1")

    assert {} == await store.appointments.holders(company_id="elsewhere", uids=["uid-1"])


async def test_whose_uids_they_are_is_known_of_every_company(store: Store) -> None:
    one = await booked(store, "uid-1")
    assert isinstance(one.appointment, InsertAppointment)
    await store.log.append(withdraw(one.stream_id, one.appointment.appointment_id))

    assert {"uid-1": COMPANY} == await store.appointments.companies(["uid-1", "uid-2"])


async def test_no_uids_have_no_holders(store: Store) -> None:
    await booked(store, "uid-1")

    assert {} == await store.appointments.holders(company_id=COMPANY, uids=[])
    assert {} == await store.appointments.companies([])


async def test_a_thousand_uids_are_one_question(store: Store) -> None:
    one = await booked(store, "uid-1")

    uids = [f"uid-{number}" for number in range(1000)]
    assert {"uid-1": one.stream_id} == await store.appointments.holders(company_id=COMPANY, uids=uids)


async def test_holders_are_looked_up_in_an_index(store: Store, url: str) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    await store.appointments.holders(company_id=COMPANY, uids=["uid-1", "uid-2"])

    [(query, parameters)] = asked
    with store.engine.connect() as connection:
        if "postgres" in url:
            # With no rows yet, a planner that may would read them all.
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN" if "postgres" in url else "EXPLAIN QUERY PLAN"
        plan = str(connection.exec_driver_sql(f"{explain} {query}", parameters).all())
    assert ("appointments_calcom_booking_uid" if "postgres" in url else "(calcom_booking_uid=?)") in plan
