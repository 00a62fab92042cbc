"""
What the log says, folded: given these events, the booking is this.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain import events as e
from domain import findings as f
from domain.booking import BookingStatus, Goal, appointment_id_of, initial_state
from domain.evolving import evolve, fold
from domain.ledger import LineStatus
from domain.moving import BookingRescheduled
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    BOOKING_ID,
    IN_DOUBT,
    OBSTACLE_ID,
    SLOT,
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
    not_persisted,
    not_sent,
    refused,
    review,
)


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
    detected = f.InconsistencyDetected(at=at(1), kind="ghost", uid="uid-1", evidence="gone")

    assert (detected, detected) == given(*BOOKED, detected, detected).inconsistencies


def test_one_event_more_is_folding_one_event_more() -> None:
    assert given(attempted()) == evolve(given(), attempted())


GHOST = f.InconsistencyDetected(at=at(20), kind="ghost", uid="uid-1", evidence="gone", repair="manual_review")
KEPT = f.InconsistencyResolved(at=at(21), kind="ghost", uid="uid-1", how="keep_local", actor="ada")
FOUND = e.CalcomBookingFound(
    at=at(1),
    uid="uid-9",
    calcom_status="accepted",
    starts_at=SLOT,
    ends_at=SLOT + timedelta(hours=1),
    webhook_id="hook",
)


def rescheduled(uid: str = "uid-2", *, webhook_id: str | None = None) -> BookingRescheduled:
    return BookingRescheduled(
        at=at(20),
        from_uid="uid-1",
        to_uid=uid,
        starts_at=SLOT + timedelta(hours=3),
        ends_at=SLOT + timedelta(hours=4),
        by="calcom",
        webhook_id=webhook_id,
    )


def test_a_booking_that_was_found_is_kept_and_not_ours() -> None:
    booking = given(FOUND)

    [line] = booking.ledger.lines
    assert (True, LineStatus.LIVE, "uid-9") == (line.foreign, line.status, line.uid)
    assert ("uid-9", SLOT, SLOT + timedelta(hours=1), "hook") == (
        booking.kept_uid,
        booking.starts_at,
        booking.ends_at,
        booking.webhook_id,
    )
    assert BookingStatus.PENDING is booking.status


def test_a_booking_that_was_found_is_never_surplus() -> None:
    assert () == given(FOUND, booked("uid-9"), cancellation()).surplus


def test_a_moved_appointment_stands_at_its_new_time_under_its_new_uid() -> None:
    booking = given(*BOOKED, followed("uid-1", "uid-2"), rescheduled())

    assert (BookingStatus.BOOKED, "uid-2") == (booking.status, booking.kept_uid)
    assert (SLOT + timedelta(hours=3), SLOT + timedelta(hours=4)) == (booking.starts_at, booking.ends_at)
    assert booking.appointment_live


@pytest.mark.parametrize(("told_by", "expected"), [(None, "hook"), ("hook-2", "hook-2")])
def test_a_booking_names_the_last_webhook_that_told_of_its_row(told_by: str | None, expected: str) -> None:
    booking = given(FOUND, booked("uid-9"), rescheduled(webhook_id=told_by))

    assert expected == booking.webhook_id


def test_what_is_found_stands_until_it_is_resolved() -> None:
    drift = f.InconsistencyDetected(at=at(20), kind="time_drift", uid="uid-1", evidence="moved", repair="move")
    ghost = replace(drift, kind="ghost")
    resolved = f.InconsistencyResolved(at=at(21), kind="time_drift", uid="uid-1", how="move", actor="calsaga")

    assert (drift, ghost) == given(*BOOKED, drift, ghost).inconsistencies
    assert (ghost,) == given(*BOOKED, drift, ghost, resolved).inconsistencies


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ((), (("ghost", "uid-1"),)),
        ((replace(GHOST, uid="uid-2"), replace(GHOST, kind="duplicate")), (("ghost", "uid-1"),)),
        ((replace(KEPT, uid="uid-2", how="seen"), replace(KEPT, kind="duplicate", how="seen")), (("ghost", "uid-1"),)),
        ((KEPT,), (("ghost", "uid-1"),)),
        ((GHOST,), ()),
        ((replace(KEPT, how="seen"),), ()),
        ((rescheduled(),), ()),
    ],
)
def test_what_a_person_keeps_is_let_stand_until_something_else_is_seen(
    then: tuple[e.BookingEvent, ...], expected: tuple[tuple[str, str], ...]
) -> None:
    booking = given(*BOOKED, GHOST, KEPT, *then)

    assert expected == booking.let_stand


def test_what_calsaga_ends_by_itself_is_not_let_stand() -> None:
    assert () == given(*BOOKED, GHOST, replace(KEPT, how="seen", actor="calsaga")).let_stand


def test_that_something_is_owed_at_calcom_changes_nothing_by_itself() -> None:
    owed = f.CalcomSyncRequired(at=at(20), uid="uid-2", reason="surplus")

    before, after = given(*BOOKED), given(*BOOKED, owed)
    assert after == replace(before, version=before.version + 1, updated_at=owed.at)
