"""
The rows of a composite's legs are written together, or none of them is, and nobody else in the batch pays for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from adapters.recording.backend import Backend
from domain import events as e
from domain.composite import LegEvent
from sagas.appending import (
    Append,
    Appended,
    CancelAppointment,
    InsertAppointment,
    Instead,
    LegRows,
    MoveAppointment,
    NothingDue,
    Refusal,
)
from tests.integration.storage.appends import HALF_HOUR, NOW, TEN, append, initiated, row_of, rows, start

CLAIMED = "SELECT leg FROM slot_claims ORDER BY leg"
BOOKED = "SELECT leg, status FROM appointments ORDER BY leg"


def _facts(*staff: str | None) -> list[e.BookingInitiated]:
    customer_id = uuid4()
    return [
        initiated(staff_id=one, starts_at=TEN + place * HALF_HOUR, customer_id=customer_id)
        for place, one in enumerate(staff)
    ]


def _begin(*legs: e.BookingInitiated, stream_id: UUID | None = None) -> Append:
    """
    The first append of a composite: the intents and the claims of all legs, and the customer once.
    """
    first = start(legs[0], stream_id=stream_id)
    assert first.claim is not None
    claims = [
        replace(first.claim, leg=leg, staff_id=one.staff_id, starts_at=one.starts_at, ends_at=one.ends_at)
        for leg, one in enumerate(legs, start=1)
    ]
    events = tuple(LegEvent(leg=leg, event=one) for leg, one in enumerate(legs, start=1))
    return replace(
        first,
        claim=None,
        on_refused=None,
        events=events,
        legs=tuple(LegRows(leg=one.leg, claim=one, on_refused=_refused(one.leg)) for one in claims),
    )


def _finish(stream_id: UUID, *legs: e.BookingInitiated, expected_version: int) -> Append:
    inserts = [row_of(stream_id, one, leg=leg, idempotency_key=f"{stream_id} {leg}") for leg, one in enumerate(legs, 1)]
    return replace(
        append(stream_id, expected_version, releases_claim=True),
        events=tuple(LegEvent(leg=row.leg, event=_booked(row)) for row in inserts),
        legs=tuple(LegRows(leg=row.leg, appointment=row, on_refused=_refused(row.leg)) for row in inserts),
    )


def _booked(row: InsertAppointment) -> e.AppointmentBooked:
    return e.AppointmentBooked(
        at=NOW,
        appointment_id=row.appointment_id,
        calcom_uid=row.calcom_booking_uid,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )


def _refused(leg: int) -> Callable[[Refusal], Instead]:
    def refused(refusal: Refusal) -> Instead:
        failed = e.AppointmentPersistenceFailed(at=NOW, reason=refusal.by, obstacle_id=refusal.appointment_id)
        return Instead(events=(LegEvent(leg=leg, event=failed),), due=NothingDue())

    return refused


def _whose(result: object) -> tuple[int, str] | None:
    """
    Return which leg was refused, and by what; None if none was.
    """
    assert isinstance(result, Appended)
    (first, *_) = result.events
    assert isinstance(first, LegEvent)
    return (first.leg, result.refusal.by) if result.refusal is not None else None


def test_all_claims_and_then_all_rows_are_written_and_the_claims_are_gone(database: Backend, url: str) -> None:
    legs = _facts("ann", "bob", "ann")
    first = _begin(*legs)

    assert [None] == [_whose(one) for one in database.append([first])]
    assert [(1,), (2,), (3,)] == rows(url, CLAIMED)
    assert [None] == [_whose(one) for one in database.append([_finish(first.stream_id, *legs, expected_version=3)])]
    assert ([], [(1, "booked"), (2, "booked"), (3, "booked")]) == (rows(url, CLAIMED), rows(url, BOOKED))
    assert 1 == len(rows(url, "SELECT customer_id FROM customers"))


def test_a_claim_that_is_refused_leaves_none_and_was_in_nobodys_way(database: Backend, url: str) -> None:
    holder = start(initiated(staff_id="bob", starts_at=TEN + HALF_HOUR))
    database.append([holder])
    first = _begin(*_facts("ann", "bob", "cleo"))
    # In the same batch, and behind it: who wants the slot that the composite will not have.
    neighbour = _begin(*_facts("ann", "dora"))

    results = database.append([first, neighbour])

    assert [(2, "staff_overlap"), None] == [_whose(one) for one in results]
    held = rows(url, "SELECT staff_id, leg FROM slot_claims ORDER BY staff_id")
    assert [("ann", 1), ("bob", 0), ("dora", 2)] == held


def test_a_row_that_is_refused_leaves_none(database: Backend, url: str) -> None:
    legs = _facts("ann", "bob", "cleo")
    first = _begin(*legs)
    database.append([first])
    in_the_way = row_of(uuid4(), initiated(staff_id="cleo", starts_at=TEN + 2 * HALF_HOUR))
    database.append([append(in_the_way.booking_id, 0, _booked(in_the_way), appointment=in_the_way)])

    (result,) = database.append([_finish(first.stream_id, *legs, expected_version=3)])

    assert (3, "staff_overlap") == _whose(result)
    assert isinstance(result, Appended)
    assert result.refusal is not None
    assert in_the_way.appointment_id == result.refusal.appointment_id
    assert ([(0, "booked")], [(1,), (2,), (3,)]) == (rows(url, BOOKED), rows(url, CLAIMED))


def test_an_append_whose_refusal_was_not_heard_is_recognized(database: Backend, url: str) -> None:
    database.append([start(initiated(staff_id="bob", starts_at=TEN + HALF_HOUR))])
    first = _begin(*_facts("ann", "bob"))

    once, again = (database.append([first])[0] for _ in range(2))

    assert once == again
    assert (2, "staff_overlap") == _whose(again)


def test_two_composites_of_one_batch_get_in_each_others_way(database: Backend, url: str) -> None:
    one, other = _begin(*_facts("ann", "bob")), _begin(*_facts("cleo", "bob"))

    results = database.append([one, other])

    assert [None, (2, "staff_overlap")] == [_whose(result) for result in results]
    assert [(1,), (2,)] == rows(url, CLAIMED)


@pytest.mark.parametrize("busy", [False, True])
def test_a_leg_is_moved_and_cancelled_by_itself(database: Backend, url: str, busy: bool) -> None:
    legs = _facts("ann", "bob")
    first = _begin(*legs)
    second = _finish(first.stream_id, *legs, expected_version=2)
    database.append([first])
    database.append([second])
    row = second.legs[1].appointment
    assert isinstance(row, InsertAppointment)
    to = TEN + timedelta(hours=5)
    if busy:
        database.append([start(initiated(staff_id="bob", starts_at=to)), *_booking_of("bob", to)])
    move = MoveAppointment(
        appointment_id=row.appointment_id,
        company_id=row.company_id,
        booking_id=row.booking_id,
        staff_id="bob",
        calcom_booking_uid="moved",
        starts_at=to,
        ends_at=to + HALF_HOUR,
    )
    event = LegEvent(leg=2, event=e.BookingDeferred(at=NOW, until=NOW, reason="moved"))
    moving = LegRows(leg=2, appointment=move, on_refused=_refused(2))
    cancelling = LegRows(leg=1, appointment=CancelAppointment(appointment_id=_id_of(second, 0)))

    (result,) = database.append([replace(append(first.stream_id, 4), events=(event,), legs=(moving, cancelling))])

    assert ((2, "staff_overlap") if busy else None) == _whose(result)
    ours = rows(url, "SELECT leg, status, calcom_booking_uid = 'moved' FROM appointments WHERE leg > 0 ORDER BY leg")
    expected = [(1, "booked", False), (2, "booked", False)] if busy else [(1, "cancelled", False), (2, "booked", True)]
    assert expected == [(leg, status, bool(there)) for leg, status, there in ours]


def _booking_of(staff_id: str, starts_at: object) -> list[Append]:
    row = row_of(uuid4(), initiated(staff_id=staff_id, starts_at=starts_at))  # type: ignore[arg-type]
    return [append(row.booking_id, 0, _booked(row), appointment=row)]


def _id_of(written: Append, place: int) -> UUID:
    row = written.legs[place].appointment
    assert row is not None
    return row.appointment_id


def test_a_leg_without_an_answer_to_a_refusal_is_a_mistake(database: Backend) -> None:
    legs = _facts("ann", "ann")
    first = _begin(replace(legs[0], staff_id="ann"), replace(legs[1], starts_at=TEN, staff_id="ann"))
    mute = replace(first, legs=tuple(replace(one, on_refused=None) for one in first.legs))

    with pytest.raises(ValueError, match="nothing says what to write instead"):
        database.append([_blocked(database), mute])


def _blocked(database: Backend) -> Append:
    database.append([start(initiated(staff_id="ann"))])
    return start(initiated(staff_id="dora"))
