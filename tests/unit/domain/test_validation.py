"""
A wish is checked field by field; what is wrong is named, all of it at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan

import pytest

from domain.errors import CustomerValidationError
from domain.offer import Offer
from domain.person import Person
from domain.validation import LONGEST_AHEAD, METADATA_LIMIT, NAME_LIMIT, NOTES_LIMIT, validate
from domain.wish import BookAppointment
from tests.fakes.given import OFFER, SERVICE, SLOT, customer, wish
from tests.fakes.time import START
from tests.unit.domain.wishing import BERLIN, wrong

DEEP: dict[str, object] = {}
for _ in range(100_000):
    DEEP = {"a": DEEP}
CIRCLE: dict[str, object] = {}
CIRCLE["self"] = CIRCLE


def test_a_good_wish_becomes_a_request() -> None:
    asked = wish(
        staff_id="bob",
        notes="two lines\nof notes\tand a tab",
        metadata={"b": [1, None], "a": "ü\n\t"},
        call_id="call 1",
        confidence=1,
        allow_near_duplicate=True,
        idempotency_key="key 1",
        correlation_id="c-1",
    )

    request = validate(asked, OFFER, now=START)

    person = Person(
        name="Ada Lovelace",
        email="ada@example.com",
        phone="+491701234567",
        notes="two lines\nof notes\tand a tab",
        metadata='{"a":"\\u00fc\\n\\t","b":[1,null]}',
    )
    assert (person, SLOT, "UTC", "phone", "bob", "call 1", 1.0, True, "key 1", "c-1", SERVICE) == (
        request.person,
        request.starts_at,
        request.time_zone,
        request.source,
        request.staff_id,
        request.call_id,
        request.confidence,
        request.allow_near_duplicate,
        request.idempotency_key,
        request.correlation_id,
        request.service,
    )


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (customer(name=""), "customer.name"),
        (customer(name=" \u00a0"), "customer.name"),
        (customer(name="\u200b \ufeff\u2060"), "customer.name"),
        (customer(name="x" * (NAME_LIMIT + 1)), "customer.name"),
        (customer(name="Ada\nLovelace"), "customer.name"),
        (customer(name="Ada\x00"), "customer.name"),
        (customer(name="Ada\x85"), "customer.name"),
        (customer(name="Ada\ud800"), "customer.name"),
        (customer(email=None, phone=None), "customer"),
        (wish(notes="n" * (NOTES_LIMIT + 1)), "notes"),
        (wish(notes="bell\x07"), "notes"),
        (wish(notes="nul\x00"), "notes"),
        (wish(notes="half\udfff"), "notes"),
        (wish(metadata={"a": nan}), "metadata"),
        (wish(metadata={"a": inf}), "metadata"),
        (wish(metadata={"a": {1, 2}}), "metadata"),
        (wish(metadata={"a": START}), "metadata"),
        (wish(metadata={"a": 1, 2: 3}), "metadata"),
        (wish(metadata={"a": "nul\x00"}), "metadata"),
        (wish(metadata={"a": [1, {"b": ["bell\x07"]}]}), "metadata"),
        (wish(metadata={"a": {"line\nbreak": 1}}), "metadata"),
        (wish(metadata={"half\udfff": 1}), "metadata"),
        (wish(metadata=CIRCLE), "metadata"),
        (wish(metadata=DEEP), "metadata"),
        (wish(metadata={"a": "x" * METADATA_LIMIT}), "metadata"),
        (wish(metadata={"a": "ü" * (METADATA_LIMIT // 5)}), "metadata"),
        (wish(time_zone="Europe/Atlantis"), "time_zone"),
        (wish(time_zone=""), "time_zone"),
        (wish(time_zone="localtime"), "time_zone"),
        (wish(time_zone="Factory"), "time_zone"),
        (wish(time_zone="../../etc/passwd"), "time_zone"),
        (wish(time_zone="europe/berlin"), "time_zone"),
        (wish(time_zone="UTC\x00"), "time_zone"),
        (wish(starts_at=SLOT.replace(tzinfo=None)), "starts_at"),
        (wish(starts_at=START), "starts_at"),
        (wish(starts_at=START - timedelta(seconds=1)), "starts_at"),
        (wish(starts_at=START + LONGEST_AHEAD + timedelta(seconds=1)), "starts_at"),
        (wish(starts_at=datetime.max.replace(tzinfo=timezone(-timedelta(hours=23)))), "starts_at"),
        (wish(starts_at=datetime.min.replace(tzinfo=timezone(timedelta(hours=23)))), "starts_at"),
        (wish(starts_at=datetime.max.replace(tzinfo=UTC), time_zone="Asia/Tokyo"), "starts_at"),
        (wish(starts_at=SLOT, time_zone="Europe/Berlin"), "starts_at"),
        (wish(source=""), "source"),
        (wish(source="s" * 51), "source"),
        (wish(source="-phone"), "source"),
        (wish(source="pho ne"), "source"),
        (wish(source="phöne"), "source"),
        (wish(staff_id=""), "staff_id"),
        (wish(staff_id="s" * 101), "staff_id"),
        (wish(staff_id="ann\n"), "staff_id"),
        (wish(staff_id="ann'; --"), "staff_id"),
        (wish(call_id=""), "call_id"),
        (wish(call_id="c" * (NAME_LIMIT + 1)), "call_id"),
        (wish(call_id="c\x00"), "call_id"),
        (wish(confidence=-0.01), "confidence"),
        (wish(confidence=1.01), "confidence"),
        (wish(confidence=nan), "confidence"),
        (wish(confidence=inf), "confidence"),
        (wish(correlation_id="\x00"), "correlation_id"),
        (wish(idempotency_key=""), "Idempotency-Key"),
        (wish(idempotency_key="k" * 256), "Idempotency-Key"),
        (wish(idempotency_key="k\r\nSet-Cookie: x"), "Idempotency-Key"),
        (wish(idempotency_key="\ud83d"), "Idempotency-Key"),
    ],
)
def test_a_wrong_field_is_named_and_no_other(asked: BookAppointment, field: str) -> None:
    assert {field} == set(wrong(asked))


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "01701234567",
        "+0170123456",
        "+49",
        "+123456",
        "+1234567890123456",
        "+49170ABCDEF",
        "+49 170 १२३४५६७",
        "\u2013491701234567",
        "++491701234567",
        "+491701234567\x00",
        "+4917012\ud83445",
    ],
)
def test_what_is_no_international_number_is_refused(phone: str) -> None:
    assert {"customer.phone": "must be an international number such as +491701234567"} == wrong(customer(phone=phone))


@pytest.mark.parametrize(
    ("phone", "parsed"),
    [
        ("+49 170 1234567", "+491701234567"),
        ("0049-170.123/4567", "+491701234567"),
        ("+49 (0) 170 1234567", "+491701234567"),
        ("+49 0170 1234567", "+491701234567"),
        ("0043 0664-1234567", "+436641234567"),
        ("+41(0)79 123 45 67", "+41791234567"),
        ("+39 06 1234567", "+39061234567"),
        (" (+1) 555 0100 00 ", "+1555010000"),
        ("+49\u2010170\u20111234\u2012567", "+491701234567"),
        ("+49 170 \u2013 1234567", "+491701234567"),
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_a_number_loses_its_separators(phone: str, parsed: str) -> None:
    assert parsed == validate(customer(phone=phone), OFFER, now=START).person.phone


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@example",
        "a da@example.com",
        "ada@exa mple.com",
        "ada@@example.com",
        "Ada <ada@example.com>",
        "ada@example.com,bob@example.com",
        "ada@example.com\nBcc: bob@example.com",
        "ada\x00@example.com",
        "ada\ud800@example.com",
        "ada@-example.com",
        "ada@example-.com",
        "ada@example.c",
        "ada@exämple.com",
        "a" * 65 + "@example.com",
        "ada@" + "a" * 64 + ".com",
        "ada@" + ".".join(["a" * 60] * 5) + ".com",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    assert {"customer.email": "must be an e-mail address such as ada@example.com"} == wrong(customer(email=email))


@pytest.mark.parametrize(
    "email", ["ada@example.com", "ada+cut@sub.example.co.uk", "ädä@example.com", "a@b-c.xn--p1ai", "o'ada@e.museum"]
)
def test_an_address_is_kept_as_it_is_written(email: str) -> None:
    assert email == validate(customer(email=f" {email}\t"), OFFER, now=START).person.email


def test_everything_wrong_is_reported_at_once() -> None:
    asked = wish(time_zone="Mars", source="", confidence=2, notes="\x00")

    assert {"time_zone", "source", "confidence", "notes"} == set(wrong(asked))


def test_a_refusal_names_its_correlation_id() -> None:
    with pytest.raises(CustomerValidationError) as caught:
        validate(wish(source="", correlation_id="c-1"), OFFER, now=START)

    assert "c-1" == caught.value.correlation_id


@pytest.mark.parametrize(("minutes", "refused"), [(60, True), (61, False)])
def test_a_start_must_leave_the_notice_that_the_service_needs(minutes: int, *, refused: bool) -> None:
    service = replace(SERVICE, notice_minutes=60)
    asked = wish(starts_at=START + timedelta(minutes=minutes))

    problems = None
    try:
        validate(asked, Offer(service=service), now=START)
    except CustomerValidationError as error:
        problems = error.get_field_error("starts_at")

    assert ("is too soon: the service needs 60 minutes' notice" if refused else None) == problems


def test_a_start_in_a_gap_of_the_zone_is_refused_with_the_instant_it_means() -> None:
    gap = datetime(2027, 3, 28, 2, 30, tzinfo=timezone(timedelta(hours=1)))

    problem = wrong(wish(starts_at=gap, time_zone="Europe/Berlin"))["starts_at"]

    assert (
        "has an offset that Europe/Berlin does not have then; 2027-03-28T03:30:00+02:00 is the same instant" == problem
    )


def test_a_start_in_a_gap_is_refused_even_if_it_comes_with_the_zone_itself() -> None:
    gap = datetime(2027, 3, 28, 2, 30, tzinfo=BERLIN)

    assert {"starts_at"} == set(wrong(wish(starts_at=gap, time_zone="Europe/Berlin")))


def test_both_sides_of_a_fold_are_instants_of_their_own() -> None:
    summer, winter = (datetime(2027, 10, 31, 2, 30, tzinfo=timezone(timedelta(hours=hours))) for hours in (2, 1))

    starts = [
        validate(wish(starts_at=one, time_zone="Europe/Berlin"), OFFER, now=START).starts_at for one in (summer, winter)
    ]

    assert [datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 1, 30, tzinfo=UTC)] == starts


def test_a_start_is_kept_to_the_millisecond_as_cal_com_keeps_it() -> None:
    asked = wish(starts_at=SLOT.replace(microsecond=123_999))

    assert SLOT.replace(microsecond=123_000) == validate(asked, OFFER, now=START).starts_at


@pytest.mark.parametrize(
    "asked",
    [
        customer(name="x" * NAME_LIMIT),
        customer(name="Ada 👩‍💻 Lovelace"),
        customer(email=None),
        customer(phone=None),
        wish(notes="n" * NOTES_LIMIT),
        wish(notes=""),
        wish(metadata={"a": "x" * (METADATA_LIMIT - 8)}),
        wish(starts_at=START + timedelta(seconds=1)),
        wish(starts_at=START + LONGEST_AHEAD),
        wish(source="s" * 50),
        wish(staff_id="a1._:@+-"),
        wish(source="web", confidence=0),
        wish(idempotency_key="k" * 255),
        wish(idempotency_key="ключ 🔑"),
    ],
)
def test_the_last_good_value_is_taken(asked: BookAppointment) -> None:
    assert asked.service_id == validate(asked, OFFER, now=START).service.service_id
