"""
Given a booking, when it is asked to move: one event, nothing, or a named refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain import events as e
from domain.commands import RequestCancellation, RequestReschedule
from domain.deciding import cancel, reschedule
from domain.errors import AlreadyOver, CustomerValidationError, KeyReused, MadeElsewhere, NotBooked
from domain.opening_hours import parse_opening_hours
from domain.validation import REASON_LIMIT, validate_move
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    IN_DOUBT,
    OFFER,
    SERVICE,
    SLOT,
    at,
    cancellation,
    cancelled,
    cancelled_there,
    created,
    failed,
    given,
    review,
)
from tests.fakes.moves import ASKED, LATER, MOVE_IN_DOUBT, move_failed, moved, requested, rescheduled

WISH = RequestReschedule(starts_at=LATER, reason="later, please", command_id="move-1")
FOUND = e.CalcomBookingFound(
    at=at(0), uid="uid-1", calcom_status="accepted", starts_at=SLOT, ends_at=SLOT + SERVICE.duration
)
GONE = (*BOOKED, cancellation(), cancelled_there(), cancelled())


def test_a_booked_appointment_can_be_moved() -> None:
    assert requested(seconds=9) == reschedule(given(*BOOKED), WISH, now=at(9))


@pytest.mark.parametrize(
    "events",
    [
        (*BOOKED, requested()),
        (*BOOKED, *MOVE_IN_DOUBT),
        (*BOOKED, requested(command_id="other")),
        (*BOOKED, requested(), move_failed()),
        (*BOOKED, *ASKED, moved(), rescheduled()),
        (*BOOKED, requested(command_id="other"), *ASKED[1:], moved(), rescheduled()),
    ],
)
def test_the_same_command_or_what_is_so_already_is_answered_with_nothing(events: Sequence[e.BookingEvent]) -> None:
    assert None is reschedule(given(*events), WISH, now=at(400))


def test_a_command_without_a_key_is_remembered_by_nobody() -> None:
    booking = given(*BOOKED, requested(command_id=None), move_failed())

    assert () == booking.move_commands
    assert None is not reschedule(booking, WISH, now=at(400))


def test_a_key_of_another_command_does_not_matter() -> None:
    assert None is not reschedule(given(*BOOKED, requested(command_id="other"), move_failed()), WISH, now=at(400))


def test_the_same_key_with_another_start_is_refused() -> None:
    with pytest.raises(KeyReused):
        reschedule(given(*BOOKED, requested(starts_at=SLOT + timedelta(hours=1))), WISH, now=at(400))


@pytest.mark.parametrize(
    "events",
    [
        (),
        IN_DOUBT,
        (*ABSENT, failed()),
        (*BOOKED, cancellation()),
        (*BOOKED, requested(starts_at=SLOT + timedelta(hours=9), command_id="other")),
        (*BOOKED, review()),
        GONE,
        # A move that had come through although the booking is gone says nothing about a wish of today.
        (*GONE, moved(late=True)),
        (*BOOKED, requested(command_id="other"), cancellation(seconds=30)),
    ],
)
def test_what_does_not_stand_cannot_be_moved(events: Sequence[e.BookingEvent]) -> None:
    with pytest.raises(NotBooked) as caught:
        reschedule(given(*events), WISH, now=at(400))

    assert given(*events).status.value == caught.value.status


def test_what_has_taken_place_cannot_be_moved() -> None:
    with pytest.raises(AlreadyOver, match="cannot be moved"):
        reschedule(given(*BOOKED), WISH, now=SLOT + SERVICE.duration)


def test_what_somebody_else_has_made_is_neither_moved_nor_cancelled() -> None:
    booking = given(FOUND, BOOKED[-1])

    with pytest.raises(MadeElsewhere, match="move it there"):
        reschedule(booking, WISH, now=at(9))
    with pytest.raises(MadeElsewhere, match="cancel it there"):
        cancel(booking, RequestCancellation(reason="no need"), now=at(9))


@pytest.mark.parametrize(
    "events",
    [
        (),
        (created("two", "uid-7", late=True),),
        (cancellation(), cancelled()),
    ],
)
def test_nothing_foreign_is_ever_owed_a_cancel(events: Sequence[e.BookingEvent]) -> None:
    booking = given(FOUND, BOOKED[-1], *events)

    assert "uid-1" not in [line.uid for line in booking.surplus]


def test_a_new_start_is_utc_to_the_millisecond() -> None:
    berlin = timezone(timedelta(hours=1))
    wanted = datetime(2027, 3, 5, 10, 0, 0, 123_456, tzinfo=berlin)

    assert datetime(2027, 3, 5, 9, 0, 0, 123_000, tzinfo=UTC) == validate_move(
        wanted, "", OFFER, time_zone="UTC", now=at(0)
    )


def test_a_start_outside_the_opening_hours_is_refused() -> None:
    mornings = replace(OFFER, opening_hours=parse_opening_hours({"mon": [["09:00", "12:00"]]}))
    with pytest.raises(CustomerValidationError) as caught:
        validate_move(LATER, "", mornings, time_zone="UTC", now=at(0))

    assert ["starts_at"] == [one.field for one in caught.value.errors]


@pytest.mark.parametrize(
    ("starts_at", "reason", "fields"),
    [
        (datetime(2027, 3, 5, 10), "", ["starts_at"]),  # noqa: DTZ001 - that is what is refused
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), "", ["starts_at"]),
        (at(-1), "", ["starts_at"]),
        (at(0) + timedelta(days=5000), "", ["starts_at"]),
        (LATER, "\x00", ["reason"]),
        (LATER, "x" * (REASON_LIMIT + 1), ["reason"]),
        (at(-1), "\x00", ["reason", "starts_at"]),
    ],
)
def test_a_start_that_cannot_be_is_refused_with_its_fields(starts_at: datetime, reason: str, fields: list[str]) -> None:
    with pytest.raises(CustomerValidationError) as caught:
        validate_move(starts_at, reason, OFFER, time_zone="UTC", now=at(0))

    assert fields == [one.field for one in caught.value.errors]
