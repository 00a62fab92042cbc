from __future__ import annotations

from dataclasses import replace

import pytest

from domain import events as e
from domain import findings as f
from sagas.next_step import next_step
from sagas.steps import (
    Done,
    LookAtCalcom,
    Perform,
    Persist,
    Record,
    Wait,
    Withdraw,
)
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    IN_DOUBT,
    POLICY,
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
    given,
    looked,
    refused,
    unknown,
)
from tests.unit.sagas.stepping import a_cancel, step_at


def test_surplus_does_not_keep_the_appointment_waiting() -> None:
    events = (*ABSENT, attempted("two", number=2), created("two"), created("one", "uid-2", late=True))

    assert isinstance(step_at(*events, now=200), Persist)
    assert a_cancel("uid-2") == step_at(*events, booked(), now=200)


def test_surplus_is_undone_while_a_doubt_has_to_wait() -> None:
    events = (
        *IN_DOUBT,
        created(),
        created(uid="uid-2"),
        attempted("two", number=2, seconds=200),
        unknown("two", seconds=200),
    )

    assert a_cancel("uid-2") == step_at(*events, now=200.5)


@pytest.mark.parametrize(
    ("events", "purpose"),
    [
        ((attempted(), created(), compensating()), "compensation"),
        ((attempted(), created(), cancellation()), "cancellation"),
        ((*BOOKED, cancellation()), "cancellation"),
        ((attempted(), cancellation(), created(late=True)), "surplus"),
        ((*ABSENT, failed(), created(late=True)), "surplus"),
        ((*IN_DOUBT, cancellation(), absent(), cancelled(), created(late=True)), "surplus"),
    ],
)
def test_a_cancel_says_what_it_is_for(events: tuple[e.BookingEvent, ...], purpose: e.CancelPurpose) -> None:
    assert a_cancel(purpose=purpose) == step_at(*events, now=200)


def test_a_cancel_is_numbered() -> None:
    events = (*BOOKED, cancellation(), cancel_attempted(), cancel_failed())

    assert a_cancel(purpose="cancellation", number=2) == step_at(*events, now=200)


def test_a_failed_cancel_waits_for_its_time() -> None:
    assert Wait(at(8)) == step_at(*BOOKED, cancellation(), cancel_attempted(), cancel_failed(), now=7.9)


def test_a_hundred_failed_cancels_are_enough() -> None:
    step = step_at(*BOOKED, cancellation(), *(cancel_failed() for _ in range(100)), now=200)

    assert isinstance(step, Record)
    assert ["compensation_failed"] == [one.reason for one in step.events if isinstance(one, f.ManualReviewRequested)]


def test_ninety_nine_failed_cancels_are_not() -> None:
    step = step_at(*BOOKED, cancellation(), *(cancel_failed() for _ in range(99)), now=200)

    assert isinstance(step, Perform)


def test_doubt_is_settled_before_a_cancellation_ends() -> None:
    assert isinstance(step_at(*IN_DOUBT, cancellation(), now=200), Perform)


def test_a_cancelled_booking_without_an_appointment_just_ends() -> None:
    assert Record((cancelled(seconds=200),)) == step_at(*ABSENT, cancellation(), now=200)


def test_a_cancelled_booking_with_an_appointment_frees_its_slot_with_the_end() -> None:
    step = step_at(*BOOKED, cancellation(), cancelled_there(), now=200)

    assert Withdraw(events=(cancelled(seconds=200),)) == step


def test_the_appointment_holds_its_slot_until_cal_com_has_confirmed() -> None:
    step = step_at(*BOOKED, cancellation(), cancel_attempted(), cancel_failed(), now=200)

    assert isinstance(step, Perform)


def test_what_is_undone_fails_for_the_reason_it_was_undone_for() -> None:
    step = step_at(attempted(), created(), compensating(), cancelled_there(), now=200)

    assert Record((e.BookingFailed(at=at(200), reason="slot_taken", detail="in the way"),)) == step


def test_what_is_undone_fails_even_if_its_reason_is_unknown() -> None:
    booking = replace(given(attempted(), created(), compensating(), cancelled_there()), undoing=None)

    step = next_step(booking, at(200), POLICY)

    assert Record((e.BookingFailed(at=at(200), reason="compensated", detail=""),)) == step


def test_a_cancellation_ends_without_what_the_caller_said() -> None:
    assert Record((e.BookingCancelled(at=at(200), reason="requested"),)) == step_at(*ABSENT, cancellation(), now=200)


def test_a_cancellation_of_what_is_being_undone_ends_as_a_failure() -> None:
    step = step_at(attempted(), created(), compensating(), cancellation(), cancelled_there(), now=200)

    assert isinstance(step, Record)
    assert isinstance(step.events[0], e.BookingFailed)


@pytest.mark.parametrize(
    "events", [BOOKED, (attempted(), refused(), failed()), (*ABSENT, absent(final=True), failed())]
)
def test_what_is_over_and_owes_nothing_is_done(events: tuple[e.BookingEvent, ...]) -> None:
    assert Done() == step_at(*events, now=9999)


@pytest.mark.parametrize(
    "end",
    [
        (failed(seconds=130),),
        (cancellation(), cancelled(seconds=130)),
        (attempted("two", number=2, seconds=121), created("two", seconds=122), booked(seconds=122)),
    ],
)
def test_what_was_thought_absent_is_looked_for_once_more_at_the_horizon(end: tuple[e.BookingEvent, ...]) -> None:
    look = Perform(LookAtCalcom(attempt_ids=("one",), since=at(-300)))

    assert (Wait(at(900)), look) == (step_at(*ABSENT, *end, now=899), step_at(*ABSENT, *end, now=900))


def test_a_clean_look_at_the_horizon_is_final() -> None:
    step = step_at(*ABSENT, failed(), looked(seconds=900), now=901)

    assert Record((absent(seconds=901, final=True),)) == step


def test_a_look_at_the_horizon_that_erred_is_repeated() -> None:
    events = (*ABSENT, failed(), looked(seconds=900, problem="http_502"))

    assert (Wait(at(960)), True) == (step_at(*events, now=959), isinstance(step_at(*events, now=960), Perform))


def test_the_last_attempt_sets_the_horizon_for_all() -> None:
    events = (*ABSENT, attempted("two", number=2, seconds=121), unknown("two"), absent("two"), failed())

    assert Wait(at(1021)) == step_at(*events, now=950)
