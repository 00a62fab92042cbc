"""
What a composite does next, whose legs each go their own way.
"""

from __future__ import annotations

from domain import events as e
from domain import findings as f
from domain.composite import CompositeEvent, LegEvent
from sagas.next_step import next_step
from sagas.steps import (
    CancelAtCalcom,
    CreateAtCalcom,
    Done,
    LookAtCalcom,
    OfLeg,
    Perform,
    Persist,
    Record,
    RecordOfLegs,
    Step,
    Together,
    Wait,
    Withdraw,
)
from tests.fakes.given import (
    OBSTACLE_ID,
    POLICY,
    SLOT,
    at,
    attempted,
    cancellation,
    cancelled,
    cancelled_there,
    failed,
    unknown,
)
from tests.fakes.legs import composite, leg
from tests.unit.domain.test_legs import MADE, STANDS

REVIEW = f.ManualReviewRequested(at=at(9), reason="cannot_look", detail="", attempt_id="a2", uid=None)
NO_CANCEL = f.ManualReviewRequested(at=at(9), reason="cancelling_disabled", detail="", attempt_id="a3", uid="uid-3")
ASKED = tuple(event for n in (1, 2, 3) for event in leg(n, cancellation()))
REFUSED = e.CalcomBookingRefused(at=at(2), attempt_id="a2", reason="slot_taken", detail="", status=409, conflict=False)
PARTLY = f.InconsistencyDetected(at=at(9), kind="status_drift", uid="uid-1", evidence="", repair="manual_review")


def _next(*events: CompositeEvent, seconds: float = 1) -> Step:
    return next_step(composite(*events), at(seconds), POLICY)


def _creates(step: Step) -> int | None:
    match step:
        case OfLeg(leg=number, step=Perform(CreateAtCalcom())):
            return number
        case _:
            return None


def _cancels(step: Step) -> tuple[int, str] | None:
    match step:
        case OfLeg(leg=number, step=Perform(CancelAtCalcom(uid=uid))):
            return number, uid
        case _:
            return None


def test_legs_are_made_one_after_the_other() -> None:
    assert [1, 2, 3] == [_creates(_next(*MADE[: 2 * n])) for n in (0, 1, 2)]
    assert Wait(at(15)) == _next(*leg(1, attempted("a1")))


def test_a_leg_in_doubt_keeps_those_behind_it_back_and_is_looked_for() -> None:
    doubt = (*MADE[:2], *leg(2, attempted("a2"), unknown("a2")))

    assert Wait(at(11)) == _next(*doubt, seconds=10.5)
    step = _next(*doubt, seconds=11)
    assert isinstance(step, OfLeg)
    assert (2, True) == (step.leg, isinstance(step.step, Perform) and isinstance(step.step.effect, LookAtCalcom))


def test_all_legs_are_booked_in_one_append() -> None:
    step = _next(*MADE)

    assert isinstance(step, Together)
    assert [1, 2, 3] == [end.leg for end in step.ends]
    ids = {end.decision.booked.appointment_id for end in step.ends if isinstance(end.decision, Persist)}
    assert 3 == len(ids)
    assert Done() == _next(*STANDS)


def test_a_row_in_the_way_of_one_leg_is_looked_at_and_then_all_are_tried_again() -> None:
    refused = e.AppointmentPersistenceFailed(at=at(3), reason="staff_overlap", obstacle_id=OBSTACLE_ID)
    gone = e.ObstacleInspected(at=at(4), obstacle_id=OBSTACLE_ID, verdict="gone", retry_at=at(4))
    moving = e.ObstacleInspected(at=at(4), obstacle_id=OBSTACLE_ID, verdict="moving", retry_at=at(9))

    assert 3 == getattr(_next(*MADE, *leg(3, refused)), "leg", None)
    assert Wait(at(9)) == _next(*MADE, *leg(3, refused, moving), seconds=5)
    assert isinstance(_next(*MADE, *leg(3, refused, gone), seconds=5), Together)


def test_one_that_fails_takes_the_others_back_for_the_same_reason() -> None:
    step = _next(*MADE[:2], *leg(2, attempted("a2"), REFUSED, failed(reason="slot_taken")))

    assert isinstance(step, RecordOfLegs)
    started = e.CompensationStarted(at=at(1), reason="slot_taken", detail=failed().detail)
    assert (LegEvent(leg=3, event=started), LegEvent(leg=1, event=started)) == step.events


