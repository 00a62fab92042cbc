"""
Anybody of a group: who is chosen, and what is said where nobody can be.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError, CustomerValidationError
from domain.idempotency import key_for
from domain.opening_hours import WEEKDAYS, parse_opening_hours
from tests.fakes.given import REQUEST, SLOT, request
from tests.fakes.office import Office
from tests.unit.sagas.barbers import ANN, BEN, CAL, at_once, barbers, ended, in_turn, of, staff_of

CLOSED = parse_opening_hours({WEEKDAYS[SLOT.weekday() - 1]: [["09:00", "10:00"]]})
"""On the day that everybody wishes for."""


def test_wishes_in_turn_are_spread_over_everybody() -> None:
    office = barbers()
    results = in_turn(office, *(of(number, hours=number // 2) for number in range(12)))

    assert {BookingStatus.BOOKED} == {one.booking.status for one in results}
    assert {"ann": 4, "ben": 4, "cal": 4} == Counter(staff_of(results))


def test_wishes_at_once_are_spread_over_everybody_too() -> None:
    office = barbers()
    results = at_once(office, *(of(number, hours=number) for number in range(9)))

    assert {"ann": 3, "ben": 3, "cal": 3} == Counter(staff_of(results))


def test_what_is_booked_is_the_service_of_whoever_was_chosen() -> None:
    office = barbers()
    in_turn(office, of(1))
    (second,) = in_turn(office, of(2))

    assert (BEN, "ben", "barbers") == (
        second.booking.facts.service,
        second.booking.facts.staff_id,
        second.booking.facts.staff_group,
    )
    (claimed,) = [one.inserted for one in office.log.appointments.values() if one.inserted.staff_id == "ben"]
    assert ("cut-ben", 2) == (claimed.service_id, second.booking.facts.service.calcom_event_type_id)


def test_whoever_is_busy_is_passed_over() -> None:
    office = barbers()
    in_turn(office, of(1, group=None), of(2, hours=1), of(3, hours=2))
    (result,) = in_turn(office, of(4))

    # ann is booked at that time, ben and cal have one each.
    assert ["ben"] == staff_of([result])


def test_whom_cal_com_does_not_offer_comes_last_and_nobody_is_asked_in_vain() -> None:
    office = barbers()
    office.offering.says = {"cut": False, "cut-ben": True}
    (result,) = in_turn(office, of(1))
    (nobody,) = in_turn(office, of(2, hours=1, staff_id="ann"))

    assert ["ben", "ann"] == staff_of([result, nobody])
    assert ["cut", "cut-ben"] == office.offering.asked
    assert [office.diary.as_of] == office.offering.told


def test_where_cal_com_offers_nobody_it_is_asked_all_the_same() -> None:
    office = barbers()
    office.offering.says = {"cut": False, "cut-ben": False, "cut-cal": False}

    assert ["ann"] == staff_of(in_turn(office, of(1)))


def test_the_day_is_that_of_the_service() -> None:
    # 10:00 in UTC is the next day in Auckland, and a booking at 23:00 UTC still is on it.
    zone = "Pacific/Auckland"
    office = Office(service=replace(ANN, time_zone=zone), others=(replace(BEN, time_zone=zone),))
    in_turn(office, of(1, group=None, hours=11))
    in_turn(office, of(2))
    period, staff_ids = office.diary.asked[-1]

    assert (["ann", "ben"], timedelta(days=1)) == (staff_ids, period.ends_at - period.starts_at)
    assert 11 == period.starts_at.hour


def test_hours_are_those_of_each_of_them() -> None:
    office = barbers()
    office.services.hours_of = {"cut": CLOSED, "cut-cal": CLOSED}

    assert ["ben", "ben"] == staff_of(in_turn(office, of(1), of(2, hours=1)))
    with pytest.raises(CustomerValidationError) as refused:
        in_turn(office, of(3, hours=2, group=None))
    assert refused.value.has_field_error("starts_at")


def test_where_nobody_is_open_the_wish_is_refused() -> None:
    office = barbers()
    office.services.opening_hours = CLOSED

    with pytest.raises(CustomerValidationError) as refused:
        in_turn(office, of(1))

    assert refused.value.has_field_error("starts_at")
    assert {} == office.log.streams


def test_a_notice_that_begins_while_the_choice_is_made_leaves_it_to_the_saga() -> None:
    notice = 24 * 60 - 1
    office = Office(service=replace(ANN, notice_minutes=notice), others=(replace(BEN, notice_minutes=notice),))

    async def slow(booking_id: UUID) -> bool:
        await asyncio.sleep(120)
        return False

    office.hints.seen = slow  # type: ignore[method-assign]
    (result,) = in_turn(office, of(1))

    assert {("failed", "expired"): 1} == ended([result])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"group": "cooks"}, "staff_group"),
        ({"group": "bar\x00bers"}, "staff_group"),
        ({"service_id": "shave"}, "staff_group"),
        ({"staff_id": "eve"}, "staff_id"),
    ],
)
def test_a_group_that_does_not_fit_stores_nothing(changes: dict[str, str], field: str) -> None:
    office = barbers(replace(ANN, service_id="shave", staff_group=None))

    with pytest.raises(CustomerValidationError) as refused:
        in_turn(office, of(1, **changes))  # type: ignore[arg-type]

    assert refused.value.has_field_error(field)
    assert {} == office.log.streams


def test_somebody_named_of_the_group_is_not_chosen() -> None:
    office = barbers()
    (result,) = in_turn(office, of(1, staff_id="cal"))

    assert (CAL, "cal", None) == (
        result.booking.facts.service,
        result.booking.facts.staff_id,
        result.booking.facts.staff_group,
    )
    assert ([], []) == (office.diary.asked, office.offering.asked)


def test_a_database_that_cannot_say_who_is_free_names_the_booking_that_may_be_there() -> None:
    office = barbers()
    office.diary.error = AppointmentDatabaseError("away", kind="connection_lost")

    with pytest.raises(AppointmentDatabaseError) as away:
        in_turn(office, of(1))

    customer = replace(REQUEST.person, name="Customer 1", email=None, phone="+491701000001")
    asked = request(service=ANN, staff_group="barbers", person=customer)
    assert key_for(asked).booking_id == away.value.booking_id
    assert {} == office.log.streams


def test_an_ordinary_booking_asks_nobody() -> None:
    office = barbers()
    results = in_turn(office, of(1, group=None), of(2, group=None, service_id="cut-ben"))

    assert ["ann", "ben"] == staff_of(results)
    assert ([], [], 4) == (office.diary.asked, office.offering.asked, office.log.commits)
