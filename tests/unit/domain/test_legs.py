"""
What the legs of a composite amount to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.booking import BookingStatus, Goal, initial_state, status_of_legs
from domain.composite import LegEvent
from domain.evolving import fold
from domain.findings import ManualReviewRequested
from domain.legs import of_leg, part_with
from tests.fakes.given import (
    SLOT,
    at,
    attempted,
    booked,
    cancellation,
    cancelled,
    cancelled_there,
    created,
    failed,
    unknown,
)
from tests.fakes.legs import BEGUN, COLOR, COMPOSITE_ID, HOUR, SHAVE, composite, leg

STARTS = {number: SLOT + (number - 1) * HOUR for number in (1, 2, 3)}
MADE = tuple(
    event
    for n, start in STARTS.items()
    for event in leg(n, attempted(f"a{n}"), created(f"a{n}", f"uid-{n}", starts_at=start))
)
STANDS = (
    *MADE,
    *(
        event
        for n, start in STARTS.items()
        for event in leg(n, replace(booked(f"uid-{n}"), starts_at=start, ends_at=start + HOUR / 2))
    ),
)


@pytest.mark.parametrize(
    ("legs", "status"),
    [
        (["pending", "pending"], "pending"),
        (["booked", "booked"], "booked"),
        (["failed", "failed"], "failed"),
        (["cancelled", "cancelled"], "cancelled"),
        (["cancelled", "booked"], "booked"),
        (["failed", "cancelled"], "cancelled"),
        (["failed", "pending"], "compensating"),
        (["pending", "cancelled"], "compensating"),
        (["compensating", "failed"], "compensating"),
        (["cancelling", "cancelled"], "cancelling"),
        (["cancelling", "compensating"], "compensating"),
        (["booked", "rescheduling"], "rescheduling"),
        (["booked", "needs_review"], "needs_review"),
        (["failed", "needs_review", "compensating"], "needs_review"),
    ],
)
def test_a_composite_stands_where_its_legs_stand(legs: Sequence[str], status: str) -> None:
    assert status == status_of_legs([BookingStatus(one) for one in legs]).value


def test_its_facts_are_the_first_legs_under_its_own_key() -> None:
    whole = composite()

    assert (COMPOSITE_ID, 0, [1, 2, 3]) == (whole.booking_id, whole.leg, [one.leg for one in whole.legs])
    assert (str(COMPOSITE_ID), SLOT, SLOT + 2 * HOUR) == (whole.facts.idempotency_key, whole.starts_at, whole.ends_at)
    assert [SHAVE.service_id, COLOR.service_id] == [one.facts.service.service_id for one in whole.legs[1:]]
    assert (len(BEGUN), BookingStatus.PENDING, Goal.BOOK) == (whole.version, whole.status, whole.goal)


def test_nothing_is_known_of_it_before_its_first_leg() -> None:
    whole = fold(initial_state(COMPOSITE_ID), BEGUN[:1])

    assert (None, None, 3, BookingStatus.PENDING) == (whole.initiated, whole.starts_at, len(whole.legs), whole.status)


def test_a_leg_that_is_told_of_first_says_nothing_of_the_whole() -> None:
    whole = fold(initial_state(COMPOSITE_ID), (BEGUN[0], BEGUN[2]))

    assert (None, SLOT + HOUR) == (whole.initiated, whole.starts_at)


def test_it_sums_its_legs_up() -> None:
    whole = composite(*leg(2, attempted("a2"), unknown("a2")), *MADE[:2])

    assert ["uid-1", None] == [line.uid for line in whole.ledger.lines]
    assert (2, 0, None, "retry") == (whole.calls, whole.repeats, whole.ended, whole.resilience_strategy)


def test_it_has_ended_with_its_last_leg() -> None:
    most = composite(*STANDS[:-1])
    whole = composite(*STANDS)

    assert (None, BookingStatus.BOOKED) == (most.ended, whole.ended)
    assert whole.appointment_live


def test_its_times_are_those_of_the_legs_that_stand() -> None:
    whole = composite(*STANDS, *leg(1, cancelled_there("uid-1", "a1"), cancelled()))

    assert (BookingStatus.BOOKED, SLOT + HOUR) == (whole.status, whole.starts_at)


def test_its_surplus_is_that_of_all_its_legs() -> None:
    whole = composite(*STANDS, *leg(2, cancellation()), *leg(3, cancellation()))

    assert (["uid-2", "uid-3"], Goal.CANCEL) == ([line.uid for line in whole.surplus], whole.goal)
    assert whole.cancellation is not None


def test_why_it_failed_or_waits_is_what_a_leg_says() -> None:
    review = ManualReviewRequested(at=at(9), reason="cannot_look", detail="", attempt_id="a1", uid=None)
    failing = composite(*leg(2, failed(reason="slot_taken")))
    waiting = composite(*leg(1, attempted("a1"), review))

    assert "slot_taken" == (None if failing.failure is None else failing.failure.reason)
    assert "cannot_look" == (None if waiting.review is None else waiting.review.reason)


def test_a_part_is_found_by_its_uid_else_by_its_attempt() -> None:
    whole = composite(*MADE)

    assert 2 == part_with(whole, uids=("nobody's", "uid-2")).leg
    assert 3 == part_with(whole, uids=(None,), attempt_id="a3").leg
    assert whole == part_with(whole, uids=("nobody's",), attempt_id="nobody's")
    assert whole.legs[0] == part_with(whole.legs[0], uids=("uid-2",))


def test_an_event_of_a_leg_has_its_time_and_its_name() -> None:
    (event,) = of_leg(2, (cancelled(),))

    assert (LegEvent(leg=2, event=cancelled()), cancelled().at) == (event, event.at)
    assert f"composite.leg.v1/{cancelled().TOPIC}" == event.TOPIC