def test_one_that_is_undone_takes_the_others_back_and_the_last_one_is_undone_first() -> None:
    started = e.CompensationStarted(at=at(3), reason="needs_confirmation", detail="pending")
    undoing = tuple(event for n in (2, 3, 1) for event in leg(n, started))
    failing = e.CompensationFailed(at=at(4), uid="uid-3", reason="http_502", detail="", retry_at=at(9))

    assert (3, "uid-3") == _cancels(_next(*MADE, *undoing))
    assert (2, "uid-2") == _cancels(_next(*MADE, *undoing, *leg(3, failing), seconds=5))
    assert (3, "uid-3") == _cancels(_next(*MADE, *undoing, *leg(3, failing), seconds=9))


def test_a_leg_that_was_never_attempted_ends_without_a_call() -> None:
    started = e.CompensationStarted(at=at(3), reason="slot_taken", detail="")
    step = _next(*MADE[:2], *leg(2, failed()), *leg(3, started), *leg(1, started))

    assert isinstance(step, OfLeg)
    assert isinstance(step.step, Record)
    assert (3, ["BookingFailed"]) == (step.leg, [type(event).__name__ for event in step.step.events])


def test_one_leg_that_a_person_cancels_before_the_pivot_takes_the_others_back() -> None:
    step = _next(*MADE[:2], *leg(2, attempted("a2"), unknown("a2"), cancellation()))

    assert isinstance(step, RecordOfLegs)
    reasons = {one.event.reason for one in step.events if isinstance(one.event, e.CompensationStarted)}
    assert ({"leg_cancelled"}, [3, 1]) == (reasons, [one.leg for one in step.events])


def test_what_waits_for_a_person_waits_with_all_legs_until_it_expires() -> None:
    events = (*MADE[:2], *leg(2, attempted("a2"), unknown("a2"), REVIEW))

    assert Wait(composite(*events).legs[2].facts.valid_until) == _next(*events, seconds=90)


def test_nothing_is_made_any_more_once_it_has_expired() -> None:
    step = next_step(composite(*MADE[:2]), SLOT, POLICY)

    assert isinstance(step, OfLeg)
    assert isinstance(step.step, Record)
    assert "expired" == getattr(step.step.events[0], "reason", None)


def test_a_cancellation_goes_backwards_and_ends_in_one_append() -> None:
    gone = [leg(n, cancelled_there(f"uid-{n}", f"a{n}")) for n in (3, 2, 1)]
    last = _next(*STANDS, *ASKED, *gone[0], *gone[1], *gone[2])

    assert (3, "uid-3") == _cancels(_next(*STANDS, *ASKED))
    assert (2, "uid-2") == _cancels(_next(*STANDS, *ASKED, *gone[0]))
    assert (1, "uid-1") == _cancels(_next(*STANDS, *ASKED, *gone[0], *gone[1]))
    assert isinstance(last, Together)
    assert [3, 2, 1] == [end.leg for end in last.ends]
    assert all(isinstance(end.decision, Withdraw) for end in last.ends)


def test_rows_wait_for_a_cancel_that_is_repeated_but_not_for_a_person() -> None:
    gone = (*leg(2, cancelled_there("uid-2", "a2")), *leg(1, cancelled_there("uid-1", "a1")))
    failing = e.CompensationFailed(at=at(4), uid="uid-3", reason="http_502", detail="", retry_at=at(9))
    repeated = _next(*STANDS, *ASKED, *gone, *leg(3, failing), seconds=5)
    asked = _next(*STANDS, *ASKED, *gone, *leg(3, NO_CANCEL), seconds=5)

    assert Wait(at(9)) == repeated
    assert isinstance(asked, Together)
    assert [2, 1] == [end.leg for end in asked.ends]


def test_what_was_found_about_a_leg_that_is_gone_is_over_once_all_are() -> None:
    part = composite(*STANDS, *leg(1, cancelled_there("uid-1", "a1"), cancelled(), PARTLY))
    gone = (event for n in (2, 3) for event in leg(n, cancelled_there(f"uid-{n}", f"a{n}"), cancelled()))
    whole = composite(*STANDS, *leg(1, cancelled_there("uid-1", "a1"), cancelled(), PARTLY), *gone)
    resolved = f.InconsistencyResolved(at=at(9), kind="status_drift", uid="uid-1", how="all_gone", actor="calsaga")

    assert "booked" == part.status.value
    assert not isinstance(next_step(part, at(9), POLICY), RecordOfLegs)
    assert RecordOfLegs((LegEvent(leg=1, event=resolved),)) == next_step(whole, at(9), POLICY)
