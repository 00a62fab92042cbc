"""
One customer stays one customer, by whatever route they come.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.booking import BookingStatus
from domain.errors import AppointmentDatabaseError, CustomerValidationError
from domain.idempotency import customer_id_for, key_for
from domain.opening_hours import parse_opening_hours
from domain.wish import BookAppointment, CustomerWish
from sagas.appending import Append, AppendResult, Customer
from sagas.wishes import BookingResult
from tests.fakes.customers import meant
from tests.fakes.given import BOOKING_ID, REQUEST, SLOT, WISH, wish
from tests.fakes.office import Office

PHONE, OTHER_PHONE = "+491701234567", "+491709999999"
EMAIL, OTHER_EMAIL = "ada@example.com", "byron@example.com"


def by(phone: str | None, email: str | None, *, hours: int = 0, name: str = "Ada Lovelace") -> BookAppointment:
    customer = CustomerWish(name=name, phone=phone, email=email)
    # Without a member of staff they are nobody's rivals.
    return wish(customer=customer, starts_at=SLOT + timedelta(hours=hours), staff_id=f"staff-{hours}")


def booked(office: Office, *wishes: BookAppointment) -> list[UUID]:
    """
    Return whose bookings these became.
    """

    async def main() -> list[UUID]:
        return [(await office.orchestrator.book(one)).booking.facts.customer_id for one in wishes]

    return office.run(main())


@pytest.mark.parametrize(
    ("wishes", "customers"),
    [
        ([(PHONE, EMAIL), (None, EMAIL)], 1),
        ([(PHONE, EMAIL), (None, EMAIL.upper())], 1),
        ([(PHONE, EMAIL), (PHONE, None)], 1),
        ([(None, EMAIL), (PHONE, EMAIL), (PHONE, None)], 1),
        ([(PHONE, None), (PHONE, EMAIL), (None, EMAIL)], 1),
        # A family shares a phone: one customer, and the first address stays.
        ([(PHONE, EMAIL), (PHONE, OTHER_EMAIL)], 1),
        ([(PHONE, EMAIL), (PHONE, OTHER_EMAIL), (None, OTHER_EMAIL)], 2),
        # An office shares an address: the phones tell its people apart.
        ([(PHONE, EMAIL), (OTHER_PHONE, EMAIL)], 2),
        ([(PHONE, EMAIL), (OTHER_PHONE, OTHER_EMAIL)], 2),
    ],
)
def test_who_is_the_same_customer(wishes: list[tuple[str | None, str | None]], customers: int) -> None:
    office = Office()

    found = booked(office, *(by(*one, hours=hours) for hours, one in enumerate(wishes)))

    assert (customers, customers) == (len(set(found)), len(office.log.customers))


def test_a_phone_comes_before_an_address() -> None:
    office = Office()

    first, second, third, by_address = booked(
        office,
        by(PHONE, None),
        by(None, EMAIL, hours=1),
        by(PHONE, EMAIL, hours=2),
        by(None, EMAIL, hours=3),
    )

    # The third learned the address, so that both routes lead to the one who has a phone from now on.
    assert (first, first) == (third, by_address)
    assert first != second


def test_a_known_customer_learns_what_is_missing_and_loses_nothing() -> None:
    office = Office()

    booked(office, by(None, EMAIL), by(PHONE, EMAIL, hours=1, name="A. L."), by(PHONE, OTHER_EMAIL, hours=2))

    [customer] = office.log.customers.values()
    assert ("Ada Lovelace", EMAIL, PHONE) == (customer.name, customer.email, customer.phone)


def test_a_near_duplicate_by_another_route_is_noticed() -> None:
    office = Office()
    phone = wish(customer=CustomerWish(name="Ada Lovelace", phone=PHONE, email=EMAIL))
    web = wish(
        customer=CustomerWish(name="Ada Lovelace", email=EMAIL),
        starts_at=SLOT + timedelta(minutes=5),
        source="web",
        staff_id="bob",
    )

    async def main() -> list[BookingResult]:
        return [await office.orchestrator.book(phone), await office.orchestrator.book(web)]

    first, second = office.run(main())

    failure = second.booking.failure
    assert failure is not None
    assert ("near_duplicate", first.booking.booking_id) == (failure.reason, failure.conflicting_booking_id)


def test_racing_wishes_of_a_new_customer_make_one() -> None:
    office = Office()

    async def main() -> list[BookingResult]:
        wishes = [by(PHONE, f"{hours}@example.com", hours=hours) for hours in range(5)]
        return await asyncio.gather(*(office.orchestrator.book(one) for one in wishes))

    assert 1 == len({one.booking.facts.customer_id for one in office.run(main())})
    assert [customer_id_for("acme", f"phone:{PHONE}")] == list(office.log.customers)


def test_whose_booking_it_is_changes_neither_key_nor_fingerprint() -> None:
    new, known = Office(), Office()
    [_, customer_id] = booked(known, by(None, EMAIL, hours=5), WISH)
    [other_id] = booked(new, WISH)

    here, there = (office.booking(key_for(REQUEST).booking_id) for office in (new, known))
    assert customer_id != other_id
    assert (here.booking_id, here.facts.fingerprint) == (there.booking_id, there.facts.fingerprint)


def test_a_repeat_gets_the_booking_as_it_was_made() -> None:
    office = Office()
    first, second, again = booked(office, WISH, by(PHONE, EMAIL, hours=1), WISH)

    assert (first, first) == (second, again)
    assert 2 == len(office.log.streams)


def test_without_a_database_nothing_is_begun() -> None:
    office = Office()

    office.log.fates.append("fails_before")

    with pytest.raises(AppointmentDatabaseError) as caught:
        office.run(office.orchestrator.book(WISH))

    assert (BOOKING_ID, {}) == (caught.value.booking_id, office.log.streams)


@pytest.mark.parametrize("changed", [{"opening_hours": {"sun": [["09:00", "10:00"]]}}, {"confidence": 0.1}])
def test_a_repeat_of_what_would_not_be_taken_any_more_is_answered(changed: dict[str, object]) -> None:
    office = Office()
    asked = wish(confidence=changed.get("confidence"), source="phone")
    booked(office, replace(asked, confidence=None))
    hours = changed.get("opening_hours")
    office.services.opening_hours = None if hours is None else parse_opening_hours(hours)

    result = office.run(office.orchestrator.book(asked))

    assert (BookingStatus.BOOKED, True) == (result.booking.status, result.replayed)
    with pytest.raises(CustomerValidationError):
        office.run(office.orchestrator.book(replace(asked, starts_at=SLOT + timedelta(hours=5))))


PEOPLE = st.tuples(
    st.sampled_from([None, PHONE, OTHER_PHONE, "+491708888888"]),
    st.sampled_from([None, EMAIL, EMAIL.title(), OTHER_EMAIL]),
).filter(any)


@settings(max_examples=60, deadline=None)
@given(st.lists(PEOPLE, min_size=1, max_size=10))
def test_whatever_comes_in_whatever_order(people: list[tuple[str | None, str | None]]) -> None:
    office = Office()
    phones: dict[str, UUID] = {}
    known: dict[UUID, Customer] = {}

    for hours, (phone, email) in enumerate(people):
        expected = meant(office.log.customers.values(), phone=phone, email=email)
        [customer_id] = booked(office, by(phone, email, hours=hours))
        if expected is not None:
            assert expected == customer_id
        if phone is not None:
            # A phone is one customer's for ever.
            assert customer_id == phones.setdefault(phone, customer_id)
        row = office.log.customers[customer_id]
        assert phone is None or row.phone is not None
        assert email is None or row.email is not None
        for before in known.values():
            now = office.log.customers[before.customer_id]
            assert (before.phone or now.phone, before.email or now.email) == (now.phone, now.email)
        known = dict(office.log.customers)


def test_by_phone_and_by_address_in_the_same_instant_they_are_one() -> None:
    office = Office()

    async def main() -> list[BookingResult]:
        wishes = [by(PHONE, EMAIL), by(None, EMAIL, hours=1), by(PHONE, None, hours=2)]
        return await asyncio.gather(*(office.orchestrator.book(one) for one in wishes))

    answers = office.run(main())

    assert 1 == len({one.booking.facts.customer_id for one in answers}) == len(office.log.customers)
    assert {BookingStatus.BOOKED} == {one.booking.status for one in answers}


def test_a_remembered_phone_is_asked_for_no_more() -> None:
    office = Office()
    [ada, again] = booked(office, by(PHONE, EMAIL), by(PHONE, OTHER_EMAIL, hours=1))
    appends: list[Append] = []
    office.log.watch = lambda append, _: appends.append(append)

    [once_more] = booked(office, by(PHONE, None, hours=2))

    assert ada == again == once_more
    assert {True} == {one.customer.found for one in appends if one.customer is not None}
    assert 2 == len(appends)


def test_whoever_turns_out_to_be_known_costs_no_append_more() -> None:
    office = Office()
    [ada] = booked(office, by(PHONE, EMAIL))
    written = office.log.commits

    [again] = booked(office, by(None, EMAIL, hours=1))

    assert (ada, 2) == (again, office.log.commits - written)
    assert 2 == len(office.log.streams) == len(office.log.appointments)
    assert {ada} == {one.inserted.customer_id for one in office.log.appointments.values()}


def test_somebody_who_comes_between_two_appends_is_met_by_the_second() -> None:
    office = Office()
    booked(office, by(None, EMAIL))
    append = office.log.append

    async def slowly(one: Append) -> AppendResult:
        result = await append(one)
        # Long enough for another process to become a customer with this phone.
        await asyncio.sleep(0)
        return result

    office.log.append = slowly  # type: ignore[assignment, method-assign]
    other = office.another_process().orchestrator

    async def main() -> list[BookingResult]:
        both, by_phone = by(PHONE, EMAIL, hours=1), by(PHONE, None, hours=2)
        return list(await asyncio.gather(office.orchestrator.book(both), other.book(by_phone)))

    answers = office.run(main())

    assert 1 == len([one for one in office.log.customers.values() if one.phone == PHONE])
    assert 1 == len({one.booking.facts.customer_id for one in answers})
