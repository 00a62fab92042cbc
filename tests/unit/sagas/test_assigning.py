"""
Anybody of a group: who is chosen, what races for the last one come to, and that a choice is made once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.deciding import initiate
from domain.errors import AppointmentDatabaseError, CustomerValidationError, KeyReused
from domain.events import BookingInitiated
from domain.idempotency import fingerprint, key_for
from domain.opening_hours import WEEKDAYS, parse_opening_hours
from domain.period import Period
from domain.service import Service
from domain.staffing import Busy
from domain.wish import BookAppointment, CustomerWish
from sagas.appending import Append, AppendResult
from sagas.wishes import BookingResult
from tests.fakes.calcom import CreateFate
from tests.fakes.given import REQUEST, SERVICE, SLOT, at, request, wish
from tests.fakes.office import Office

ANN = replace(SERVICE, staff_group="barbers")
BEN = replace(ANN, service_id="cut-ben", staff_id="ben", calcom_event_type_id=2)
CAL = replace(ANN, service_id="cut-cal", staff_id="cal", calcom_event_type_id=3)
HOUR = timedelta(hours=1)
NOBODYS = UUID(int=9)
CLOSED = parse_opening_hours({WEEKDAYS[SLOT.weekday() - 1]: [["09:00", "10:00"]]})
"""On the day that everybody wishes for."""


def barbers(*others: Service) -> Office:
    return Office(service=ANN, others=(BEN, CAL, *others))


def of(number: int, *, hours: int = 0, group: str | None = "barbers", **more: object) -> BookAppointment:
    """
    Return the wish of one customer, at an hour of the same day.
    """
    customer = CustomerWish(name=f"Customer {number}", phone=f"+49170{1_000_000 + number}")
    return wish(customer=customer, starts_at=SLOT + hours * HOUR, staff_group=group, **more)


def in_turn(office: Office, *wishes: BookAppointment) -> list[BookingResult]:
    async def main() -> list[BookingResult]:
        return [await office.orchestrator.book(one) for one in wishes]

    return office.run(main())


def at_once(office: Office, *wishes: BookAppointment) -> list[BookingResult]:
    async def main() -> list[BookingResult]:
        return await asyncio.gather(*(office.orchestrator.book(one) for one in wishes))

    return office.run(main())


def staff_of(results: Sequence[BookingResult]) -> list[str | None]:
    return [one.booking.facts.staff_id for one in results]


def ended(results: Sequence[BookingResult]) -> Counter[tuple[str, str | None]]:
    return Counter(
        (one.booking.status.value, None if one.booking.failure is None else one.booking.failure.reason)
        for one in results
    )


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


def test_more_wishes_at_once_than_people_book_each_of_them_once() -> None:
    office = barbers()
    results = at_once(office, *(of(number) for number in range(10)))

    assert {("booked", None): 3, ("failed", "slot_taken"): 7} == ended(results)
    booked = [one for one in results if one.booking.status is BookingStatus.BOOKED]
    assert ["ann", "ben", "cal"] == sorted(str(one) for one in staff_of(booked))
    assert all(one.booking.version == 2 for one in results if one.booking.status is BookingStatus.FAILED)
    assert {} == office.log.claims


def test_processes_that_see_the_same_leave_it_to_the_claim() -> None:
    office = barbers()
    other = office.another_process().orchestrator
    told: list[int] = []
    office.hints.told = lambda booking: told.append(booking.version)  # type: ignore[method-assign]

    async def main() -> list[BookingResult]:
        return list(await asyncio.gather(office.orchestrator.book(of(1)), other.book(of(2)), other.book(of(3))))

    results = office.run(main())

    assert {("booked", None): 3} == ended(results)
    assert {"ann", "ben", "cal"} == set(staff_of(results))
    # Of a claim that was refused nobody is told: there is no booking yet.
    assert [2, 2, 2, 4, 4, 4] == sorted(told)


def test_a_loser_who_finds_nobody_left_is_told_who_holds_the_slot() -> None:
    office = barbers()
    (first, *_), (late,) = in_turn(office, of(1), of(2), of(3)), in_turn(office, of(4))

    assert late.booking.failure is not None
    assert ("slot_taken", first.booking.booking_id) == (
        late.booking.failure.reason,
        late.booking.failure.conflicting_booking_id,
    )


def test_a_caller_who_leaves_between_two_candidates_cancels_nothing() -> None:
    office = barbers()
    other = office.another_process().orchestrator

    async def main() -> None:
        written = asyncio.Event()
        office.log.watch = lambda _append, _result: written.set()
        # Both choose the same one; the second to write is refused, and goes on without its caller.
        first = asyncio.create_task(other.book(of(1)))
        second = asyncio.create_task(office.orchestrator.book(of(2)))
        await written.wait()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await office.orchestrator.drain(within=HOUR)

    office.run(main())

    booked = [office.booking(one) for one in office.log.booking_ids()]
    assert ["booked", "booked"] == [one.status.value for one in booked]
    assert {"ann", "ben"} == {one.facts.staff_id for one in booked}


def test_a_lost_acknowledgement_of_a_refused_candidate_books_once() -> None:
    office = barbers()
    (first,) = in_turn(office, of(1))
    office.diary.busy = _knows_of_nothing  # type: ignore[method-assign]
    office.log.fates.append("fails_after")

    with pytest.raises(AppointmentDatabaseError):
        in_turn(office, of(2))
    assert 1 == len(office.log.booking_ids())
    (again,) = in_turn(office, of(2))

    assert ["ann", "ben"] == staff_of([first, again])
    assert 2 == len(office.log.booking_ids())


async def _knows_of_nothing(period: Period, *, company_id: str, staff_ids: Sequence[str]) -> Sequence[Busy]:
    return ()


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


def test_a_repeat_hears_of_its_booking_after_the_group_was_dissolved() -> None:
    office = barbers()
    first = in_turn(office, of(1), of(2))
    office.services.define(replace(ANN, staff_group=None))
    again = in_turn(office, of(2))

    assert ("ben", True) == (again[0].booking.facts.staff_id, again[0].replayed)
    assert first[1].booking.booking_id == again[0].booking.booking_id
    with pytest.raises(CustomerValidationError):
        in_turn(office, of(3))


def test_somebody_named_of_the_group_is_not_chosen() -> None:
    office = barbers()
    (result,) = in_turn(office, of(1, staff_id="cal"))

    assert (CAL, "cal", None) == (
        result.booking.facts.service,
        result.booking.facts.staff_id,
        result.booking.facts.staff_group,
    )
    assert ([], []) == (office.diary.asked, office.offering.asked)


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
    office.diary.busy = _knows_of_nothing  # type: ignore[method-assign]
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


def test_a_database_that_cannot_say_who_is_free_names_the_booking_that_may_be_there() -> None:
    office = barbers()
    office.diary.error = AppointmentDatabaseError("away", kind="connection_lost")

    with pytest.raises(AppointmentDatabaseError) as away:
        in_turn(office, of(1))

    customer = replace(REQUEST.person, name="Customer 1", email=None, phone="+491701000001")
    asked = request(service=ANN, staff_group="barbers", person=customer)
    assert key_for(asked).booking_id == away.value.booking_id
    assert {} == office.log.streams


def test_a_choice_that_came_to_nothing_keeps_nobody_busy() -> None:
    office = barbers()
    office.log.fates.append("rejects_before")

    with pytest.raises(AppointmentDatabaseError):
        in_turn(office, of(1))

    assert ["ann"] == staff_of(in_turn(office, of(2)))


def test_an_ordinary_booking_asks_nobody() -> None:
    office = barbers()
    results = in_turn(office, of(1, group=None), of(2, group=None, service_id="cut-ben"))

    assert ["ann", "ben"] == staff_of(results)
    assert ([], [], 4) == (office.diary.asked, office.offering.asked, office.log.commits)


def test_a_choice_costs_no_commit_unless_somebody_was_quicker() -> None:
    office = barbers()
    written: list[bool] = []

    def note(append: Append, _result: AppendResult) -> None:
        written.extend(isinstance(one, BookingInitiated) for one in append.events[:1])

    office.log.watch = note
    in_turn(office, of(1))

    assert ([True, False], 1) == (written, len(office.diary.asked))
