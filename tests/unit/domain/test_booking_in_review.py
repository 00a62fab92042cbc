from __future__ import annotations

from dataclasses import replace

import pytest

from domain import events as e
from domain import findings as f
from domain.booking import BookingStatus, Goal
from domain.ledger import LineStatus
from domain.person import Remark
from tests.fakes.given import (
    BOOKED,
    IN_DOUBT,
    at,
    attempted,
    booked,
    cancel_failed,
    cancellation,
    cancelled,
    cancelled_there,
    compensating,
    created,
    failed,
    given,
    not_sent,
    refused,
    review,
)
from tests.unit.domain.asking import line_statuses


def test_a_review_of_one_of_two_bookings_of_an_attempt_leaves_the_other_alone() -> None:
    two = given(*BOOKED, created(uid="uid-2", seconds=9), review(uid="uid-2"), cancellation())

    assert ["uid-1"] == [line.uid for line in two.surplus]


def test_a_second_booking_of_an_attempt_has_a_line_without_the_troubles_of_the_first() -> None:
    two = given(*BOOKED, cancellation(), cancel_failed(), review(), created(uid="uid-2", seconds=9, late=True))

    (_, extra) = two.ledger.lines
    assert ("uid-2", False, 0, None) == (extra.uid, extra.in_review, extra.cancel_failures, extra.retry_cancel_at)


@pytest.mark.parametrize("answer", [created(late=True), refused(), not_sent(), cancelled_there()])
def test_a_doubt_that_is_answered_needs_no_review(answer: e.BookingEvent) -> None:
    assert () == given(*IN_DOUBT, review(uid=None), answer).ledger.in_review


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (replace(booked(), settles_review=True), BookingStatus.BOOKED),
        (replace(failed(), settles_review=True), BookingStatus.FAILED),
        (replace(cancelled(), settles_review=True), BookingStatus.CANCELLED),
        (booked(), BookingStatus.NEEDS_REVIEW),
        (failed(), BookingStatus.NEEDS_REVIEW),
        (cancelled(), BookingStatus.NEEDS_REVIEW),
    ],
)
def test_an_end_settles_the_review_if_it_says_so(end: e.BookingEvent, status: BookingStatus) -> None:
    assert status is given(*IN_DOUBT, review(uid=None), end).status


def answered(answer: f.ReviewAnswer, *, uid: str | None = "uid-1") -> f.ManualReviewAnswered:
    return f.ManualReviewAnswered(
        at=at(30),
        answer=answer,
        actor="grace",
        person=Remark(reason="looked"),
        attempt_id="one",
        uid=uid,
        status_after="",
        reason_after=None,
        detail_after=None,
    )


STUCK: tuple[e.BookingEvent, ...] = (
    *BOOKED,
    cancellation(),
    *(cancel_failed() for _ in range(3)),
    review(),
)


@pytest.mark.parametrize("answer", ["retry", "cancel"])
def test_a_person_may_have_it_tried_again(answer: f.ReviewAnswer) -> None:
    booking = given(*STUCK, answered(answer))

    [line] = booking.ledger.lines
    assert (BookingStatus.CANCELLING, 0, None) == (booking.status, line.cancel_failures, line.retry_cancel_at)
    assert not line.in_review


@pytest.mark.parametrize(
    ("before", "uid", "expected"),
    [(STUCK, "uid-1", LineStatus.CANCELLED), ((*IN_DOUBT, review(uid=None)), None, LineStatus.ABSENT_FOR_GOOD)],
)
def test_a_person_may_know_that_nothing_is_left(
    before: tuple[e.BookingEvent, ...], uid: str | None, expected: LineStatus
) -> None:
    booking = given(*before, answered("absent", uid=uid))

    assert ([expected], None) == (line_statuses(booking), booking.review)


def test_a_person_may_adopt_what_an_attempt_has_made() -> None:
    booking = given(*IN_DOUBT, review(uid=None), answered("adopt", uid=None), created())

    assert (BookingStatus.PENDING, "uid-1", [LineStatus.LIVE]) == (
        booking.status,
        booking.kept_uid,
        line_statuses(booking),
    )


def test_an_appointment_that_is_kept_stands_and_nothing_undoes_it() -> None:
    booking = given(*STUCK, answered("keep_local"))

    assert (BookingStatus.BOOKED, Goal.BOOK, None) == (booking.status, booking.goal, booking.cancellation)
    assert (booking.appointment_live, [LineStatus.LIVE], ()) == (True, line_statuses(booking), booking.surplus)


def test_without_an_appointment_to_keep_the_line_is_closed() -> None:
    booking = given(attempted(), created(), compensating(), review(), answered("keep_local"))

    assert (BookingStatus.COMPENSATING, [LineStatus.SET_ASIDE]) == (booking.status, line_statuses(booking))


def test_a_surplus_that_is_set_aside_leaves_the_appointment_and_what_goes_on_with_it_alone() -> None:
    surplus = (created(uid="uid-2", late=True), review(uid="uid-2"))
    for events in ((*BOOKED, *surplus), (*BOOKED, *surplus, cancellation(seconds=40))):
        before = given(*events)

        after = given(*events, answered("keep_local", uid="uid-2"))

        assert [LineStatus.LIVE, LineStatus.SET_ASIDE] == line_statuses(after)
        assert (before.goal, before.ended, before.cancellation) == (after.goal, after.ended, after.cancellation)
        assert ("uid-2" in {line.uid for line in after.surplus}, True) == (False, after.appointment_live)


def test_an_answer_about_one_line_leaves_the_question_about_another() -> None:
    booking = given(
        attempted(),
        created(),
        created(uid="uid-2", late=True),
        compensating(),
        review(),
        review(uid="uid-2"),
        answered("absent"),
    )

    assert BookingStatus.NEEDS_REVIEW is booking.status
    assert [LineStatus.CANCELLED, LineStatus.LIVE] == line_statuses(booking)
