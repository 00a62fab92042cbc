"""
One wish, one key (M1), however it is spelled.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain.commands import RequestBooking
from domain.idempotency import customer_id_for, fingerprint, key_for
from domain.person import Person
from domain.validation import validate
from domain.wish import BookAppointment
from tests.fakes.given import OFFER, PERSON, REQUEST, SERVICE, SLOT, customer, request, wish


def _validated(asked: BookAppointment) -> RequestBooking:
    return validate(asked, OFFER, now=None)


def test_a_derived_key_is_the_same_for_ever() -> None:
    assert UUID("e530fa7a-22aa-5bc2-b871-392c386bec21") == key_for(REQUEST).booking_id


def test_a_given_key_leads_to_the_same_booking_for_ever() -> None:
    assert UUID("a28eb8f2-f6a2-56df-a7d4-861c95aed380") == key_for(request(idempotency_key="key-1")).booking_id


def test_a_derived_key_reads_as_its_booking_id() -> None:
    key = key_for(REQUEST)

    assert (str(key.booking_id), False, 0) == (key.text, key.given, key.generation)


@pytest.mark.parametrize(
    "same",
    [
        wish(starts_at=SLOT.astimezone(ZoneInfo("Europe/Berlin")), time_zone="Europe/Berlin"),
        wish(starts_at=SLOT.astimezone(ZoneInfo("America/New_York")), time_zone="America/New_York"),
        customer(phone="0049 (170) 123-45.67"),
        customer(phone="+49 (0) 170/1234567"),
        customer(name="  ADA   Lovelace "),
        customer(email="ADA@EXAMPLE.COM"),
        customer(email=None),
        wish(notes="please ring twice"),
        wish(metadata={"a": 1}),
        wish(staff_id="bob"),
        wish(call_id="call-1", confidence=0.5),
    ],
)
def test_the_same_wish_in_another_spelling_has_the_same_key(same: BookAppointment) -> None:
    assert key_for(_validated(wish())) == key_for(_validated(same))


@pytest.mark.parametrize(
    "same",
    [customer(phone=None, email="Straße@Example.com"), customer(phone=None, email=" STRASSE@example.COM ")],
)
def test_without_a_phone_the_address_is_the_customer(same: BookAppointment) -> None:
    assert key_for(request(person=Person(name="x", email="strasse@example.com"))) == key_for(_validated(same))


def test_without_phone_and_address_the_name_is_the_customer() -> None:
    composed, decomposed = Person(name="Zoë  Müller"), Person(name="zoe\u0308 mu\u0308ller")

    assert key_for(request(person=composed)) == key_for(request(person=decomposed))


@pytest.mark.parametrize(
    "other",
    [
        request(service=replace(SERVICE, company_id="bcme")),
        request(service=replace(SERVICE, service_id="color")),
        request(person=Person(name="Ada Lovelace", phone="+491701234568")),
        request(person=Person(name="Ada Lovelace", email="ada@example.com")),
        request(starts_at=SLOT + timedelta(minutes=1)),
        request(source="web"),
        request(idempotency_key=str(key_for(REQUEST).booking_id)),
    ],
)
def test_every_component_changes_the_key(other: RequestBooking) -> None:
    assert key_for(REQUEST).booking_id != key_for(other).booking_id


def test_each_generation_has_a_key_of_its_own() -> None:
    keys = [key_for(REQUEST, generation=number) for number in range(4)]

    assert (4, [0, 1, 2, 3]) == (len({key.booking_id for key in keys}), [key.generation for key in keys])


def test_a_given_key_has_no_generations() -> None:
    given = request(idempotency_key="key-1")

    assert key_for(given) == key_for(given, generation=3)


def test_a_given_key_belongs_to_its_company() -> None:
    other = request(idempotency_key="key-1", service=replace(SERVICE, company_id="bcme"))

    assert key_for(request(idempotency_key="key-1")).booking_id != key_for(other).booking_id


def test_borders_between_components_count() -> None:
    one = request(service=replace(SERVICE, company_id="a", service_id="bc"))
    other = request(service=replace(SERVICE, company_id="ab", service_id="c"))

    assert key_for(one).booking_id != key_for(other).booking_id


def test_a_customer_has_one_id_in_a_company_and_another_elsewhere() -> None:
    ids = {
        customer_id_for("acme", PERSON.identity),
        customer_id_for("acme", PERSON.identity),
        customer_id_for("bcme", PERSON.identity),
    }

    assert 2 == len(ids)


@pytest.mark.parametrize(
    "same",
    [
        customer(phone="0049-170-1234567"),
        customer(name="Ada  Lovelace"),
        wish(starts_at=SLOT.astimezone(ZoneInfo("UTC"))),
        wish(starts_at=SLOT + timedelta(microseconds=999)),
        wish(notes=""),
        wish(metadata={}),
    ],
)
def test_a_fingerprint_knows_the_same_wish_again(same: BookAppointment) -> None:
    assert fingerprint(_validated(wish())) == fingerprint(_validated(same))


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (0, 0.0), (0.0, -0.0)])
def test_a_fingerprint_does_not_mind_how_a_number_is_written(one: float, other: float) -> None:
    first, second = (fingerprint(_validated(wish(confidence=value))) for value in (one, other))

    assert first == second


def test_a_fingerprint_does_not_mind_the_order_of_metadata() -> None:
    one, other = wish(metadata={"a": 1, "b": 2}), wish(metadata={"b": 2, "a": 1})

    assert fingerprint(_validated(one)) == fingerprint(_validated(other))


@pytest.mark.parametrize(
    "other",
    [
        customer(name="Ada Byron"),
        customer(email="byron@example.com"),
        customer(phone="+491701234568"),
        wish(starts_at=SLOT + timedelta(minutes=1)),
        wish(time_zone="Europe/London"),
        wish(source="web"),
        wish(staff_id="bob"),
        wish(call_id="call-1"),
        wish(confidence=0.5),
        wish(notes="please"),
        wish(metadata={"a": 1}),
        wish(allow_near_duplicate=True),
    ],
)
def test_a_fingerprint_tells_other_wishes_apart(other: BookAppointment) -> None:
    assert fingerprint(_validated(wish())) != fingerprint(_validated(other))
