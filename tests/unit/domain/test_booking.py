"""
What the log says, folded: given these events, the booking is this.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain import events as e
from domain.booking import Booking, BookingStatus, Goal, appointment_id_of, evolve, fold, initial_state
from domain.ledger import LineStatus
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    BOOKING_ID,
    IN_DOUBT,
    OBSTACLE_ID,
    SLOT,
    absent,
    at,
    attempted,
    booked,
    cancel_attempted,
    cancel_failed,
    cancellation,
    cancelled,
    cancelled_there,
    compensating,
    created,
    failed,
    followed,
    given,
    initiated,
    inspected,
    looked,
    not_persisted,
    not_sent,
    refused,
    review,
    unknown,
)


def _statuses(booking: Booking) -> list[LineStatus]:
    return [line.status for line in booking.ledger.lines]


def test_a_booking_that_nobody_asked_for_has_no_facts() -> None:
    with pytest.raises(LookupError, match="does not exist"):
        _ = initial_state(BOOKING_ID).facts


def test_every_event_counts_one_version_and_its_time() -> None:
    booking = given(attempted(seconds=3))

    assert (2, at(3)) == (booking.version, booking.updated_at)


def test_folding_in_pieces_is_folding_at_once() -> None:
    events = (initiated(), *ABSENT, attempted("two", number=2, seconds=121), created("two", seconds=122), booked())

    states = {fold(fold(initial_state(BOOKING_ID), events[:cut]), events[cut:]) for cut in range(len(events))}

    assert {fold(initial_state(BOOKING_ID), events)} == states


def test_the_id_of_the_row_comes_from_the_booking_alone() -> None:
    assert UUID("e0527aed-5bd2-555a-a43b-a5605a3873e5") == appointment_id_of(BOOKING_ID)


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((), BookingStatus.PENDING),
        (IN_DOUBT, BookingStatus.PENDING),
        (BOOKED, BookingStatus.BOOKED),
        ((attempted(), created(), compensating()), BookingStatus.COMPENSATING),
        ((attempted(), refused(), failed()), BookingStatus.FAILED),
        ((*BOOKED, cancellation()), BookingStatus.CANCELLING),
        ((*BOOKED, cancellation(), cancelled_there(), cancelled()), BookingStatus.CANCELLED),
        ((*BOOKED, review()), BookingStatus.NEEDS_REVIEW),
        ((attempted(), created(), compensating(), cancellation()), BookingStatus.COMPENSATING),
        ((attempted(), refused(), failed(), cancellation()), BookingStatus.FAILED),
        ((*BOOKED, cancellation(), cancelled_there(), cancelled(), cancellation()), BookingStatus.CANCELLED),
    ],
)
def test_the_status_is_one_word_for_where_the_booking_stands(
    events: tuple[e.BookingEvent, ...], status: BookingStatus
) -> None:
    assert status is given(*events).status


@pytest.mark.parametrize(
    ("events", "statuses"),
    [
        ((attempted(),), ["intended"]),
        ((attempted(), not_sent()), ["not_sent"]),
        (IN_DOUBT, ["in_doubt"]),
        ((*IN_DOUBT, looked()), ["in_doubt"]),
        (ABSENT, ["absent"]),
        ((*ABSENT, absent(final=True)), ["absent_for_good"]),
        ((attempted(), created()), ["live"]),
        ((*ABSENT, created(late=True)), ["live"]),
        ((attempted(), refused()), ["refused"]),
        ((*IN_DOUBT, cancelled_there()), ["cancelled"]),
        ((attempted(), created(), cancelled_there()), ["cancelled"]),
        ((attempted(), created(), unknown()), ["live"]),
        ((attempted(), created(), absent()), ["live"]),
        ((attempted(), created(), refused()), ["live"]),
        ((*ABSENT, attempted("two", number=2), refused("two")), ["absent", "refused"]),
        ((*ABSENT, attempted("two", number=2), refused("two", conflict=True)), ["in_doubt", "refused"]),
        (
            (*ABSENT, absent(final=True), attempted("two", number=2), refused("two", conflict=True)),
            ["absent_for_good", "refused"],
        ),
    ],
)
def test_the_ledger_says_what_is_known_of_each_attempt(events: tuple[e.BookingEvent, ...], statuses: list[str]) -> None:
    assert statuses == _statuses(given(*events))


def test_a_conflict_makes_looking_for_earlier_attempts_start_again() -> None:
    booking = given(*ABSENT, attempted("two", number=2), refused("two", seconds=200, conflict=True))

    line = booking.ledger.lines[0]
    assert (at(200), 0, 0, None) == (line.doubted_at, line.looks, line.clean_looks, line.last_looked_at)


def test_doubt_begins_with_no_looks() -> None:
    line = given(*IN_DOUBT).ledger.lines[0]

    assert (at(10), 0, 0, "timeout") == (line.doubted_at, line.looks, line.clean_looks, line.reason)


def test_only_counted_looks_are_clean() -> None:
    booking = given(*IN_DOUBT, looked(seconds=20, counted=False), looked(seconds=80), looked(seconds=90, problem="x"))

    line = booking.ledger.lines[0]
    assert (3, 1, at(90)) == (line.looks, line.clean_looks, line.last_looked_at)


def test_a_look_for_one_attempt_says_nothing_of_another() -> None:
    booking = given(*ABSENT, attempted("two", number=2), unknown("two"), looked("two", seconds=300))

    assert [at(120), at(300)] == [line.last_looked_at for line in booking.ledger.lines]


def test_a_look_changes_no_line_whose_booking_is_known() -> None:
    before = given(attempted(), created())

    after = fold(before, [looked()])

    assert before.ledger == after.ledger


def test_absence_forgets_its_clean_looks_so_that_the_horizon_needs_one_of_its_own() -> None:
    assert 0 == given(*ABSENT).ledger.lines[0].clean_looks


def test_to_be_held_back_by_the_rate_limit_is_no_failure() -> None:
    held_back = replace(not_sent(), reason="rate_limited")

    assert (0, at(2)) == ((booking := given(attempted(), held_back)).not_sent, booking.retry_at)


def test_attempts_certainly_not_sent_do_not_count() -> None:
    booking = given(attempted(), not_sent(), attempted("two", number=2), unknown("two"))

    assert 1 == booking.ledger.counted_attempts


def test_the_first_booking_made_is_kept_with_cal_coms_times() -> None:
    later = SLOT + timedelta(hours=1)

    booking = given(attempted(), created(starts_at=later))

    assert ("uid-1", later, later + timedelta(minutes=30), "uid-1") == (
        booking.kept_uid,
        booking.starts_at,
        booking.ends_at,
        booking.kept.uid if booking.kept else None,
    )


@pytest.mark.parametrize(
    "events",
    [
        (*ABSENT, attempted("two", number=2), created("two"), created("one", "uid-2", late=True)),
        (*ABSENT, attempted("two", number=2), created("two"), booked(), created("one", "uid-2", late=True)),
    ],
)
def test_a_second_booking_is_surplus_and_the_kept_one_stays(events: tuple[e.BookingEvent, ...]) -> None:
    booking = given(*events)

    assert ("uid-1", ["uid-2"], SLOT) == (booking.kept_uid, [it.uid for it in booking.surplus], booking.starts_at)


@pytest.mark.parametrize(
    "events",
    [
        (*ABSENT, failed(), created(late=True)),
        (*ABSENT, cancellation(), created(late=True)),
        (*ABSENT, cancellation(), cancelled(), created(late=True)),
        (attempted(), cancellation(), created(late=True)),
        (attempted(), created(), compensating()),
        (attempted(), created(), cancellation()),
        (*BOOKED, cancellation()),
    ],
)
def test_what_nobody_wants_any_more_is_surplus(events: tuple[e.BookingEvent, ...]) -> None:
    assert ["uid-1"] == [line.uid for line in given(*events).surplus]


def test_what_is_made_after_the_end_is_not_kept() -> None:
    booking = given(*ABSENT, failed(), created(late=True))

    assert (None, None) == (booking.kept_uid, booking.kept)


def test_one_attempt_that_made_two_bookings_has_two_lines() -> None:
    booking = given(*IN_DOUBT, created(), created(uid="uid-2"))

    assert [("one", "uid-1", "live"), ("one", "uid-2", "live")] == [
        (line.attempt_id, line.uid, line.status) for line in booking.ledger.lines
    ]


def test_the_second_line_of_an_attempt_is_cancelled_without_the_first() -> None:
    booking = given(*IN_DOUBT, created(), created(uid="uid-2"), cancelled_there("uid-2"))

    assert (["live", "cancelled"], "uid-1") == (_statuses(booking), booking.kept_uid)


def test_the_same_booking_told_twice_is_one_line() -> None:
    booking = given(*IN_DOUBT, created(), created())

    assert ["live"] == _statuses(booking)


def test_a_cancelled_booking_that_a_look_found_has_its_uid() -> None:
    line = given(*IN_DOUBT, cancelled_there("uid-9")).ledger.lines[0]

    assert ("uid-9", LineStatus.CANCELLED) == (line.uid, line.status)


def test_the_kept_booking_is_followed_to_its_new_uid() -> None:
    booking = given(attempted(), created(), followed("uid-1", "uid-2"))

    assert ("uid-2", "uid-2", None) == (
        booking.kept_uid,
        booking.kept.uid if booking.kept else None,
        booking.ledger.holding("uid-1"),
    )


def test_a_surplus_booking_is_followed_and_stays_surplus() -> None:
    booking = given(*IN_DOUBT, created(), created(uid="uid-2"), followed("uid-2", "uid-3"))

    assert ("uid-1", ["uid-3"]) == (booking.kept_uid, [line.uid for line in booking.surplus])


def test_what_is_followed_lives_whatever_was_known_of_the_old_uid() -> None:
    booking = given(*IN_DOUBT, cancelled_there(), failed(), followed("uid-1", "uid-2"))

    assert ["uid-2"] == [line.uid for line in booking.surplus]


def test_what_is_followed_after_the_end_is_surplus_even_if_it_was_the_kept_one() -> None:
    booking = given(*BOOKED, cancelled_there(), cancelled(), followed("uid-1", "uid-2"))

    assert ["uid-2"] == [line.uid for line in booking.surplus]


def test_an_attempt_ends_the_wait_for_a_retry() -> None:
    waiting = given(attempted(), not_sent())

    assert (at(2), 1, None) == (waiting.retry_at, waiting.not_sent, fold(waiting, [attempted("two")]).retry_at)


def test_a_deferred_booking_waits() -> None:
    deferred = e.BookingDeferred(at=at(1), until=at(60), reason="unauthorized")

    booking = given(attempted(), not_sent(), deferred)

    assert (at(60), "unauthorized", "degradation") == (
        booking.retry_at,
        booking.deferred_for,
        booking.resilience_strategy,
    )


@pytest.mark.parametrize(
    ("events", "strategy"),
    [
        (BOOKED, None),
        ((*IN_DOUBT, created(), booked()), "retry"),
        ((attempted(), not_sent(), attempted("two", number=2), created("two"), booked()), "retry"),
    ],
)
def test_what_it_took_is_told(events: tuple[e.BookingEvent, ...], strategy: str | None) -> None:
    assert strategy == given(*events).resilience_strategy


def test_a_booked_appointment_forgets_what_was_in_its_way() -> None:
    booking = given(attempted(), created(), not_persisted(), inspected("gone"), booked())

    assert (None, True, UUID(int=1)) == (booking.obstacle, booking.appointment_live, booking.appointment_id)


def test_a_refused_row_names_its_obstacle_until_it_is_inspected() -> None:
    obstacle = given(attempted(), created(), not_persisted()).obstacle

    assert (OBSTACLE_ID, None) == (obstacle and obstacle.appointment_id, obstacle and obstacle.verdict)


def test_a_row_refused_without_an_obstacle_has_none() -> None:
    booking = given(attempted(), created(), not_persisted(reason="unknown_service", obstacle_id=None))

    assert (None, "unknown_service", 1) == (booking.obstacle, booking.persistence_failure, booking.repeats)


def test_an_inspected_obstacle_is_waited_for() -> None:
    booking = given(attempted(), created(), not_persisted(), inspected("moving", retry_in=3))

    assert ("moving", at(5)) == (booking.obstacle and booking.obstacle.verdict, booking.retry_at)


def test_calls_and_repeats_are_counted() -> None:
    booking = given(
        attempted(),
        not_sent(),
        attempted("two", number=2),
        created("two"),
        cancellation(),
        cancel_attempted(),
        cancel_failed(),
        cancel_attempted(number=2),
    )

    assert (4, 2, 2) == (booking.calls, booking.repeats, booking.ledger.lines[1].cancels)


def test_failed_cancels_are_counted_on_their_line() -> None:
    line = given(*BOOKED, cancellation(), cancel_failed(), cancel_failed(seconds=9, retry_in=4)).ledger.lines[0]

    assert (2, at(13)) == (line.cancel_failures, line.retry_cancel_at)


def test_a_failed_cancel_of_an_unknown_uid_changes_no_line() -> None:
    before = given(*BOOKED)

    assert before.ledger == fold(before, [cancel_failed("uid-9")]).ledger


def test_a_cancellation_opens_a_booked_booking_and_ends_waiting() -> None:
    booking = given(attempted(), not_sent(), cancellation(command_id="k"))

    assert (Goal.CANCEL, None, None, ("k",)) == (booking.goal, booking.ended, booking.retry_at, booking.cancel_commands)


def test_a_cancelled_appointment_is_not_live() -> None:
    booking = given(*BOOKED, cancellation(), cancelled_there(), cancelled())

    assert (False, BookingStatus.CANCELLED) == (booking.appointment_live, booking.ended)


def test_a_failure_keeps_its_reason_and_the_booking_in_its_way() -> None:
    near = e.BookingFailed(at=at(1), reason="near_duplicate", detail="too close", conflicting_booking_id=UUID(int=3))

    failure = given(near).failure

    assert ("near_duplicate", "too close", UUID(int=3)) == (
        failure and failure.reason,
        failure and failure.detail,
        failure and failure.conflicting_booking_id,
    )


def test_inconsistencies_are_kept() -> None:
    detected = e.InconsistencyDetected(at=at(1), kind="ghost", uid="uid-1", evidence="gone")

    assert (detected, detected) == given(*BOOKED, detected, detected).inconsistencies


def test_one_event_more_is_folding_one_event_more() -> None:
    assert given(attempted()) == evolve(given(), attempted())


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
