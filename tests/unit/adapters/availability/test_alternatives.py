"""
Other times: near, soon, and nothing at all rather than a wrong word or a late one.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from adapters.availability.alternatives import Alternatives
from domain.booking import Booking, initial_state
from domain.degradation import Feature
from domain.errors import AppointmentDatabaseError, CalcomBookingError
from domain.evolving import fold
from tests.fakes import given as g
from tests.unit.adapters.availability.office import ANYBODY, CUT, HALF_HOUR, MIDNIGHT, Office, on

TEN = MIDNIGHT + timedelta(hours=10)


def refused_booking(start: datetime = TEN, *, service: object = CUT, time_zone: str = "UTC") -> Booking:
    begun = g.initiated(
        service=service, staff_id="ann", starts_at=start, ends_at=start + CUT.duration, time_zone=time_zone
    )
    return fold(initial_state(g.BOOKING_ID), [begun])


def alternatives(office: Office, *, limit: float = 5.0) -> Alternatives:
    return Alternatives(availability=office.process(), offers=office, clock=office.clock, limit=limit)


async def test_the_nearest_free_starts_come_first() -> None:
    office = Office()
    office.books(1, CUT, TEN)
    office.books(2, CUT, TEN + HALF_HOUR)

    assert (TEN - HALF_HOUR, TEN - 2 * HALF_HOUR, TEN + 2 * HALF_HOUR) == await alternatives(office).near(
        TEN, refused_booking()
    )


async def test_the_time_that_was_refused_is_no_alternative_whatever_cal_com_offers() -> None:
    others = await alternatives(Office()).near(TEN, refused_booking())

    assert others is not None
    assert TEN not in others


async def test_they_are_told_in_the_bookings_time_zone() -> None:
    others = await alternatives(Office()).near(TEN, refused_booking(time_zone="Europe/Berlin"))

    assert others is not None
    assert ["+01:00"] * 3 == [it.isoformat()[-6:] for it in others]


async def test_they_are_of_the_same_day_and_the_next_two() -> None:
    office = Office()
    for hour in range(48 + 22):
        office.books(hour + 1, CUT, MIDNIGHT + timedelta(hours=hour))
        office.books(hour + 101, CUT, MIDNIGHT + timedelta(hours=hour, minutes=30))

    last = MIDNIGHT + timedelta(hours=70)
    assert (last, last + HALF_HOUR, last + 2 * HALF_HOUR) == await alternatives(office).near(TEN, refused_booking())


async def test_that_nothing_is_free_is_an_empty_answer() -> None:
    office = Office()
    for hour in range(72):
        office.books(hour + 1, CUT, MIDNIGHT + timedelta(hours=hour))
        office.books(hour + 101, CUT, MIDNIGHT + timedelta(hours=hour, minutes=30))

    assert () == await alternatives(office).near(TEN, refused_booking())


async def test_for_days_that_are_over_there_are_none() -> None:
    office = Office()
    office.clock.advance(5 * 24 * 3600)

    assert () == await alternatives(office).near(TEN, refused_booking())
    assert [] == office.calcom.calls


async def test_they_come_from_the_cache_if_it_has_them() -> None:
    office = Office()
    process = office.process()
    await on(process, MIDNIGHT.date(), days=3)
    await Alternatives(availability=process, offers=office, clock=office.clock).near(TEN, refused_booking())

    assert 1 == len(office.calcom.calls)


@pytest.mark.parametrize(
    "error",
    [
        CalcomBookingError("away", status=None, transient=True),
        CalcomBookingError("gone", status=404),
        AppointmentDatabaseError("away", kind="timeout"),
        ZeroDivisionError(),
    ],
    ids=lambda it: type(it).__name__,
)
async def test_whatever_goes_wrong_nothing_is_said(error: Exception) -> None:
    office = Office()
    office.calcom.error = error

    assert await alternatives(office).near(TEN, refused_booking()) is None


async def test_a_service_that_is_gone_has_no_other_times() -> None:
    office = Office()
    office.offers.clear()

    assert await alternatives(office).near(TEN, refused_booking(service=ANYBODY)) is None


async def test_an_old_answer_is_not_good_enough() -> None:
    office = Office()
    process = office.process()
    await on(process, MIDNIGHT.date(), days=3)
    office.clock.advance(601)
    office.calcom.error = CalcomBookingError("away", status=None, transient=True)

    others = Alternatives(availability=process, offers=office, clock=office.clock)
    assert await others.near(TEN, refused_booking()) is None


async def test_whoever_waits_for_cal_com_waits_no_longer_than_the_limit_and_the_next_one_profits() -> None:
    office = Office()
    go, ask = asyncio.Event(), office.calcom.slots

    async def slow(**asked: object) -> object:
        await go.wait()
        return await ask(**asked)  # type: ignore[arg-type]

    office.calcom.slots = slow  # type: ignore[method-assign,assignment]
    others = alternatives(office, limit=0.02)
    assert await others.near(TEN, refused_booking()) is None

    go.set()
    await asyncio.sleep(0.01)
    assert await others.near(TEN, refused_booking()) is not None
    assert 1 == len(office.calcom.calls)


async def test_a_zone_that_nobody_knows_is_utc() -> None:
    others = await alternatives(Office()).near(TEN, refused_booking(time_zone="Nowhere/At/All"))

    assert others is not None


async def test_without_recommendations_nobody_is_asked() -> None:
    office = Office()
    silent = Alternatives(
        availability=office.process(),
        offers=office,
        clock=office.clock,
        offers_feature=lambda feature: feature is not Feature.RECOMMENDATIONS,
    )

    assert await silent.near(TEN, refused_booking()) is None
    assert [] == office.calcom.calls
