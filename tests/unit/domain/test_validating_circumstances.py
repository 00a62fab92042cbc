from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.confidence import VoiceRule
from domain.errors import CustomerValidationError
from domain.offer import Offer
from domain.opening_hours import parse_opening_hours
from domain.validation import validate
from tests.fakes.given import OFFER, SERVICE, wish
from tests.fakes.time import START
from tests.unit.domain.wishing import BERLIN, wrong

HOURS = parse_opening_hours({"tue": [["09:00", "12:00"]]})
TUESDAY = datetime(2027, 3, 2, 10, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("starts_at", "wish_zone", "service_zone", "taken"),
    [
        (TUESDAY, "Europe/Berlin", None, True),
        (TUESDAY, "Europe/Berlin", "Europe/Berlin", True),
        (TUESDAY, "Europe/Berlin", "America/New_York", False),
        (TUESDAY.astimezone(UTC), "UTC", None, True),
        (TUESDAY.astimezone(UTC) - timedelta(hours=1), "UTC", None, False),
        (TUESDAY.astimezone(UTC) - timedelta(hours=1), "UTC", "Europe/Berlin", True),
        (TUESDAY + timedelta(hours=2), "Europe/Berlin", None, False),
        (TUESDAY + timedelta(hours=1, minutes=30), "Europe/Berlin", None, True),
        (TUESDAY + timedelta(hours=1, minutes=31), "Europe/Berlin", None, False),
        (TUESDAY + timedelta(days=1), "Europe/Berlin", None, False),
    ],
)
def test_hours_are_read_in_the_zone_of_the_service_else_in_that_of_the_wish(
    starts_at: datetime, wish_zone: str, service_zone: str | None, taken: bool
) -> None:
    offer = Offer(service=replace(SERVICE, time_zone=service_zone), opening_hours=HOURS)
    asked = wish(starts_at=starts_at, time_zone=wish_zone)

    if taken:
        assert starts_at == validate(asked, offer, now=START).starts_at
    else:
        with pytest.raises(CustomerValidationError) as caught:
            validate(asked, offer, now=START)
        assert ["starts_at"] == [error.field for error in caught.value.errors]


def test_the_hours_of_the_day_are_told() -> None:
    asked = wish(starts_at=TUESDAY + timedelta(hours=3), time_zone="Europe/Berlin")

    with pytest.raises(CustomerValidationError) as caught:
        validate(asked, Offer(service=SERVICE, opening_hours=HOURS), now=START)

    expected = "is outside the opening hours; those of Tuesday: 09:00 to 12:00 (Europe/Berlin)"
    assert expected == caught.value.get_field_error("starts_at")


def test_an_unknown_zone_is_named_and_no_hours() -> None:
    with pytest.raises(CustomerValidationError) as caught:
        validate(wish(time_zone="Mars"), Offer(service=SERVICE, opening_hours=HOURS), now=START)

    assert ["time_zone"] == [error.field for error in caught.value.errors]


@pytest.mark.parametrize(
    ("source", "confidence", "taken"),
    [
        ("phone", 0.59, False),
        ("voice", 0, False),
        ("voice", 0.6, True),
        ("voice", None, True),
        ("web", 0.1, True),
        ("voicemail", 0.1, True),
    ],
)
def test_a_voice_that_was_hardly_understood_must_be_confirmed(
    source: str, confidence: float | None, taken: bool
) -> None:
    asked = wish(source=source, confidence=confidence)

    if taken:
        assert confidence == validate(asked, OFFER, now=START).confidence
    else:
        assert "ask the customer to confirm" in wrong(asked)["confidence"]


def test_which_sources_speak_and_how_clearly_can_be_set() -> None:
    rule = VoiceRule(sources=frozenset({"kiosk"}), lowest=0.9)

    assert 0.1 == validate(wish(confidence=0.1), OFFER, now=START, voice=rule).confidence
    with pytest.raises(CustomerValidationError, match=r"below 0\.9"):
        validate(wish(source="kiosk", confidence=0.8), OFFER, now=START, voice=rule)


def test_a_repeat_is_checked_for_its_form_alone() -> None:
    offer = Offer(service=SERVICE, opening_hours=HOURS)
    asked = wish(starts_at=START, confidence=0.1)

    assert (START, 0.1) == (validate(asked, offer, now=None).starts_at, validate(asked, offer, now=None).confidence)
    with pytest.raises(CustomerValidationError, match="must be a number"):
        validate(wish(confidence=2), offer, now=None)
