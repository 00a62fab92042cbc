"""
Which wishes for several services are taken, and how what is wrong is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import CustomerValidationError
from domain.offer import Offer
from domain.validating_legs import validate_composite
from domain.wish import BookComposite, CustomerWish, LegWish
from tests.fakes.given import SLOT, at
from tests.fakes.legs import HOUR, SERVICES, WISH, wish

NOW = at(0)
OFFERS: Sequence[Offer | None] = [Offer(service=service) for service in SERVICES]
CUT, SHAVE, COLOR = WISH.legs


def _wrong(asked: BookComposite, offers: Sequence[Offer | None] = OFFERS, *, now: datetime | None = NOW) -> list[str]:
    with pytest.raises(CustomerValidationError) as error:
        validate_composite(asked, offers, now=now)
    return [one.field for one in error.value.errors]


def test_a_leg_without_a_start_begins_when_the_one_before_it_ends() -> None:
    request = validate_composite(WISH, OFFERS, now=at(0))

    assert [SLOT, SLOT + HOUR, SLOT + timedelta(minutes=90)] == [leg.starts_at for leg in request.legs]
    assert ["cut", "shave", "color"] == [leg.service.service_id for leg in request.legs]


def test_it_begins_in_the_zone_of_the_wish() -> None:
    there = CUT.starts_at and CUT.starts_at.astimezone(ZoneInfo("America/New_York"))
    asked = wish(legs=(replace(CUT, starts_at=there), LegWish(service_id="shave")), time_zone="America/New_York")

    request = validate_composite(asked, OFFERS[:2], now=at(0))

    assert ("America/New_York", SLOT + timedelta(minutes=30)) == (request.legs[1].time_zone, request.legs[1].starts_at)


@pytest.mark.parametrize("count", [0, 1, 11])
def test_there_are_two_to_ten_legs(count: int) -> None:
    assert ["legs"] == _wrong(wish(legs=(CUT,) * count), [OFFERS[0]] * count)


def test_the_first_leg_has_a_start() -> None:
    assert ["legs[0].starts_at"] == _wrong(wish(legs=(COLOR, COLOR, COLOR)))


def test_an_unknown_service_is_named_with_everything_else_that_is_wrong() -> None:
    asked = wish(legs=(replace(CUT, starts_at=at(-1)), SHAVE, COLOR), customer=CustomerWish(name="Ada"))

    assert ["customer", "legs[0].starts_at", "legs[1].service_id"] == _wrong(asked, [OFFERS[0], None, OFFERS[2]])


def test_what_legs_share_is_named_once() -> None:
    assert ["source", "time_zone"] == sorted(set(_wrong(wish(source="", time_zone="Mars/Olympus"))))


def test_a_start_in_an_unknown_zone_is_no_further_trouble() -> None:
    assert ["time_zone"] == _wrong(wish(time_zone="Mars/Olympus"))


@pytest.mark.parametrize(("minutes", "wrong"), [(-30, False), (-29, True), (0, True), (29, True), (30, False)])
def test_nobody_serves_two_legs_at_once(minutes: int, wrong: bool) -> None:
    second = replace(SHAVE, starts_at=SLOT + timedelta(minutes=minutes), staff_id="ann")
    asked = wish(legs=(CUT, second))

    if wrong:
        assert ["legs[1].starts_at"] == _wrong(asked, OFFERS[:2])
    else:
        assert 2 == len(validate_composite(asked, OFFERS[:2], now=at(0)).legs)


def test_legs_lie_inside_each_others_time_where_somebody_else_serves() -> None:
    inside = wish(legs=(CUT, replace(SHAVE, starts_at=SLOT + timedelta(minutes=10))))

    assert 2 == len(validate_composite(inside, OFFERS[:2], now=at(0)).legs)


def test_a_member_of_staff_is_named_by_leg() -> None:
    assert ["legs[1].staff_id"] == _wrong(wish(legs=(CUT, replace(SHAVE, staff_id="\n"), COLOR)))


def test_the_end_of_time_is_out_of_range() -> None:
    last = datetime.max.replace(tzinfo=UTC)

    assert ["legs[1].starts_at"] == _wrong(wish(legs=(CUT, replace(SHAVE, starts_at=last), COLOR)), now=None)
