"""
A wish for anybody of a group that comes again, or nearly: a choice is made once, whoever would be chosen by then.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.deciding import initiate
from domain.errors import AppointmentDatabaseError, CustomerValidationError, KeyReused
from domain.idempotency import fingerprint, key_for
from domain.wish import CustomerWish
from sagas.wishes import BookingResult
from tests.fakes.calcom import CreateFate
from tests.fakes.given import at, request
from tests.unit.sagas.barbers import ANN, BEN, CAL, at_once, barbers, ended, in_turn, knows_of_nothing, of, staff_of

NOBODYS = UUID(int=9)


@pytest.mark.parametrize("key", ["k", None], ids=["given", "derived"])
def test_five_repeats_are_one_booking_with_the_same_staff_whatever_the_loads_are_by_then(key: str | None) -> None:
    office = barbers()
    asked = of(1, idempotency_key=key)
    first = in_turn(office, asked)
    # Now ann has the most to do, and another process has no hint of what was booked.
    in_turn(office, *(of(number, hours=number, group=None) for number in range(2, 5)))
    office.hints.known.clear()
    again = in_turn(office, *[asked] * 4)

    assert {first[0].booking.booking_id} == {one.booking.booking_id for one in again}
    assert ["ann"] * 5 == staff_of([*first, *again])
    assert all(one.replayed for one in again)


@pytest.mark.parametrize("key", ["k", None], ids=["given", "derived"])
def test_five_at_once_are_one_booking_with_the_same_staff(key: str | None) -> None:
    office = barbers()
    results = at_once(office, *[of(1, idempotency_key=key)] * 5)

    assert 1 == len({one.booking.booking_id for one in results}) == len(office.log.booking_ids())
    assert ["ann"] * 5 == staff_of(results)
    assert [False, True, True, True, True] == sorted(one.replayed for one in results)


def test_the_key_is_of_what_was_named_and_never_of_what_was_chosen() -> None:
    office = barbers()
    (first, second) = in_turn(office, of(1), of(2))
    named = request(service=ANN, staff_group="barbers")

    assert key_for(named) != key_for(request(service=ANN))
    assert fingerprint(named) != fingerprint(request(service=ANN))
    assert (key_for(named), fingerprint(named)) == (key_for(named), fingerprint(named))
    assert second.booking.facts.idempotency_key == str(second.booking.booking_id)
    assert first.booking.facts.fingerprint != second.booking.facts.fingerprint
    chosen = initiate(named, key=key_for(named), now=at(0), policy=office.policy, chosen=BEN)
    assert (BEN, fingerprint(named)) == (chosen.service, chosen.fingerprint)


def test_a_given_key_with_another_group_or_without_one_is_refused() -> None:
    office = barbers()
    in_turn(office, of(1, idempotency_key="k"))

    with pytest.raises(KeyReused):
        in_turn(office, of(1, idempotency_key="k", group=None))


def test_a_booking_that_failed_frees_its_derived_key_for_another_choice() -> None:
    office = barbers()
    office.calcom.creates.append(CreateFate(does="conflict"))
    (refused,) = in_turn(office, of(1))
    office.offering.says["cut"] = False
    (booked,) = in_turn(office, of(1))

    assert {("failed", "slot_taken"): 1} == ended([refused])
    assert ("ann", "ben", 1) == (
        refused.booking.facts.staff_id,
        booked.booking.facts.staff_id,
        booked.booking.facts.generation,
    )
    assert BookingStatus.BOOKED is booked.booking.status


def test_a_repeat_hears_of_its_booking_after_the_group_was_dissolved() -> None:
    office = barbers()
    first = in_turn(office, of(1), of(2))
    office.services.define(replace(ANN, staff_group=None))
    again = in_turn(office, of(2))

    assert ("ben", True) == (again[0].booking.facts.staff_id, again[0].replayed)
    assert first[1].booking.booking_id == again[0].booking.booking_id
    with pytest.raises(CustomerValidationError):
        in_turn(office, of(3))


def test_other_staff_than_was_chosen_under_the_same_derived_key_is_a_near_duplicate() -> None:
    office = barbers()
    (first, same, other) = in_turn(office, of(1), of(1, staff_id="ann"), of(1, staff_id="ben"))

    assert {first.booking.booking_id} == {one.booking.booking_id for one in (same, other)}
    assert [False, False, True] == [one.near_duplicate for one in (first, same, other)]


@pytest.mark.parametrize("named", ["cut", "cut-ben", "cut-cal"])
@pytest.mark.parametrize("turned", [False, True], ids=["named first", "chosen first"])
def test_a_customer_who_has_somebody_of_the_team_already_is_a_near_duplicate(named: str, turned: bool) -> None:
    office = barbers()
    by_name, chosen = of(1, service_id=named, group=None), of(1)
    first, second = in_turn(office, *((chosen, by_name) if turned else (by_name, chosen)))
    (allowed,) = in_turn(office, of(1, allow_near_duplicate=True, source="web"))

    failure = second.booking.failure
    assert failure is not None
    assert ("near_duplicate", first.booking.booking_id) == (failure.reason, failure.conflicting_booking_id)
    assert BookingStatus.BOOKED is allowed.booking.status
    assert {} == office.log.claims


def test_processes_that_choose_different_people_for_one_customer_book_one() -> None:
    office = barbers()
    other = office.another_process().orchestrator

    async def main() -> list[BookingResult]:
        wishes = (office.orchestrator.book(of(1)), other.book(of(1, source="web", staff_id="ben")))
        return list(await asyncio.gather(*wishes))

    results = office.run(main())
    booked, refused = sorted((one.booking for one in results), key=lambda one: one.status is BookingStatus.FAILED)

    assert ["ann", "ben"] == staff_of(results)
    assert BookingStatus.BOOKED is booked.status
    assert refused.failure is not None
    assert ("near_duplicate", booked.booking_id) == (refused.failure.reason, refused.failure.conflicting_booking_id)


def test_another_thing_of_the_same_person_is_no_near_duplicate() -> None:
    office = barbers(replace(CAL, service_id="shave-cal", name="Shave", calcom_event_type_id=4))
    results = in_turn(office, of(1), of(1, service_id="shave-cal"))

    assert {("booked", None): 2} == ended(results)


def test_a_customer_by_another_route_is_a_near_duplicate_too() -> None:
    office = barbers()
    both = CustomerWish(name="Ada", phone="+491709999999", email="ada@example.com")
    by_mail = replace(both, phone=None)
    (first,) = in_turn(office, replace(of(1, service_id="cut-cal", group=None), customer=both))
    (near, later) = in_turn(
        office, replace(of(2), customer=by_mail), replace(of(2, hours=1, source="web"), customer=by_mail)
    )

    assert near.booking.failure is not None
    assert ("near_duplicate", first.booking.booking_id) == (
        near.booking.failure.reason,
        near.booking.failure.conflicting_booking_id,
    )
    assert BookingStatus.BOOKED is later.booking.status
    assert 1 == len({one.booking.facts.customer_id for one in (first, near, later)})
    assert [] == [one.attempt_id for one in near.booking.ledger.lines]


def test_whoever_turns_out_to_be_somebody_else_is_no_near_duplicate() -> None:
    office = barbers()
    # The address was of one customer, and is of one with a phone by now.
    by_mail = CustomerWish(name="Ada", email="ada@example.com")
    (first,) = in_turn(office, replace(of(1, service_id="cut-cal", group=None), customer=by_mail))
    known = office.log.customers.pop(first.booking.facts.customer_id)
    office.log.customers[NOBODYS] = replace(known, customer_id=NOBODYS, phone="+491709999999")
    (second,) = in_turn(office, replace(of(2, source="web"), customer=by_mail))

    assert (BookingStatus.BOOKED, NOBODYS) == (second.booking.status, second.booking.facts.customer_id)


def test_a_customer_who_is_known_under_another_id_may_lose_to_somebody_quicker() -> None:
    office = barbers()
    both = CustomerWish(name="Ada", phone="+491709999999", email="ada@example.com")
    in_turn(office, replace(of(1, hours=5, service_id="cut-cal", group=None), customer=both), of(2, group=None))
    office.diary.read = knows_of_nothing  # type: ignore[method-assign]
    (result,) = in_turn(office, replace(of(3), customer=replace(both, phone=None)))

    known = {one.customer_id for one in office.log.customers.values() if one.email == "ada@example.com"}
    assert (BookingStatus.BOOKED, "ben") == (result.booking.status, result.booking.facts.staff_id)
    assert known == {result.booking.facts.customer_id}


def test_two_wishes_of_one_customer_at_once_are_not_both_booked() -> None:
    office = barbers()
    results = at_once(office, of(1), of(1, source="web"), of(1, service_id="cut-cal"))

    assert {("booked", None): 1, ("failed", "near_duplicate"): 2} == ended(results)


def test_a_wish_that_came_to_nothing_makes_no_other_one_a_near_duplicate() -> None:
    office = barbers()
    office.log.fates.append("rejects_before")

    async def main() -> list[BookingResult | BaseException]:
        wishes = (of(1), of(1, source="web"))
        return list(await asyncio.gather(*map(office.orchestrator.book, wishes), return_exceptions=True))

    failed, booked = office.run(main())

    assert isinstance(failed, AppointmentDatabaseError)
    assert isinstance(booked, BookingResult)
    assert BookingStatus.BOOKED is booked.booking.status
