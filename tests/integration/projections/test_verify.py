"""
`verify` finds nothing after the worst of days, and everything that somebody has tampered with.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from adapters.database.tables import appointments, saga_due, slot_claims
from adapters.difference import Difference
from adapters.log.store import Store
from adapters.verify import verify
from projections.tables import booking_list, projection_checkpoints
from tests.histories.driving import IMPATIENT, Salon


@pytest.mark.parametrize("seed", range(3))
async def test_a_bad_day_leaves_no_difference(store: Store, seed: int) -> None:
    salon = Salon(store, seed=seed)
    salon.open()
    await salon.have_a_day(40)
    await salon.clean_up()

    assert [] == await verify(store, policy=IMPATIENT)


async def test_it_may_run_while_everybody_writes(store: Store) -> None:
    salon = Salon(store, seed=7)
    salon.open()
    day = asyncio.create_task(salon.have_a_day(60))
    found: list[list[Difference]] = []
    while not day.done():
        found.append(await verify(store, policy=IMPATIENT))
    await day

    assert [] == [one for some in found for one in some]


@pytest.fixture
async def booking_id(store: Store) -> UUID:
    """
    A booking that went well.
    """
    salon = Salon(store)
    salon.open()
    salon.random.random = lambda: 1.0  # type: ignore[method-assign]
    await salon._serve(0)
    await verify(store)
    with store.engine.connect() as connection:
        found: UUID = connection.execute(select(appointments.c.booking_id)).scalar_one()
    return found


async def test_a_missing_appointment_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, delete(appointments))

    assert [("appointment", "a row that is booked", "nothing")] == await found_in(store, booking_id)


async def test_a_changed_appointment_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, update(appointments).values(calcom_booking_uid="other", status="cancelled"))

    assert [("appointment, calcom_booking_uid", "uid-1", "other"), ("appointment, status", "booked", "cancelled")] == (
        await found_in(store, booking_id)
    )


async def test_a_moved_appointment_is_found(store: Store, booking_id: UUID) -> None:
    with store.engine.connect() as connection:
        starts_at = connection.execute(select(appointments.c.starts_at)).scalar_one()
    tamper(store, update(appointments).values(starts_at=starts_at - timedelta(minutes=5)))

    assert ["appointment, starts_at"] == [what for what, _, _ in await found_in(store, booking_id)]


async def test_a_changed_row_of_the_list_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, update(booking_list).values(status="failed"))

    assert [("list of bookings, status", "booked", "failed")] == await found_in(store, booking_id)


async def test_a_missing_row_of_the_list_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, delete(booking_list))

    assert [("list of bookings", "a row", "nothing")] == await found_in(store, booking_id)


async def test_due_work_that_nobody_needs_is_found(store: Store, booking_id: UUID) -> None:
    now = store.clock.now()
    tamper(store, insert(saga_due).values(saga_id=booking_id, due_at=now, priority=1, attempt=0))

    assert [("due work", "nothing", "a row, though the saga owes nothing")] == await found_in(store, booking_id)


async def test_rows_without_a_stream_are_found(store: Store, booking_id: UUID) -> None:
    stray = uuid4()
    tamper(store, update(booking_list).values(booking_id=stray))

    assert [("list of bookings", "nothing", "a row without a stream")] == await found_in(store, stray)
    assert [("list of bookings", "a row", "nothing")] == await found_in(store, booking_id)


async def test_a_claim_that_was_not_released_is_found(store: Store, booking_id: UUID) -> None:
    claim = {"company_id": "salon", "customer_id": uuid4(), "service_id": "cut", "starts_epoch": 0}
    now = store.clock.now()
    rest = {"starts_at": now, "ends_at": now + timedelta(hours=1), "allow_near_duplicate": False, "created_at": now}
    tamper(store, insert(slot_claims).values(booking_id=booking_id, **claim, **rest))

    assert [("claim", "nothing", "a row, though the booking has ended")] == await found_in(store, booking_id)


async def test_a_lost_event_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, text("DELETE FROM stored_events WHERE originator_version = 2"))

    assert ("stream versions", "1 to 3", "1, 3, 4") == (await found_in(store, booking_id))[0]


async def test_an_event_that_cannot_be_read_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, text("UPDATE stored_events SET topic = 'booking.unheard-of.v9' WHERE originator_version = 2"))

    assert ["event"] == [what for what, _, _ in await found_in(store, booking_id)]


async def test_a_restored_log_is_found(store: Store, booking_id: UUID) -> None:
    tamper(store, update(projection_checkpoints).values(position=1000))

    assert ["read model bookings"] == [one.what for one in await verify(store, look_again=[0.0])]


async def test_a_member_of_staff_booked_twice_is_found(store: Store, booking_id: UUID) -> None:
    with store.engine.begin() as connection:
        _allow_overlaps(connection)
        row = dict(connection.execute(select(appointments)).mappings().one())
        other = {"id": uuid4(), "booking_id": uuid4(), "idempotency_key": "k", "calcom_booking_uid": "u"}
        connection.execute(insert(appointments).values(row | other))

    found = await verify(store, look_again=[0.0])
    assert "nobody is booked twice" in {one.expected for one in found}


def _allow_overlaps(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE appointments DROP CONSTRAINT appointments_staff_overlap"))
    else:
        connection.execute(text("DROP TRIGGER appointments_staff_overlap_on_insert"))


def tamper(store: Store, statement: object) -> None:
    with store.engine.begin() as connection:
        connection.execute(statement)  # type: ignore[call-overload]


async def found_in(store: Store, stream_id: UUID) -> list[tuple[str, str, str]]:
    found = await verify(store, look_again=[0.0])
    return [(one.what, one.expected, one.found) for one in found if one.stream_id == stream_id]
