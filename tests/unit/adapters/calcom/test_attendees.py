"""
Whom a booking at Cal.com is for: an address that Cal.com has made up is nobody's.
"""

from __future__ import annotations

from typing import Any

import pytest

from adapters.calcom.attendees import attendee_of
from adapters.calcom.models import SightingAnswer
from sagas.outcomes import Attendee
from tests.unit.adapters.calcom.building import a_row


def _seen(**attendee: Any) -> Attendee | None:  # noqa: ANN401 - whatever Cal.com writes there
    return attendee_of(SightingAnswer.model_validate(a_row(attendees=[{"name": "Ada", **attendee}])))


@pytest.mark.parametrize(
    ("email", "phone", "expected"),
    [
        ("ada@example.com", "+4917907280", ("ada@example.com", "+4917907280")),
        ("4917907280@sms.cal.com", "+4917907280", (None, "+4917907280")),
        ("4917907280@SMS.cal.com ", "+4917907280", (None, "+4917907280")),
        ("4917907280@sms.cal.com", None, (None, "+4917907280")),
        ("x;isub=1@sms.cal.com", None, (None, None)),
        ("ada@sms.cal.com.example", None, ("ada@sms.cal.com.example", None)),
        (None, "+4917907280", (None, "+4917907280")),
    ],
)
def test_an_address_that_cal_com_made_of_a_phone_number_is_none(
    email: str | None, phone: str | None, expected: tuple[str | None, str | None]
) -> None:
    seen = _seen(email=email, phoneNumber=phone)

    assert seen is not None
    assert expected == (seen.email, seen.phone)


def test_a_booking_may_be_for_nobody() -> None:
    assert None is attendee_of(SightingAnswer.model_validate(a_row(attendees=[])))
