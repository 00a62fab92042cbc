from __future__ import annotations

from dataclasses import replace

import pytest

from domain import events as e
from domain.evolving import fold
from domain.ledger import LineStatus
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    IN_DOUBT,
    absent,
    at,
    attempted,
    cancel_failed,
    cancellation,
    cancelled,
    cancelled_there,
    created,
    failed,
    followed,
    given,
    looked,
    not_sent,
    refused,
    unknown,
)
from tests.unit.domain.asking import line_statuses


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
    assert statuses == line_statuses(given(*events))


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


@pytest.mark.parametrize("reason", ["rate_limited", "breaker_open", "bulkhead_full", "retry_budget"])
def test_to_be_held_back_is_no_failure(reason: str) -> None:
    held_back = replace(not_sent(), reason=reason)

    assert (0, at(2)) == ((booking := given(attempted(), held_back)).not_sent, booking.retry_at)


def test_attempts_certainly_not_sent_do_not_count() -> None:
    booking = given(attempted(), not_sent(), attempted("two", number=2), unknown("two"))

    assert 1 == booking.ledger.counted_attempts


def test_one_attempt_that_made_two_bookings_has_two_lines() -> None:
    booking = given(*IN_DOUBT, created(), created(uid="uid-2"))

    assert [("one", "uid-1", "live"), ("one", "uid-2", "live")] == [
        (line.attempt_id, line.uid, line.status) for line in booking.ledger.lines
    ]


def test_the_second_line_of_an_attempt_is_cancelled_without_the_first() -> None:
    booking = given(*IN_DOUBT, created(), created(uid="uid-2"), cancelled_there("uid-2"))

    assert (["live", "cancelled"], "uid-1") == (line_statuses(booking), booking.kept_uid)


def test_the_same_booking_told_twice_is_one_line() -> None:
    booking = given(*IN_DOUBT, created(), created())

    assert ["live"] == line_statuses(booking)


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


def test_failed_cancels_are_counted_on_their_line() -> None:
    line = given(*BOOKED, cancellation(), cancel_failed(), cancel_failed(seconds=9, retry_in=4)).ledger.lines[0]

    assert (2, at(13)) == (line.cancel_failures, line.retry_cancel_at)


def test_a_failed_cancel_of_an_unknown_uid_changes_no_line() -> None:
    before = given(*BOOKED)

    assert before.ledger == fold(before, [cancel_failed("uid-9")]).ledger
