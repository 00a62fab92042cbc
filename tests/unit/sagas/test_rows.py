"""
The rows that stand beside the events.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import events as e
from domain.booking import Booking, initial_state
from domain.evolving import fold
from domain.moving import BookingRescheduled, RescheduleRequested
from domain.person import Remark
from sagas.appending import InsertAppointment, MoveAppointment
from sagas.rows import appointment_of, claim_of_move, customer_of, move_of, moved
from tests.fakes.given import BOOKED, BOOKING_ID, SERVICE, SLOT, at, attempted, booked, created, given, initiated

LATER = SLOT + timedelta(hours=3)
FOUND = e.CalcomBookingFound(
    at=at(0),
    uid="uid-9",
    calcom_status="accepted",
    starts_at=SLOT,
    ends_at=SLOT + SERVICE.duration,
    webhook_id="hook-1",
)
RESCHEDULED = BookingRescheduled(
    at=at(9), from_uid="uid-1", to_uid="uid-2", starts_at=LATER, ends_at=LATER + SERVICE.duration, by="calcom"
)


def row_of(booking: Booking, event: e.AppointmentBooked | None = None) -> InsertAppointment:
    return appointment_of(booking, event or booked())


def test_an_appointment_of_our_own_respects_others_and_came_by_no_webhook() -> None:
    row = row_of(given(attempted(), created()))

    assert (None, False, "uid-1") == (row.webhook_id, row.overlap_allowed, row.calcom_booking_uid)


def test_an_appointment_that_was_found_names_its_webhook_and_may_overlap() -> None:
    found = fold(initial_state(BOOKING_ID), (initiated(source="calcom"), FOUND))
    row = row_of(found, replace(booked("uid-9"), overlaps=True))

    assert ("hook-1", True, "uid-9", "calcom") == (
        row.webhook_id,
        row.overlap_allowed,
        row.calcom_booking_uid,
        row.source,
    )


def test_a_move_names_the_row_and_where_it_goes() -> None:
    move = move_of(given(*BOOKED), replace(RESCHEDULED, overlaps=True, webhook_id="hook-2"))

    assert move == MoveAppointment(
        appointment_id=booked().appointment_id,
        company_id="acme",
        booking_id=BOOKING_ID,
        staff_id="ann",
        calcom_booking_uid="uid-2",
        starts_at=LATER,
        ends_at=LATER + timedelta(minutes=30),
        webhook_id="hook-2",
        overlap_allowed=True,
    )


def test_what_has_no_appointment_cannot_move() -> None:
    with pytest.raises(LookupError, match="no appointment to move"):
        move_of(given(attempted(), created()), RESCHEDULED)


def test_a_moved_row_is_at_its_new_place_and_else_as_it_was() -> None:
    row = row_of(given(attempted(), created()))

    after = moved(row, move_of(given(*BOOKED), replace(RESCHEDULED, overlaps=True)))

    assert after == replace(
        row,
        calcom_booking_uid="uid-2",
        starts_at=LATER,
        ends_at=LATER + SERVICE.duration,
        overlap_allowed=True,
    )


@pytest.mark.parametrize(("told_by", "expected"), [(None, "hook-1"), ("hook-2", "hook-2")])
def test_a_moved_row_names_the_last_webhook_that_told_of_it(told_by: str | None, expected: str) -> None:
    row = replace(row_of(given(attempted(), created())), webhook_id="hook-1")

    after = moved(row, move_of(given(*BOOKED), replace(RESCHEDULED, webhook_id=told_by)))

    assert expected == after.webhook_id


def test_a_move_claims_the_new_time_for_whoever_had_the_old_one() -> None:
    facts = initiated()
    requested = RescheduleRequested(
        at=at(5), starts_at=LATER, ends_at=LATER + SERVICE.duration, command_id=None, person=Remark(reason="later")
    )
    claim = claim_of_move(facts, requested)

    assert (LATER, LATER + SERVICE.duration) == (claim.starts_at, claim.ends_at)
    assert (facts.customer_id, facts.staff_id) == (claim.customer_id, claim.staff_id)
    assert facts.customer_id == customer_of(facts).customer_id
