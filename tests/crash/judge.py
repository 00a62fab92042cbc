"""
The invariants, judged by what Cal.com holds and what the database holds, once all is quiet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from adapters.database.tables import appointments
from adapters.log.store import Store
from adapters.verify import verify
from domain.booking import Booking, BookingStatus, initial_state
from domain.evolving import evolve
from sagas.appending import OtherEvent, Recorded

WALK_IN = "front-desk"
LIVE = frozenset({"accepted", "pending"})


async def faults_of(store: Store, ledger: Iterable[Mapping[str, Any]]) -> list[str]:
    """
    Return every way in which the two places differ; nothing if all is well.
    """
    found = list(ledger)
    bookings = await bookings_in(store)
    rows = await store.readers.run(lambda: _booked_rows(store))
    faults = [fault for booking in bookings.values() for fault in _faults(booking, found, rows)]
    faults += _unknown(found, bookings)
    faults += [f"foreign booking {uid} was touched" for uid in _touched(found)]
    walk_ins = await store.readers.run(lambda: _walk_ins(store))
    faults += [str(one) for one in await verify(store) if one.stream_id not in walk_ins]
    return faults


async def bookings_in(store: Store) -> dict[UUID, Booking]:
    """
    Return every booking that the log knows.
    """
    bookings: dict[UUID, Booking] = {}
    position = 0
    while batch := await store.log.read_all(after=position, limit=1000):
        for recorded in batch:
            assert isinstance(recorded, Recorded), recorded
            if not isinstance(recorded.event, OtherEvent):
                before = bookings.get(recorded.stream_id) or initial_state(recorded.stream_id)
                bookings[recorded.stream_id] = evolve(before, recorded.event)
            position = recorded.position
    return bookings


def _walk_ins(store: Store) -> set[UUID]:
    """
    Return the ids of rows that other software has written, of which the log rightly knows nothing.
    """
    with store.engine.connect() as connection:
        query = sa.select(appointments.c.booking_id).where(appointments.c.source == WALK_IN)
        return {row.booking_id for row in connection.execute(query)}


def _booked_rows(store: Store) -> list[tuple[UUID, str]]:
    with store.engine.connect() as connection:
        query = sa.select(appointments.c.booking_id, appointments.c.calcom_booking_uid).where(
            appointments.c.status == "booked"
        )
        return [(row.booking_id, row.calcom_booking_uid) for row in connection.execute(query)]


def _parts(booking: Booking) -> Sequence[Booking]:
    return booking.legs or (booking,)


def _faults(booking: Booking, ledger: Sequence[Mapping[str, Any]], rows: Sequence[tuple[UUID, str]]) -> list[str]:
    # What a person has made at Cal.com is known by its uid, whatever its metadata says.
    ours = [
        one
        for one in ledger
        if one["uid"] in {part.kept_uid for part in _parts(booking)}
        or (one["metadata"].get("calsaga_booking_id") == str(booking.booking_id) and not _is_foreign(one, ledger))
    ]
    live = sorted(one["uid"] for one in ours if one["status"] in LIVE)
    found = sorted(uid for booking_id, uid in rows if booking_id == booking.booking_id)
    what = f"booking {booking.booking_id} ({booking.status}, {booking.facts.idempotency_key})"
    match booking.status:
        case BookingStatus.BOOKED:
            standing = (part for part in _parts(booking) if part.status is BookingStatus.BOOKED)
            expected = sorted(part.kept_uid or "?" for part in standing)
        case BookingStatus.FAILED | BookingStatus.CANCELLED:
            expected = []
        case BookingStatus.NEEDS_REVIEW:
            return []
        case _:
            return [f"{what} is not over"]
    faults = []
    if live != expected:
        faults.append(f"{what}: live at Cal.com {live}, expected {expected}")
    if found != expected:
        faults.append(f"{what}: appointment {found}, expected {expected}")
    if booking.ledger.open or booking.ledger.presumed_absent:
        faults.append(f"{what}: open ledger lines {booking.ledger.open or booking.ledger.presumed_absent}")
    return faults


def _unknown(ledger: Iterable[Mapping[str, Any]], bookings: Mapping[UUID, Booking]) -> list[str]:
    known = {str(booking_id) for booking_id in bookings}
    # Whatever its metadata says, what somebody else has made is taken in by its uid.
    held = {part.kept_uid for booking in bookings.values() for part in _parts(booking)}
    return [
        f"Cal.com holds {one['uid']} of a booking that the log does not know"
        for one in ledger
        if one["status"] in LIVE
        and one["uid"] not in held
        and one["metadata"].get("calsaga_booking_id") not in {None, *known}
    ]


def _touched(ledger: Sequence[Mapping[str, Any]]) -> list[str]:
    """
    Return what a person has made and we have cancelled or moved.
    """
    changed = (
        one
        for one in ledger
        if one["cancelled_by"] == "api" or (one["rescheduled_from"] is not None and one["made_by"] == "api")
    )
    return [one["uid"] for one in changed if _is_foreign(one, ledger)]


def _is_foreign(one: Mapping[str, Any], ledger: Sequence[Mapping[str, Any]]) -> bool:
    """
    Tell whether a person has made it; a booking of ours stays ours when a person moves it.
    """
    by_uid = {it["uid"]: it for it in ledger}
    while one["rescheduled_from"] is not None:
        one = by_uid[one["rescheduled_from"]]
    return bool(one["made_by"] == "person")
