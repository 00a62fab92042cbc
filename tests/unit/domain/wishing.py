"""
What is wrong with a wish, by field.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from domain.errors import CustomerValidationError
from domain.validation import validate
from domain.wish import BookAppointment
from tests.fakes.given import OFFER
from tests.fakes.time import START

BERLIN = ZoneInfo("Europe/Berlin")


def wrong(asked: BookAppointment) -> dict[str, str]:
    with pytest.raises(CustomerValidationError) as caught:
        validate(asked, OFFER, now=START)
    return {error.field: error.message for error in caught.value.errors}
