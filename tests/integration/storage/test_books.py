from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.database.books import DatabaseBooks
from adapters.database.services import DatabaseServices
from adapters.log.store import Store, open_store
from domain.offer import Offer
from sagas.appending import InsertAppointment
from sagas.reconciling import BookedRow, Books
from tests.integration.storage.appends import COMPANY, HALF_HOUR, SERVICE, TEN, finish, initiated, start, withdraw


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind that knows one service.
    """
    async with open_store(url) as store:
        yield store


def books(store: Store) -> Books:
    stored = DatabaseServices(engine=store.engine, readers=store.readers, clock=store.clock)
    return DatabaseBooks(engine=store.engine, readers=store.readers, stored=stored, clock=store.clock)


async def book(store: Store, hours: int) -> InsertAppointment:
    facts = initiated(starts_at=TEN + timedelta(hours=hours), ends_at=TEN + timedelta(hours=hours) + HALF_HOUR)
    first = start(facts)
    await store.log.append(first)
    second = finish(first.stream_id, facts)
    await store.log.append(second)
    assert isinstance(second.appointment, InsertAppointment)
    return second.appointment


async def booked(store: Store, **changes: object) -> list[BookedRow]:
    asked = {"company_id": COMPANY, "event_type_id": SERVICE.calcom_event_type_id, "ending_after": TEN, **changes}
    return sorted(await books(store).booked(**asked), key=lambda row: row.uid)  # type: ignore[arg-type]


async def test_what_is_booked_and_not_over_is_compared(store: Store) -> None:
    over, now, later = [await book(store, hours) for hours in (-1, 0, 1)]
    await store.log.append(withdraw(later.booking_id, later.appointment_id))

    assert [BookedRow(booking_id=now.booking_id, uid=now.calcom_booking_uid)] == await booked(store)
    assert [] == await booked(store, ending_after=now.ends_at)
    earlier = await booked(store, ending_after=TEN - timedelta(days=1))
    assert {over.booking_id, now.booking_id} == {row.booking_id for row in earlier}


async def test_other_companies_and_event_types_are_compared_by_themselves(store: Store) -> None:
    await book(store, 0)

    assert [] == await booked(store, company_id="elsewhere")
    assert [] == await booked(store, event_type_id=1)


async def test_all_services_of_all_companies_are_swept(store: Store) -> None:
    theirs = replace(SERVICE, company_id="elsewhere")
    stored = DatabaseServices(engine=store.engine, readers=store.readers, clock=store.clock)
    await stored.put(Offer(service=theirs))

    assert {SERVICE, theirs} == set(await books(store).services())


async def test_how_far_a_sweep_has_come_is_remembered_for_each_event_type(store: Store) -> None:
    ours = books(store)

    assert None is await ours.swept_until(company_id=COMPANY, event_type_id=1)
    await ours.swept(company_id=COMPANY, event_type_id=1, until=TEN)
    await ours.swept(company_id=COMPANY, event_type_id=1, until=TEN + HALF_HOUR)
    await ours.swept(company_id=COMPANY, event_type_id=2, until=TEN)

    assert [TEN + HALF_HOUR, TEN, None] == [
        await ours.swept_until(company_id=COMPANY, event_type_id=1),
        await ours.swept_until(company_id=COMPANY, event_type_id=2),
        await ours.swept_until(company_id="elsewhere", event_type_id=1),
    ]
