"""
What a booking's end says of us.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.reasons import SENTENCES
from domain.booking import Booking
from domain.booking_outcomes import SET_UP, WORK_FAILED, outcome_of
from domain.booking_result import CUSTOMERS_OWN
from domain.breaker_words import Outcome
from domain.events import BookingEvent
from tests.fakes.given import BOOKED, IN_DOUBT, attempted, cancellation, cancelled, failed, given, refused, review


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ((attempted(),), "ignored"),
        (IN_DOUBT, "ignored"),
        (BOOKED, "succeeded"),
        ((*BOOKED, cancellation(), cancelled()), "ignored"),
        ((attempted(), refused(), failed(reason="slot_taken")), "ignored"),
        ((attempted(), refused(), failed(reason="event_type_not_found")), "ignored"),
        ((attempted(), refused(), failed(reason="unauthorized")), "ignored"),
        ((attempted(), refused(), failed(reason="calcom_unavailable")), "failed"),
        ((attempted(), refused(), failed(reason="expired")), "failed"),
        ((attempted(), refused(), failed(reason="what nobody foresees")), "failed"),
        ((*IN_DOUBT, review(uid=None)), "failed"),
        ((*IN_DOUBT, replace(review(uid=None), reason="time_drift")), "ignored"),
    ],
)
def test_outcomes(events: tuple[BookingEvent, ...], outcome: Outcome) -> None:
    assert outcome == outcome_of(given(*events))


def test_a_composite_fails_with_any_of_its_legs() -> None:
    legs = (given(*BOOKED), given(attempted(), refused(), failed(reason="expired")))

    def composite(*parts: Booking) -> Booking:
        return replace(given(), legs=parts)

    assert "failed" == outcome_of(composite(*legs))
    assert "succeeded" == outcome_of(composite(legs[0], legs[0]))


def test_every_reason_is_one_that_people_are_told() -> None:
    assert SENTENCES.keys() >= CUSTOMERS_OWN | WORK_FAILED
    assert not SET_UP & (CUSTOMERS_OWN | WORK_FAILED)
    assert not CUSTOMERS_OWN & WORK_FAILED
