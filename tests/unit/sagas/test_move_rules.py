"""
A move rule by rule: given these events and this time, this comes next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain import events as e
from domain import findings as f
from domain import moving as m
from domain.booking import BookingStatus
from domain.evolving import fold
from domain.policy import Policy
from domain.retry import RetryPolicy
from sagas.next_step import next_step
from sagas.outcomes import Made
from sagas.rows import move_of
from sagas.steps import (
    Done,
    InspectObstacle,
    Perform,
    Record,
    RescheduleAtCalcom,
    Shift,
    Step,
    TraceMove,
    Wait,
    Withdraw,
)
from tests.fakes.given import (
    BOOKED,
    OBSTACLE_ID,
    SERVICE,
    at,
    cancelled_there,
    given,
    inspected,
    not_persisted,
    review,
)
from tests.fakes.moves import (
    ASKED,
    LATER,
    MOVE_IN_DOUBT,
    move_absent,
    move_attempted,
    move_looked,
    move_not_sent,
    move_refused,
    move_unknown,
    moved,
    requested,
    rescheduled,
    standing,
)

POLICY = Policy(retry=RetryPolicy(jitter=0), review_after=3)
EFFECT = RescheduleAtCalcom(uid="uid-1", attempt_id="one", starts_at=LATER, reason="later, please", number=1)
TRACE = TraceMove(uid="uid-1", attempt_id="one")
MADE = Made(uid="uid-2", starts_at=LATER, ends_at=LATER + SERVICE.duration, calcom_status="accepted")
THERE = standing("uid-2", starts_at=LATER, origins=("uid-1",))
FAILED_LOOKS = tuple(move_looked(seconds=100 + number, problem="http_502") for number in range(3))
MOVED_THERE = (*ASKED, moved())


def _step(*events: e.BookingEvent, now: float) -> Step:
    return next_step(given(*BOOKED, *events), at(now), POLICY)


def _topics(events: Sequence[e.BookingEvent]) -> list[str]:
    return [event.TOPIC.split(".")[1] for event in events]


def test_a_wish_to_move_is_taken_to_cal_com() -> None:
    assert Perform(EFFECT) == _step(requested(), now=20)


@pytest.mark.parametrize(
    ("events", "now", "reason"),
    [
        ((requested(),), 27 * 3600, "expired"),
        (
            (*ASKED, move_unknown(), move_absent(), move_attempted(number=3), move_unknown(), move_absent()),
            900,
            "calcom_unavailable",
        ),
        (
            (requested(), *[it for n in range(4) for it in (move_attempted(), move_not_sent(seconds=21 + n))]),
            900,
            "calcom_unavailable",
        ),
        ((*ASKED, move_refused()), 30, "slot_taken"),
    ],
)
def test_a_move_comes_to_nothing_and_says_why(events: Sequence[e.BookingEvent], now: float, reason: str) -> None:
    step = _step(*events, now=now)

    assert isinstance(step, Record)
    assert [reason] == [one.reason for one in step.events if isinstance(one, m.RescheduleFailed)]


@pytest.mark.parametrize(("now", "step"), [(21.5, Wait(at(22))), (22, None)])
def test_what_was_not_sent_is_sent_again_later(now: float, step: Step | None) -> None:
    expected = step or Perform(replace(EFFECT, number=2))

    assert expected == _step(*ASKED, move_not_sent(), now=now)


def test_an_announced_move_may_still_be_answered_and_is_then_in_doubt() -> None:
    assert Wait(at(35)) == _step(*ASKED, now=30)
    step = _step(*ASKED, now=35)

    assert isinstance(step, Record)
    assert ["calcom-reschedule-unknown"] == _topics(step.events)


@pytest.mark.parametrize(
    ("looks", "waits_until"),
    [
        ((), 31),
        ((move_looked(seconds=31, counted=False),), 33),
        (tuple(move_looked(seconds=31 + number, counted=False) for number in range(5)), 95),
        ((move_looked(seconds=200, counted=True),), 202),
        ((move_looked(seconds=31, problem="http_502"), move_looked(seconds=33, problem="http_502")), 40),
    ],
)
def test_a_move_in_doubt_is_read_by_the_schedule(looks: Sequence[e.BookingEvent], waits_until: float) -> None:
    early = _step(*MOVE_IN_DOUBT, *looks, now=waits_until - 0.5)

    assert Wait(at(waits_until)) == early
    assert Perform(TRACE) == _step(*MOVE_IN_DOUBT, *looks, now=waits_until)


def test_two_clean_looks_say_that_it_was_not_moved() -> None:
    step = _step(*MOVE_IN_DOUBT, move_looked(), move_looked(seconds=200), now=201)

    assert isinstance(step, Record)
    assert ["calcom-reschedule-absent"] == _topics(step.events)


def test_nobody_is_asked_about_a_move_because_an_open_breaker_kept_looks_back() -> None:
    refused = tuple(replace(one, problem="breaker_open") for one in FAILED_LOOKS)

    assert Perform(TRACE) == _step(*MOVE_IN_DOUBT, *refused, now=9000)


def test_looking_in_vain_for_long_asks_a_person_and_their_retry_looks_again() -> None:
    step = _step(*MOVE_IN_DOUBT, *FAILED_LOOKS, now=400)

    assert isinstance(step, Record)
    (asked,) = step.events
    assert isinstance(asked, f.ManualReviewRequested)
    assert ("cannot_look", "uid-1") == (asked.reason, asked.uid)
    assert Done() == _step(*MOVE_IN_DOUBT, *FAILED_LOOKS, asked, now=9000)
    assert Perform(TRACE) == _step(*MOVE_IN_DOUBT, *FAILED_LOOKS, asked, _answer("retry"), now=9000)


def _answer(answer: f.ReviewAnswer) -> f.ManualReviewAnswered:
    booking = given(*BOOKED, review())
    assert booking.status is BookingStatus.NEEDS_REVIEW
    return f.ManualReviewAnswered(
        at=at(500),
        answer=answer,
        actor="ada",
        person=requested().person,
        attempt_id="one",
        uid="uid-1",
        status_after="",
        reason_after=None,
        detail_after=None,
    )


def test_what_cal_com_has_moved_moves_its_row() -> None:
    step = _step(*MOVED_THERE, now=23)

    assert isinstance(step, Shift)
    assert ("uid-2", LATER, "customer", False, ()) == (
        step.rescheduled.to_uid,
        step.rescheduled.starts_at,
        step.rescheduled.by,
        step.rescheduled.overlaps,
        step.flags,
    )


@pytest.mark.parametrize(
    ("events", "now", "step"),
    [
        ((not_persisted(),), 24, Perform(InspectObstacle(appointment_id=OBSTACLE_ID))),
        ((not_persisted(), inspected("moving", seconds=24, retry_in=5)), 25, Wait(at(29))),
    ],
)
def test_what_is_in_the_way_is_looked_at_before_anything_is_flagged(
    events: Sequence[e.BookingEvent], now: float, step: Step
) -> None:
    assert step == _step(*MOVED_THERE, *events, now=now)


@pytest.mark.parametrize(
    ("events", "overlaps"),
    [
        ((not_persisted(), inspected("gone", seconds=24)), False),
        ((not_persisted(), inspected("moving", seconds=24, retry_in=5)), False),
        ((not_persisted(), inspected("stands", seconds=24)), True),
        ((not_persisted(seconds=24), inspected("missing", seconds=24)), False),
        ((not_persisted(seconds=-36), inspected("missing", seconds=24)), True),
        ((not_persisted(obstacle_id=None),), True),
        # Two that wait for each other's time do not wait for ever.
        ((*[not_persisted()] * 10, inspected("moving", seconds=24, retry_in=5)), True),
    ],
)
def test_cal_coms_time_is_kept_and_flagged_if_somebody_has_a_right_to_it(
    events: Sequence[e.BookingEvent], overlaps: bool
) -> None:
    step = _step(*MOVED_THERE, *events, now=60)

    assert isinstance(step, Shift)
    assert (overlaps, ["inconsistency-detected", "manual-review-requested"] if overlaps else []) == (
        step.rescheduled.overlaps,
        _topics(step.flags),
    )


def test_a_row_that_no_overlap_explains_goes_to_a_person_instead_of_round_and_round() -> None:
    refused = not_persisted(reason="duplicate_calcom_uid", obstacle_id=None)
    step = _step(*MOVED_THERE, refused, now=60)

    assert isinstance(step, Record)
    (asked,) = step.events
    assert isinstance(asked, f.ManualReviewRequested)
    assert ("persistence_failed", "uid-2") == (asked.reason, asked.uid)
    again = fold(given(*BOOKED, *MOVED_THERE, refused, asked), (_about("uid-2", _answer("retry")),))
    assert isinstance(next_step(again, at(61), POLICY), Shift)


def _about(uid: str, answered: f.ManualReviewAnswered) -> f.ManualReviewAnswered:
    return f.ManualReviewAnswered(
        at=answered.at,
        answer=answered.answer,
        actor=answered.actor,
        person=answered.person,
        attempt_id="one",
        uid=uid,
        status_after="",
        reason_after=None,
        detail_after=None,
    )


def test_a_retry_without_a_move_changes_no_move() -> None:
    assert None is given(*BOOKED, review(), _answer("retry")).move


def test_cancelled_at_cal_com_while_it_moves_is_cancelled_here() -> None:
    assert isinstance(_step(*MOVE_IN_DOUBT, cancelled_there(), now=60), Withdraw)


def test_a_move_of_what_was_never_booked_moves_no_row() -> None:
    with pytest.raises(LookupError):
        move_of(given(), rescheduled())
