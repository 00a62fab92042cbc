from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from adapters.reasons import SENTENCES
from domain.booking_result import CUSTOMERS_OWN, result_of
from domain.composite import LegEvent
from domain.events import AppointmentBooked, BookingCancelled, BookingFailed

NOW = datetime(2027, 3, 1, tzinfo=UTC)
CANCELLED = BookingCancelled(at=NOW, reason="requested")


def failed(reason: str) -> BookingFailed:
    return BookingFailed(at=NOW, reason=reason, detail="")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), None),
        ((CANCELLED,), None),
        ((CANCELLED, failed("expired")), "failed"),
        ((failed("slot_taken"),), "ignored"),
        ((LegEvent(leg=2, event=failed("unknown_service")),), "failed"),
        ((LegEvent(leg=1, event=CANCELLED), LegEvent(leg=2, event=failed("near_duplicate"))), "ignored"),
    ],
)
def test_a_booking_ends_well_badly_or_for_the_customers_own_reason(
    events: tuple[object, ...], expected: str | None
) -> None:
    assert expected == result_of(events)


def test_every_reason_that_is_the_customers_own_is_one_that_people_are_told() -> None:
    assert CUSTOMERS_OWN <= {*SENTENCES}
    assert {"expired", "calcom_unavailable", "compensation_failed"}.isdisjoint(CUSTOMERS_OWN)


def test_an_appointment_that_is_booked_is_a_success() -> None:
    booked = AppointmentBooked(
        at=NOW, appointment_id=UUID(int=1), calcom_uid="uid-1", starts_at=NOW, ends_at=NOW + timedelta(hours=1)
    )

    assert "succeeded" == result_of((LegEvent(leg=1, event=booked), LegEvent(leg=2, event=booked)))
