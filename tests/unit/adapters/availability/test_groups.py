"""
A group's free slots are what anybody of it has free, and whether Cal.com offers a start is said soon or not at all.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from adapters.availability.alternatives import Alternatives
from adapters.availability.free_slots import Availability, FreeSlots, joined
from adapters.availability.offering import CalComOffering
from domain.booking import Booking, initial_state
from domain.errors import AppointmentDatabaseError, CalcomBookingError, CustomerValidationError
from domain.evolving import fold
from domain.offer import Offer
from domain.period import Period
from domain.service import Service
from tests.fakes import given as g
from tests.unit.adapters.availability.office import CUT, HALF_HOUR, MIDNIGHT, UTC_ZONE, Office, on

DAY = MIDNIGHT.date()
TEN = MIDNIGHT + timedelta(hours=10)
BERLIN = ZoneInfo("Europe/Berlin")
ANN = replace(CUT, staff_group="barbers")
CAL = replace(ANN, service_id="cut-cal", staff_id="cal", calcom_event_type_id=7)
AWAY = CalcomBookingError("away", status=None, transient=True)


def barbers() -> Office:
    office = Office()
    office.offers |= {one.service_id: Offer(service=one) for one in (ANN, CAL)}
    return office


async def of_group(process: Availability, *, group: str = "barbers", staff_id: str | None = None) -> FreeSlots:
    return await process.find(
        company_id="acme",
        service_id="cut",
        since=DAY,
        until=DAY,
        time_zone="UTC",
        staff_group=group,
        staff_id=staff_id,
    )


async def test_a_start_is_free_if_anybody_has_it_free() -> None:
    office = barbers()
    office.books(1, ANN, TEN)
    office.books(2, CAL, TEN + HALF_HOUR)
    office.books(3, ANN, TEN + 2 * HALF_HOUR)
    office.books(4, CAL, TEN + 2 * HALF_HOUR)
    free = await of_group(office.process())

    assert [True, True, False] == [TEN + number * HALF_HOUR in free.starts for number in range(3)]
    assert sorted(set(free.starts)) == list(free.starts)


async def test_one_of_a_group_has_what_they_have() -> None:
    office = barbers()
    office.books(1, CAL, TEN)
    process = office.process()

    assert TEN not in (await of_group(process, staff_id="cal")).starts
    assert TEN in (await of_group(process, staff_id="ann")).starts


async def test_the_time_of_whoever_is_named_counts_without_a_group_too() -> None:
    office = barbers()
    # What another event type of cal's has taken, and Cal.com does not know for this one.
    office.taken.periods[g.BOOKING_ID] = ("cal", _half_hour_from(TEN))
    process = office.process()
    free = await process.find(
        company_id="acme", service_id="cut", since=DAY, until=DAY, time_zone="UTC", staff_id="cal"
    )

    assert TEN not in free.starts
    assert TEN in (await on(process, DAY)).starts


def _half_hour_from(start: datetime) -> Period:
    return Period(starts_at=start, ends_at=start + HALF_HOUR)


async def test_a_group_that_does_not_fit_is_refused() -> None:
    with pytest.raises(CustomerValidationError) as refused:
        await of_group(barbers().process(), group="cooks")

    assert refused.value.has_field_error("staff_group")


async def test_whose_slots_cannot_be_known_is_left_out_unless_that_is_everybody() -> None:
    office = barbers()
    process = office.process()
    await of_group(process, staff_id="ann")
    office.calcom.error = AWAY
    office.shelf.entries.clear()
    some = await of_group(process)
    nobody = office.process(shared=False)

    assert ("cache", 48) == (some.source, len(some.starts))
    with pytest.raises(CalcomBookingError):
        await of_group(nobody)


async def test_a_database_that_is_away_is_no_empty_answer() -> None:
    office = barbers()
    process = office.process()

    async def away(*_asked: object, **_more: object) -> None:
        raise AppointmentDatabaseError("away", kind="connection_lost")

    office.taken.by_staff = away  # type: ignore[method-assign, assignment]
    with pytest.raises(AppointmentDatabaseError):
        await of_group(process)


def test_of_several_the_least_certain_and_the_oldest_is_told_and_no_hour_is_lost() -> None:
    # The night when the clocks are put back shows half past two twice.
    twice = [datetime(2027, 10, 31, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1)]
    fresh = FreeSlots(starts=(twice[1],), source="calcom", age_seconds=1)
    old = FreeSlots(starts=(twice[0], twice[1]), source="stale", age_seconds=9)
    cached = FreeSlots(starts=(), source="cache", age_seconds=5)

    both = joined((old, fresh, cached), zone=BERLIN)
    assert (["+02:00", "+01:00"], "stale", 9) == (
        [it.isoformat()[-6:] for it in both.starts],
        both.source,
        both.age_seconds,
    )
    assert "cache" == joined((fresh, cached), zone=UTC_ZONE).source


def refused_booking(service: Service, *, group: str | None = "barbers") -> Booking:
    begun = g.initiated(service=service, staff_id=service.staff_id, starts_at=TEN, time_zone="UTC", staff_group=group)
    return fold(initial_state(g.BOOKING_ID), [begun, g.failed()])


def alternatives(office: Office) -> Alternatives:
    return Alternatives(availability=office.process(), offers=office, clock=office.clock, limit=5.0)


async def test_alternatives_are_those_of_everybody() -> None:
    office = barbers()
    for number in range(-4, 5):
        office.books(number + 100, ANN, TEN + number * HALF_HOUR)
    office.books(1, CAL, TEN)

    assert (TEN - HALF_HOUR, TEN + HALF_HOUR, TEN - 2 * HALF_HOUR) == await alternatives(office).near(
        TEN, refused_booking(ANN)
    )
    alone = await alternatives(office).near(TEN, refused_booking(ANN, group=None))
    assert alone is not None
    assert TEN - HALF_HOUR not in alone


async def test_the_time_itself_is_an_alternative_if_somebody_else_has_it_free() -> None:
    others = await alternatives(barbers()).near(TEN, refused_booking(ANN))

    assert (TEN, TEN - HALF_HOUR, TEN + HALF_HOUR) == others


async def test_one_that_is_booked_stays_with_whom_it_is_booked() -> None:
    office = barbers()
    booking = fold(
        initial_state(g.BOOKING_ID),
        [g.initiated(service=ANN, staff_id="ann", time_zone="UTC", staff_group="barbers"), *g.BOOKED],
    )
    await alternatives(office).near(TEN, booking)

    assert {ANN.calcom_event_type_id} == {event_type for event_type, _, _ in office.calcom.calls}


async def test_a_group_that_is_no_more_has_no_alternatives() -> None:
    office = barbers()
    office.offers["cut"] = Offer(service=CUT)

    assert await alternatives(office).near(TEN, refused_booking(ANN)) is None


async def test_cal_com_is_asked_once_for_a_day_and_no_further_than_to_the_first_it_offers() -> None:
    office = barbers()
    office.calcom.taken[g.BOOKING_ID] = ("ann", _half_hour_from(TEN))
    offering = CalComOffering(office.process())

    assert [1, 0, 2] == [
        await offering.not_offered((ANN, CAL), start, as_of=None)
        for start in (TEN, TEN + HALF_HOUR, TEN + timedelta(minutes=10))
    ]
    assert [ANN.calcom_event_type_id, CAL.calcom_event_type_id] == [number for number, _, _ in office.calcom.calls]


async def test_what_is_only_known_from_long_ago_is_not_known() -> None:
    office = barbers()
    office.calcom.taken[g.BOOKING_ID] = ("ann", _half_hour_from(TEN))
    offering = CalComOffering(office.process())
    assert 1 == await offering.not_offered((ANN, CAL), TEN, as_of=None)
    office.clock.advance(30 * 60)
    office.calcom.error = AWAY

    assert 0 == await offering.not_offered((ANN, CAL), TEN, as_of=None)


@pytest.mark.parametrize(
    "error", [AWAY, CalcomBookingError("gone", status=404), ZeroDivisionError()], ids=["away", "gone", "defect"]
)
async def test_whatever_goes_wrong_it_is_not_known(error: Exception) -> None:
    office = barbers()
    office.calcom.error = error

    assert 0 == await CalComOffering(office.process()).not_offered((ANN, CAL), TEN, as_of=None)


class Hesitant:
    """
    Does not offer ann, and never says whether it offers anybody else.
    """

    async def offers(self, service: Service, _starts_at: datetime, *, as_of: int | None) -> bool:
        if service != ANN:
            await asyncio.Event().wait()
        return False


async def test_an_answer_that_takes_too_long_is_not_waited_for() -> None:
    offering = CalComOffering(cast("Availability", Hesitant()), limit=0.05)

    assert 1 == await offering.not_offered((ANN, CAL), TEN, as_of=None)
