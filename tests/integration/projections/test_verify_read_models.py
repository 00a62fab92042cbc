"""
`verify` compares every read model with the log: what is running must be what a rebuild would make.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, update

from adapters.log.store import Store
from adapters.verify import verify
from domain.findings import InconsistencyDetected
from projections.failures import failure_id_of
from projections.notification_requests import NotificationRequest
from projections.tables import (
    appointment_standings,
    customer_engagement,
    notification_requests,
    projection_parked,
    sync_failure_bookings,
    sync_failures,
)
from sagas.appending import NothingDue
from tests.histories.driving import Salon
from tests.integration.projections.tampering import THEN, booked, found, tamper, written


@pytest.fixture
async def booking_id(store: Store, salon: Salon) -> UUID:
    """
    A booked appointment about which something was found, all read models up to date.
    """
    booking_id = await booked(salon)
    drift = InconsistencyDetected(at=THEN, kind="time_drift", uid="uid-1", evidence="later there")
    version = len(await store.log.read(booking_id))
    await written(store, drift, stream_id=booking_id, after=version, due=NothingDue())
    assert [] == await verify(store, look_again=[0.0])
    return booking_id


async def test_a_changed_sync_failure_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, update(sync_failures).values(status="resolved", attempt_count=7))
    failure = f"sync failure {failure_id_of(booking_id, 'time_drift', 'uid-1')}"

    assert [(f"{failure}, status", "pending", "resolved"), (f"{failure}, attempt_count", "1", "7")] == await found(
        store, booking_id
    )


async def test_a_missing_sync_failure_and_one_too_many_are_found(store: Store, booking_id: UUID) -> None:
    with store.engine.connect() as connection:
        row = dict(connection.execute(select(sync_failures)).mappings().one())
    tamper(store, update(sync_failures).values(id=UUID(int=1)))
    differences = await found(store, booking_id)

    assert {(f"sync failure {UUID(int=1)}", "nothing", "a row"), (f"sync failure {row['id']}", "a row", "nothing")} == {
        *differences
    }


async def test_what_is_wrong_about_the_booking_of_sync_failures_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, update(sync_failure_bookings).values(appointment_id=None))

    assert ["booking of sync failures, appointment_id"] == [what for what, _, _ in await found(store, booking_id)]


@pytest.mark.parametrize("table", [sync_failures, notification_requests], ids=lambda table: table.name)
async def test_a_row_of_no_booking_is_found(store: Store, booking_id: UUID, table: Any) -> None:  # noqa: ANN401 - a table
    stray = uuid4()
    with store.engine.connect() as connection:
        row = dict(connection.execute(select(table).limit(1)).mappings().one())
    tamper(store, insert(table).values(row | {"id": uuid4(), "booking_id": stray}))

    assert [(table.name.replace("_", " "), "nothing", "a row without a stream")] == await found(store, stray)


async def test_a_changed_standing_is_found_and_does_not_add_up(store: Store, booking_id: UUID) -> None:
    tamper(store, update(appointment_standings).values(status="cancelled"))
    differences = await verify(store, look_again=[0.0])

    assert [("standing, status", "booked", "cancelled")] == [
        (one.what, one.expected, one.found) for one in differences if one.stream_id == booking_id
    ]
    [customer] = [one for one in differences if one.stream_id is None]
    assert ("'cancelled': 1" in customer.expected, "'cancelled': 0" in customer.found) == (True, True)


async def test_a_wrong_score_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, update(customer_engagement).values(score=99))
    [difference] = await verify(store, look_again=[0.0])

    assert ("25", "99") == (difference.expected, difference.found)
    assert difference.what.endswith(", score")


async def test_a_customer_too_few_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, delete(customer_engagement))
    [difference] = await verify(store, look_again=[0.0])

    assert difference.what.startswith("engagement of customer ")
    assert "nothing" == difference.found


async def test_a_missing_request_is_found_and_a_sent_one_is_none(store: Store, booking_id: UUID) -> None:
    with store.engine.connect() as connection:
        request = NotificationRequest(**connection.execute(select(notification_requests)).mappings().one())
    tamper(store, update(notification_requests).values(status="sent"))
    assert [] == await found(store, booking_id)

    tamper(store, delete(notification_requests))
    assert [(f"notification request {request.id}", "a row", "nothing")] == await found(store, booking_id)


@pytest.mark.parametrize("name", ["sync_failures", "reactions"])
async def test_a_parked_stream_is_found(store: Store, booking_id: UUID, name: str) -> None:
    parked = {"name": name, "stream_id": booking_id, "position": 1, "error": "ValueError", "parked_at": THEN}
    tamper(store, insert(projection_parked).values(parked))

    assert [(name.replace("_", " "), "applied", "parked (ValueError)")] == await found(store, booking_id)
