"""
The saga rule by rule: given these events and this time, this is the next step.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import events as e
from domain import findings as f
from domain.booking import appointment_id_of, initial_state
from domain.policy import Policy
from sagas.next_step import is_over, next_step
from sagas.steps import (
    CreateAtCalcom,
    Done,
    LookAtCalcom,
    Perform,
    Persist,
    Record,
    Step,
    Wait,
    Withdraw,
)
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    BOOKING_ID,
    IN_DOUBT,
    POLICY,
    SERVICE,
    SLOT,
    absent,
    at,
    attempted,
    booked,
    cancellation,
    cancelled_there,
    compensating,
    created,
    failed,
    given,
    looked,
    not_sent,
    refused,
    review,
    unknown,
)
from tests.unit.sagas.stepping import a_cancel, step_at

DAY = 24 * 3600


def test_nobody_asked_nothing_to_do() -> None:
    assert Done() == next_step(initial_state(BOOKING_ID), at(0), POLICY)


def test_an_accepted_wish_is_taken_to_cal_com() -> None:
    assert Perform(CreateAtCalcom(number=1)) == step_at(now=0)


@pytest.mark.parametrize(
    "events",
    [
        (*IN_DOUBT, review(uid=None)),
        (*BOOKED, review()),
        (*BOOKED, cancellation(), review()),
        (*ABSENT, failed(), created(), review()),
    ],
)
def test_in_review_nothing_is_done(events: tuple[e.BookingEvent, ...]) -> None:
    assert Done() == step_at(*events, now=9999)


def test_an_announced_attempt_may_still_be_answered() -> None:
    assert Wait(at(15)) == step_at(attempted(), now=14.9)


def test_an_announced_attempt_without_an_answer_is_in_doubt() -> None:
    step = step_at(attempted(), now=15)

    assert isinstance(step, Record)
    assert [("one", "no_outcome")] == [
        (one.attempt_id, one.reason) for one in step.events if isinstance(one, e.CalcomOutcomeUnknown)
    ]


@pytest.mark.parametrize(("now", "step"), [(10.9, Wait(at(11))), (11.0, None)])
def test_doubt_is_looked_into_on_schedule(now: float, step: Wait | None) -> None:
    look = Perform(LookAtCalcom(attempt_ids=("one",), since=at(-300)))

    assert (step or look) == step_at(*IN_DOUBT, now=now)


def test_one_clean_look_is_not_enough() -> None:
    assert isinstance(step_at(*IN_DOUBT, looked(seconds=80), now=81), Wait)


def test_two_clean_looks_say_absent_for_now() -> None:
    step = step_at(*IN_DOUBT, looked(seconds=80), looked(seconds=110), now=110)

    assert Record((absent(seconds=110),)) == step


def test_two_looks_too_early_say_nothing() -> None:
    step = step_at(*IN_DOUBT, looked(seconds=20, counted=False), looked(seconds=30, counted=False), now=31)

    assert isinstance(step, Wait)


def test_one_list_serves_all_attempts_in_doubt() -> None:
    events = (*ABSENT, attempted("two", number=2, seconds=121), unknown("two"), refused("two"))
    doubtful = (*ABSENT, attempted("two", number=2, seconds=121), refused("two", conflict=True, seconds=130))

    assert isinstance(step_at(*events, now=200), Record)
    assert Perform(LookAtCalcom(attempt_ids=("one",), since=at(-300))) == step_at(*doubtful, now=200)


def test_a_conflict_is_settled_before_it_counts_as_a_refusal() -> None:
    step = step_at(
        *ABSENT, attempted("two", number=2, seconds=121), refused("two", conflict=True, seconds=130), now=130
    )

    assert Wait(at(131)) == step


def test_what_an_earlier_attempt_made_is_booked_in_spite_of_the_conflict() -> None:
    events = (*ABSENT, attempted("two", number=2, seconds=121), refused("two", conflict=True), created(seconds=140))

    assert isinstance(step_at(*events, now=140), Persist)


def test_a_conflict_that_is_nobody_of_ours_is_a_refusal() -> None:
    again = (looked(seconds=200), looked(seconds=230), absent(seconds=230))
    events = (*ABSENT, attempted("two", number=2), refused("two", conflict=True, seconds=130), *again)

    assert Record((failed(seconds=231),)) == step_at(*events, now=231)


def test_absence_lets_the_next_attempt_go() -> None:
    assert Perform(CreateAtCalcom(number=2)) == step_at(*ABSENT, now=120)


def test_three_attempts_are_the_most() -> None:
    events = (
        *ABSENT,
        *(one for name in ("two", "three") for one in (attempted(name, number=2), unknown(name), absent(name))),
    )

    step = step_at(*events, now=400)

    assert isinstance(step, Record)
    assert ["calcom_unavailable"] == [one.reason for one in step.events if isinstance(one, e.BookingFailed)]


def test_two_attempts_leave_one() -> None:
    events = (*ABSENT, attempted("two", number=2), unknown("two"), absent("two"))

    assert Perform(CreateAtCalcom(number=3)) == step_at(*events, now=400)


def test_attempts_not_sent_do_not_use_up_the_three() -> None:
    events = tuple(
        one for number in range(1, 9) for one in (attempted(str(number), number=number), not_sent(str(number)))
    )

    assert Perform(CreateAtCalcom(number=9)) == step_at(*events, now=400)


def test_a_refusal_ends_the_booking_with_its_reason() -> None:
    assert Record((failed(seconds=2),)) == step_at(attempted(), refused(), now=2)


def test_a_booking_that_a_person_cancelled_there_is_not_made_again() -> None:
    step = step_at(*IN_DOUBT, cancelled_there(), now=20)

    assert isinstance(step, Record)
    assert ["cancelled_at_calcom"] == [one.reason for one in step.events if isinstance(one, e.BookingFailed)]


@pytest.mark.parametrize(("now", "step"), [(1.9, Wait(at(2))), (2, Perform(CreateAtCalcom(number=2)))])
def test_a_retry_waits_for_its_time(now: float, step: Step) -> None:
    assert step == step_at(attempted(), not_sent(), now=now)


def test_a_retry_that_would_come_too_late_waits_for_the_expiry() -> None:
    assert Wait(at(DAY)) == step_at(attempted(), not_sent(retry_in=DAY + 100), now=2)


@pytest.mark.parametrize("now", [DAY, DAY + 1])
def test_a_booking_that_could_not_be_made_in_time_expires(now: float) -> None:
    step = step_at(*ABSENT, now=now)

    assert isinstance(step, Record)
    assert ["expired"] == [one.reason for one in step.events if isinstance(one, e.BookingFailed)]


def test_a_second_before_expiry_it_is_still_tried() -> None:
    assert Perform(CreateAtCalcom(number=2)) == step_at(*ABSENT, now=DAY - 1)


def test_doubt_is_settled_even_after_expiry() -> None:
    assert Perform(LookAtCalcom(attempt_ids=("one",), since=at(-300))) == step_at(*IN_DOUBT, now=DAY + 1)


def test_what_was_made_is_booked_even_after_expiry() -> None:
    assert isinstance(step_at(*IN_DOUBT, created(), now=DAY + 1), Persist)


def test_what_was_made_is_booked_with_cal_coms_times() -> None:
    later = SLOT + timedelta(hours=1)

    step = step_at(attempted(), created(starts_at=later), now=2)

    assert (
        Persist(
            booked=e.AppointmentBooked(
                at=at(2),
                appointment_id=appointment_id_of(BOOKING_ID),
                calcom_uid="uid-1",
                starts_at=later,
                ends_at=later + SERVICE.duration,
            )
        )
        == step
    )


def test_a_booking_that_needs_confirmation_is_undone() -> None:
    step = step_at(attempted(), created(calcom_status="pending"), now=2)

    assert isinstance(step, Record)
    assert ["needs_confirmation"] == [one.reason for one in step.events if isinstance(one, e.CompensationStarted)]


def test_what_a_person_was_asked_about_is_left_alone_and_the_rest_goes_on() -> None:
    surplus = (*ABSENT, attempted("two", number=2), created("two"), created("one", "uid-2", late=True), booked())

    assert Done() == step_at(*surplus, review("one", "uid-2"), now=9999)
    assert a_cancel("uid-2") == step_at(*surplus, review("two", "uid-1"), now=9999)


def test_looking_in_vain_for_too_long_is_for_a_person() -> None:
    blind = tuple(looked(seconds=100 + n, problem="cannot_see") for n in range(Policy().review_after))

    step = step_at(*IN_DOUBT, *blind, now=9999)

    assert isinstance(step, Record)
    assert [("cannot_look", "one")] == [
        (it.reason, it.attempt_id) for it in step.events if isinstance(it, f.ManualReviewRequested)
    ]


def test_nobody_is_asked_because_an_open_breaker_kept_looks_back() -> None:
    refused = tuple(looked(seconds=100 + n, problem="breaker_open") for n in range(Policy().review_after))

    assert isinstance(step_at(*IN_DOUBT, *refused, now=9999), Perform)


def test_doubt_is_settled_before_anything_is_booked() -> None:
    events = (*IN_DOUBT, attempted("two", number=2), created("two"))

    assert isinstance(step_at(*events, now=200), Perform)


SURPLUS_IN_REVIEW = (attempted(), created(), booked(), created(uid="uid-2", late=True), review(uid="uid-2"))


def test_a_surplus_that_a_person_must_cancel_does_not_keep_a_cancellation_from_its_end() -> None:
    step = step_at(*SURPLUS_IN_REVIEW, cancellation(), cancelled_there("uid-1"), now=200)

    assert Withdraw(events=(e.BookingCancelled(at=at(200), reason="requested"),)) == step


@pytest.mark.parametrize(
    "events",
    [
        (*BOOKED, cancellation(), review()),
        (*IN_DOUBT, review(uid=None), cancellation()),
        (*IN_DOUBT, cancellation(), created(late=True), review()),
        (*SURPLUS_IN_REVIEW, cancellation(), review()),
    ],
)
def test_a_cancellation_does_not_end_while_a_person_must_decide_about_the_booking_itself(
    events: tuple[e.BookingEvent, ...],
) -> None:
    assert Done() == step_at(*events, now=9999)


def test_a_late_answer_to_a_doubt_in_review_is_booked_and_settles_the_review() -> None:
    step = step_at(*IN_DOUBT, review(uid=None), created(late=True), now=200)

    assert isinstance(step, Persist)
    assert step.booked.settles_review


def test_a_late_refusal_of_a_doubt_in_review_ends_the_booking_and_settles_the_review() -> None:
    step = step_at(*IN_DOUBT, review(uid=None), refused(), now=200)

    assert Record((e.BookingFailed(at=at(200), reason="slot_taken", detail="no", settles_review=True),)) == step


def test_one_of_two_answers_settles_no_review() -> None:
    both = (*IN_DOUBT, attempted("two", number=2), unknown("two"), review(uid=None), review("two", None))
    step = step_at(*both, created(late=True), now=999)

    assert isinstance(step, Persist)
    assert not step.booked.settles_review


def test_what_is_undone_after_its_review_was_answered_ends_with_it() -> None:
    events = (*IN_DOUBT, review(uid=None), created(late=True), compensating(), cancelled_there())

    expected = e.BookingFailed(at=at(200), reason="slot_taken", detail="in the way", settles_review=True)
    assert Record((expected,)) == step_at(*events, now=200)


@pytest.mark.parametrize(
    ("events", "over"),
    [
        ((), False),
        (IN_DOUBT, False),
        (BOOKED, True),
        ((*BOOKED, cancellation()), False),
        ((*IN_DOUBT, review(uid=None)), True),
        ((*ABSENT, failed()), True),
    ],
)
def test_a_caller_has_the_outcome_when_it_is_over_or_in_review(
    events: tuple[e.BookingEvent, ...], *, over: bool
) -> None:
    assert over is is_over(given(*events))
