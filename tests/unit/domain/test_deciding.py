"""
Given a booking, when it is asked for, repeated or cancelled: these events, or a named refusal.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import events as e
from domain.commands import RequestBooking, RequestCancellation
from domain.deciding import Repeat, cancel, initiate, judge_repeat
from domain.errors import KeyReused
from domain.idempotency import fingerprint, key_for
from domain.person import Remark
from tests.fakes.given import (
    ABSENT,
    BOOKED,
    IN_DOUBT,
    KEY,
    POLICY,
    REQUEST,
    SERVICE,
    SLOT,
    at,
    attempted,
    booked,
    cancellation,
    cancelled,
    cancelled_there,
    compensating,
    created,
    failed,
    given,
    request,
    review,
)


def test_what_was_asked_for_is_in_the_event() -> None:
    event = initiate(REQUEST, key=KEY, now=at(0), policy=POLICY)

    assert (KEY.text, False, 0, fingerprint(REQUEST), SLOT, SLOT + SERVICE.duration, "ann", "1") == (
        event.idempotency_key,
        event.key_given,
        event.generation,
        event.fingerprint,
        event.starts_at,
        event.ends_at,
        event.staff_id,
        event.policy_version,
    )


def test_the_caller_chooses_the_member_of_staff_before_the_service_does() -> None:
    assert "bob" == initiate(request(staff_id="bob"), key=KEY, now=at(0), policy=POLICY).staff_id


@pytest.mark.parametrize(
    ("hours_ahead", "notice", "valid_hours"), [(48, 0, 24), (24, 0, 24), (5, 0, 5), (5, 60, 4), (48, 25 * 60, 23)]
)
def test_a_booking_is_valid_until_its_notice_begins_or_a_day_is_over(
    hours_ahead: int, notice: int, valid_hours: int
) -> None:
    asked = request(starts_at=at(0) + timedelta(hours=hours_ahead), service=replace(SERVICE, notice_minutes=notice))

    event = initiate(asked, key=key_for(asked), now=at(0), policy=POLICY)

    assert at(valid_hours * 3600) == event.valid_until


@pytest.mark.parametrize("events", [(), IN_DOUBT, BOOKED, (*BOOKED, cancellation()), (*BOOKED, review())])
def test_the_same_wish_again_is_the_same_booking(events: tuple[e.BookingEvent, ...]) -> None:
    assert Repeat.SAME is judge_repeat(given(*events), REQUEST)


@pytest.mark.parametrize(
    "events",
    [
        (*ABSENT, failed()),
        (*BOOKED, cancellation(), cancelled_there(), cancelled()),
        (attempted(), created(starts_at=SLOT + timedelta(hours=1)), replace(booked(), starts_at=SLOT + timedelta(1))),
    ],
)
def test_a_derived_key_whose_booking_is_spent_or_moved_away_goes_on(events: tuple[e.BookingEvent, ...]) -> None:
    assert Repeat.NEXT_GENERATION is judge_repeat(given(*events), REQUEST)


@pytest.mark.parametrize(
    "events",
    [(*ABSENT, failed()), (*BOOKED, cancellation(), cancelled_there(), cancelled())],
)
def test_a_given_key_whose_booking_is_spent_stays_with_it(events: tuple[e.BookingEvent, ...]) -> None:
    booking = given(*events, initiated_with={"key_given": True})

    assert Repeat.SAME is judge_repeat(booking, REQUEST)


def test_a_given_key_with_another_payload_is_refused() -> None:
    booking = given(*BOOKED, initiated_with={"key_given": True})

    with pytest.raises(KeyReused) as caught:
        judge_repeat(booking, request(source="web"))

    assert booking.booking_id == caught.value.booking_id


@pytest.mark.parametrize(
    "other",
    [request(staff_id="bob"), request(service=replace(SERVICE, duration_minutes=45))],
)
def test_other_staff_or_length_under_a_derived_key_is_a_near_duplicate(other: RequestBooking) -> None:
    assert Repeat.NEAR_DUPLICATE is judge_repeat(given(*BOOKED), other)


@pytest.mark.parametrize("other", [request(staff_id="ann"), request(call_id="call-2"), request(confidence=0.1)])
def test_any_other_difference_under_a_derived_key_is_a_replay(other: RequestBooking) -> None:
    assert Repeat.SAME is judge_repeat(given(*BOOKED), other)


@pytest.mark.parametrize(
    "events", [(), (attempted(),), IN_DOUBT, BOOKED, (attempted(), created(), compensating()), (*BOOKED, review())]
)
def test_a_cancellation_is_taken_in_any_state(events: tuple[e.BookingEvent, ...]) -> None:
    command = RequestCancellation(reason="no need", command_id="k")

    requested = cancel(given(*events), command, now=at(9))

    assert (e.CancellationRequested(at=at(9), person=Remark(reason="no need"), command_id="k"),) == requested


CANCELLED_WITH_A_KEY = (*BOOKED, cancellation(command_id="k"))


@pytest.mark.parametrize("over", [(), (cancelled_there(), cancelled())])
def test_a_key_that_comes_back_with_another_reason_is_refused(over: tuple[e.BookingEvent, ...]) -> None:
    with pytest.raises(KeyReused):
        cancel(given(*CANCELLED_WITH_A_KEY, *over), RequestCancellation(reason="ill", command_id="k"), now=at(9))


@pytest.mark.parametrize(("reason", "command_id"), [("no need", "k"), ("ill", "other"), ("ill", None)])
def test_the_same_key_and_reason_or_another_key_or_none_is_a_repeat(reason: str, command_id: str | None) -> None:
    command = RequestCancellation(reason=reason, command_id=command_id)

    assert () == cancel(given(*CANCELLED_WITH_A_KEY), command, now=at(9))


@pytest.mark.parametrize(
    "events",
    [(*BOOKED, cancellation()), (*ABSENT, failed()), (*BOOKED, cancellation(), cancelled_there(), cancelled())],
)
def test_a_cancellation_of_what_is_over_or_being_cancelled_is_answered_with_nothing(
    events: tuple[e.BookingEvent, ...],
) -> None:
    assert () == cancel(given(*events), RequestCancellation(reason="again"), now=at(9))
