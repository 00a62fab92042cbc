"""
Comparing a uid's booking with what stands at Cal.com: what is a difference, and what is none, or not yet.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import findings as f
from domain.booking import Booking, BookingStatus
from domain.events import CalcomBookingFound
from domain.evolving import fold
from sagas.converging import Difference, NotNow, compare, overlapping
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    IN_DOUBT,
    SLOT,
    at,
    booked,
    cancellation,
    cancelled,
    cancelled_there,
    created,
    failed,
    given,
    review,
)
from tests.fakes.moves import LATER, MOVE_IN_DOUBT, gone, requested, standing

FOUND = CalcomBookingFound(
    at=at(0), uid="uid-1", calcom_status="accepted", starts_at=SLOT, ends_at=SLOT + timedelta(minutes=30)
)


def _compared(booking: Booking, trace: object) -> Difference | NotNow | None:
    return compare(booking, trace, now=at(900))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("booking", "compared"),
    [
        (given(*BOOKED), None),
        (given(*IN_DOUBT), NotNow.IN_DOUBT),
        (given(*BOOKED, *MOVE_IN_DOUBT), NotNow.IN_DOUBT),
        (given(*BOOKED, requested()), NotNow.UNDER_WAY),
        (given(*BOOKED, cancellation()), NotNow.UNDER_WAY),
        (given(*BOOKED, review()), None),
        (given(*IN_DOUBT, review("two", None)), None),
    ],
)
def test_what_stands_where_it_should_or_is_being_worked_on_is_left_alone(
    booking: Booking, compared: NotNow | None
) -> None:
    assert compared == _compared(booking, standing())


def test_what_is_gone_and_was_never_live_here_is_no_difference() -> None:
    assert None is _compared(given(*ABSENT, failed()), gone())


def test_what_is_gone_answers_no_question_of_a_person() -> None:
    assert None is _compared(given(*IN_DOUBT, review(uid=None)), gone())


def test_what_is_being_cancelled_already_is_no_difference() -> None:
    booking = given(*ABSENT, failed(), created(late=True))

    assert None is _compared(booking, standing())


def test_a_time_that_changed_under_the_same_uid_is_followed() -> None:
    compared = _compared(given(*BOOKED), standing(starts_at=LATER))

    assert isinstance(compared, Difference)
    after = fold(given(*BOOKED), compared.events)
    assert ("uid-1", LATER, BookingStatus.BOOKED) == (after.kept_uid, after.starts_at, after.status)


def test_an_overlap_says_nothing_about_a_cancellation() -> None:
    compared = _compared(given(*BOOKED), gone())

    assert isinstance(compared, Difference)
    assert compared == overlapping(compared, now=at(900))


def test_an_overlap_of_something_new_is_a_foreign_bookings() -> None:
    difference = Difference(
        kind="orphan", repair="adopt", uid="uid-1", evidence="", outcome="imported", events=(booked(),)
    )

    flag = overlapping(difference, now=at(1)).events[-1]

    assert isinstance(flag, f.InconsistencyDetected)
    assert "foreign_booking" == flag.kind


def test_findings_about_a_time_that_was_left_are_over() -> None:
    busy = f.InconsistencyDetected(at=at(5), kind="time_drift", uid="uid-1", evidence="", repair="manual_review")
    other = f.InconsistencyDetected(at=at(5), kind="compensation_failed", uid="uid-1", evidence="")
    booking = given(*BOOKED, busy, other)
    compared = _compared(booking, standing("uid-2", starts_at=LATER, origins=("uid-1",)))

    assert isinstance(compared, Difference)
    assert (replace(other, uid="uid-2"),) == fold(booking, compared.events).inconsistencies


def test_a_foreign_booking_that_lives_on_after_it_was_gone_is_not_ours_to_cancel() -> None:
    booking = given(FOUND, booked(), cancelled_there(attempt="calcom:uid-1"), cancelled())

    assert None is _compared(booking, standing(attempt_id=None))
