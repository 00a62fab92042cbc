"""
A move outcome by outcome: when this comes in, this is recorded, and never twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from domain import events as e
from domain import findings as f
from domain import moving as m
from domain.booking import Booking, BookingStatus, Goal
from domain.evolving import fold
from domain.moving import MoveStatus
from domain.policy import Policy
from domain.retry import RetryPolicy
from sagas.outcomes import CreateOutcome, Made, NotSent, NotThere, Refused, Trace, TraceFailed, Unknown
from sagas.recording_moves import record_reschedule, record_trace
from sagas.steps import (
    RescheduleAtCalcom,
    TraceMove,
)
from tests.fakes.given import (
    BOOKED,
    SERVICE,
    SLOT,
    at,
    cancellation,
    followed,
    given,
)
from tests.fakes.moves import (
    ASKED,
    LATER,
    MOVE_IN_DOUBT,
    gone,
    move_absent,
    move_attempted,
    move_failed,
    move_looked,
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


def _topics(events: Sequence[e.BookingEvent]) -> list[str]:
    return [event.TOPIC.split(".")[1] for event in events]


def _record(booking: Booking, outcome: CreateOutcome) -> tuple[e.BookingEvent, ...]:
    return record_reschedule(booking, EFFECT, outcome, answered_at=at(500), now=at(500), policy=POLICY)


def _traced(booking: Booking, trace: Trace, *, started: float = 500) -> tuple[e.BookingEvent, ...]:
    return record_trace(booking, TRACE, trace, started_at=at(started), now=at(started), policy=POLICY)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (MADE, MoveStatus.MOVED),
        (Refused(reason="slot_taken", detail="", status=400), MoveStatus.REFUSED),
        (NotSent(reason="refused_connection", detail=""), MoveStatus.WANTED),
        (Unknown(reason="timeout", detail=""), MoveStatus.IN_DOUBT),
    ],
)
def test_every_outcome_of_a_move_is_recorded_once(outcome: CreateOutcome, status: MoveStatus) -> None:
    booking = given(*BOOKED, *ASKED)
    after = fold(booking, _record(booking, outcome))

    assert after.move is not None
    assert status is after.move.status
    assert () == _record(after, outcome)


@pytest.mark.parametrize(
    "outcome",
    [Refused(reason="slot_taken", detail=""), NotSent(reason="x", detail=""), Unknown(reason="timeout", detail="")],
)
@pytest.mark.parametrize(
    "events",
    [
        (*MOVE_IN_DOUBT, move_absent(), move_attempted(number=2)),
        (*MOVE_IN_DOUBT, move_failed()),
        (*ASKED, cancellation(seconds=40)),
        (*ASKED, moved()),
    ],
)
def test_bad_news_that_comes_too_late_is_no_news(events: Sequence[e.BookingEvent], outcome: CreateOutcome) -> None:
    assert () == _record(given(*BOOKED, *events), outcome)


@pytest.mark.parametrize("events", [ASKED, MOVE_IN_DOUBT, (*MOVE_IN_DOUBT, move_absent())])
def test_an_answer_lost_after_its_last_possible_moment_puts_the_move_in_doubt_again(
    events: Sequence[e.BookingEvent],
) -> None:
    booking = given(*BOOKED, *events)
    after = fold(booking, _record(booking, Unknown(reason="timeout", detail="")))

    assert after.move is not None
    assert (MoveStatus.IN_DOUBT, at(500), at(500)) == (after.move.status, after.move.doubted_at, after.move.answer_by)
    assert () == _record(after, Unknown(reason="timeout", detail=""))


@pytest.mark.parametrize("events", [MOVE_IN_DOUBT, (*MOVE_IN_DOUBT, move_absent())])
def test_an_answer_lost_in_time_adds_nothing_to_a_doubt(events: Sequence[e.BookingEvent]) -> None:
    booking = given(*BOOKED, *events)
    lost = Unknown(reason="timeout", detail="")

    assert () == record_reschedule(booking, EFFECT, lost, answered_at=at(30), now=at(500), policy=POLICY)


def test_a_refusal_settles_a_doubt() -> None:
    outcome = Refused(reason="slot_taken", detail="", status=400)

    assert ["calcom-reschedule-refused"] == _topics(_record(given(*BOOKED, *MOVE_IN_DOUBT), outcome))


@pytest.mark.parametrize(
    ("events", "late", "goal"),
    [
        (MOVE_IN_DOUBT, False, Goal.MOVE),
        ((*MOVE_IN_DOUBT, move_absent(), move_attempted(number=2)), False, Goal.MOVE),
        ((*MOVE_IN_DOUBT, move_failed()), True, Goal.MOVE),
        (
            (*MOVE_IN_DOUBT, move_failed(), requested(seconds=400, starts_at=SLOT + timedelta(hours=9))),
            False,
            Goal.MOVE,
        ),
        ((*MOVE_IN_DOUBT, cancellation(seconds=40)), True, Goal.CANCEL),
    ],
)
def test_good_news_is_recorded_whenever_it_comes(events: Sequence[e.BookingEvent], late: bool, goal: Goal) -> None:
    booking = given(*BOOKED, *events)
    news = _record(booking, MADE)

    (event,) = news
    assert isinstance(event, m.CalcomBookingMoved)
    after = fold(booking, news)
    assert (late, goal, "uid-2", None) == (event.late, after.goal, after.kept_uid, after.ended)
    assert () == _record(after, MADE)


@pytest.mark.parametrize("uid", ["uid-2", "uid-3"])
def test_a_second_booking_out_of_one_move_is_one_too_many_and_is_cancelled(uid: str) -> None:
    booking = given(*BOOKED, followed("uid-1", "uid-9"), rescheduled("uid-1", "uid-9"))

    after = fold(
        booking, record_reschedule(booking, EFFECT, _made(uid), answered_at=at(500), now=at(500), policy=POLICY)
    )

    assert (BookingStatus.BOOKED, "uid-9", LATER, [uid]) == (
        after.status,
        after.kept_uid,
        after.starts_at,
        [line.uid for line in after.surplus],
    )


def _made(uid: str) -> Made:
    return Made(uid=uid, starts_at=SLOT, ends_at=SLOT + SERVICE.duration, calcom_status="accepted")


def test_a_second_booking_that_a_look_shows_is_one_too_many() -> None:
    booking = given(*BOOKED, followed("uid-1", "uid-9"), rescheduled("uid-1", "uid-9"))

    assert ["calcom-created"] == _topics(_traced(booking, THERE))


def test_reading_the_old_uid_finds_the_move() -> None:
    booking = given(*BOOKED, *MOVE_IN_DOUBT)
    after = fold(booking, _traced(booking, THERE))

    assert ("uid-2", LATER) == (after.kept_uid, after.move.starts_at if after.move else None)
    assert () == _traced(after, THERE)


def test_a_move_to_another_time_than_was_asked_for_is_followed_and_ours_has_failed() -> None:
    booking = given(*BOOKED, *MOVE_IN_DOUBT)
    elsewhere = standing("uid-2", starts_at=LATER + timedelta(hours=1), origins=("uid-1",))
    news = _traced(booking, elsewhere)

    assert ["reschedule-failed", "calcom-moved"] == _topics(news)
    after = fold(booking, news)
    assert after.move_failure is not None
    assert (BookingStatus.RESCHEDULING, "moved_at_calcom", LATER + timedelta(hours=1)) == (
        after.status,
        after.move_failure.reason,
        after.move.starts_at if after.move else None,
    )
    assert () == _traced(after, elsewhere)


@pytest.mark.parametrize(
    ("trace", "problem"),
    [(standing(), None), (NotThere(), "not_there"), (TraceFailed(reason="http_502"), "http_502")],
)
def test_a_look_that_finds_no_move_is_one_look_more(trace: Trace, problem: str | None) -> None:
    booking = given(*BOOKED, *MOVE_IN_DOUBT)

    (look,) = _traced(booking, trace)

    assert isinstance(look, m.CalcomRescheduleLooked)
    assert (problem, problem is None) == (look.problem, look.counted)
    assert () == _traced(fold(booking, (look,)), trace)


@pytest.mark.parametrize(
    ("looks", "started", "counted"),
    [
        ((), 94, False),
        ((), 95, True),
        ((move_looked(seconds=100),), 129, False),
        ((move_looked(seconds=100),), 130, True),
    ],
)
def test_a_clean_look_counts_only_late_and_apart(
    looks: Sequence[e.BookingEvent], started: float, counted: bool
) -> None:
    (look,) = _traced(given(*BOOKED, *MOVE_IN_DOUBT, *looks), standing(), started=started)

    assert isinstance(look, m.CalcomRescheduleLooked)
    assert counted is look.counted


@pytest.mark.parametrize("trace", [standing(), NotThere(), TraceFailed(reason="http_502")])
@pytest.mark.parametrize("events", [(), ASKED, (*MOVE_IN_DOUBT, move_failed())])
def test_a_look_that_nobody_waits_for_is_no_news(events: Sequence[e.BookingEvent], trace: Trace) -> None:
    assert () == _traced(given(*BOOKED, *events), trace)


def test_gone_while_it_moves_ends_the_booking() -> None:
    drift = f.InconsistencyDetected(at=at(5), kind="time_drift", uid="uid-1", evidence="", repair="manual_review")
    booking = given(*BOOKED, drift, *MOVE_IN_DOUBT)
    after = fold(booking, _traced(booking, gone()))

    assert (None, ()) == (after.kept, after.inconsistencies)


@pytest.mark.parametrize(
    "events", [(*MOVE_IN_DOUBT, move_failed()), (*MOVE_IN_DOUBT, cancellation(seconds=40)), (*ASKED, moved())]
)
def test_gone_when_it_is_not_moving_any_more_is_left_to_whoever_sees_to_the_row(
    events: Sequence[e.BookingEvent],
) -> None:
    assert () == _traced(given(*BOOKED, *events), gone())


def test_a_move_knows_whether_it_is_open() -> None:
    moves = [given(*BOOKED, *events).move for events in (ASKED, MOVE_IN_DOUBT, (requested(),), (*ASKED, moved()))]

    assert [True, True, False, False] == [one is not None and one.is_open for one in moves]


def test_news_of_a_move_that_is_over_change_nothing() -> None:
    booking = given(*BOOKED, *MOVE_IN_DOUBT, move_failed())

    assert None is fold(booking, (move_looked(seconds=400),)).move


def test_the_schedule_of_a_move_that_was_never_asked_for_does_not_exist() -> None:
    move = given(*BOOKED, requested()).move
    assert move is not None

    with pytest.raises(ValueError, match="no doubt"):
        POLICY.look_at_move(move)
