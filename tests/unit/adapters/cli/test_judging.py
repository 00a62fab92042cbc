"""
The demo's judge notices every kind of difference; a judge that cannot say no proves nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from adapters.demo.day import offers, requests
from adapters.demo.judging import Answer, Entry, Evidence, Row, judge
from adapters.demo.letters import read_answer, read_request, write_answer, write_request
from domain.booking import Booking, BookingStatus

STARTS_AT = datetime(2027, 3, 2, 10, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
BOOKING_ID = UUID("5f76468b-1d5c-46ef-bd0e-ab2608f9947a")

ROW = Row(booking_id=BOOKING_ID, uid="uid-1", staff_id="anna", starts_at=STARTS_AT, ends_at=STARTS_AT + HALF_AN_HOUR)
ENTRY = Entry(
    uid="uid-1",
    is_live=True,
    booking_id=str(BOOKING_ID),
    attendee="ada@mail.example",
    starts_at=STARTS_AT,
    ends_at=STARTS_AT + HALF_AN_HOUR,
)
ANSWER = Answer(number=1, booking_id=BOOKING_ID, status="booked", replayed=False)
CLEAN = Evidence(
    asked=frozenset({1}),
    answers=[ANSWER],
    bookings={BOOKING_ID: Booking(booking_id=BOOKING_ID, ended=BookingStatus.BOOKED)},
    streams={BOOKING_ID: []},
    rows=[ROW],
    entries=[ENTRY],
)


def test_equal_sides_are_clean() -> None:
    verdict = judge(CLEAN)

    assert verdict.is_clean
    assert 1 == verdict.booked


OTHER_ROW = replace(ROW, booking_id=uuid4(), uid="uid-2")
OTHER_ENTRY = replace(ENTRY, uid="uid-2", booking_id=str(uuid4()), attendee="ben@mail.example")


@pytest.mark.parametrize(
    ("figure", "evidence"),
    [
        ("orphans", replace(CLEAN, rows=[])),
        ("ghosts", replace(CLEAN, entries=[])),
        ("ghosts", replace(CLEAN, entries=[replace(ENTRY, is_live=False)])),
        ("ghosts", replace(CLEAN, rows=[replace(ROW, uid=None)], entries=[])),
        ("doubles", replace(CLEAN, entries=[ENTRY, replace(ENTRY, uid="uid-2", attendee="ben@mail.example")])),
        ("doubles", replace(CLEAN, entries=[ENTRY, replace(OTHER_ENTRY, attendee=ENTRY.attendee)])),
        ("doubles", replace(CLEAN, rows=[ROW, OTHER_ROW], entries=[ENTRY, OTHER_ENTRY])),
        ("doubles", replace(CLEAN, answers=[ANSWER, replace(ANSWER, booking_id=uuid4())])),
        ("drifts", replace(CLEAN, entries=[replace(ENTRY, starts_at=STARTS_AT + HALF_AN_HOUR)])),
        ("lost", replace(CLEAN, asked=frozenset({1, 2}))),
        ("lost", replace(CLEAN, bookings={}, streams={})),
        ("lost", replace(CLEAN, bookings={BOOKING_ID: Booking(booking_id=BOOKING_ID)})),
        ("lost", replace(CLEAN, bookings={BOOKING_ID: Booking(booking_id=BOOKING_ID, ended=BookingStatus.FAILED)})),
    ],
)
def test_every_difference_is_noticed(figure: str, evidence: Evidence) -> None:
    verdict = judge(evidence)

    assert not verdict.is_clean
    assert 1 <= getattr(verdict, figure)


def test_a_refused_customer_who_was_told_so_is_not_lost() -> None:
    failed = Booking(booking_id=BOOKING_ID, ended=BookingStatus.FAILED)
    evidence = replace(
        CLEAN, answers=[replace(ANSWER, status="failed")], bookings={BOOKING_ID: failed}, rows=[], entries=[]
    )

    assert judge(evidence).is_clean


def test_an_answered_duplicate_counts_only_with_the_first_booking() -> None:
    same, other = replace(ANSWER, replayed=True), replace(ANSWER, replayed=True, booking_id=uuid4())

    assert 1 == judge(replace(CLEAN, answers=[ANSWER, same, other])).duplicates_answered


def test_the_same_seed_is_the_same_day() -> None:
    def a_day(seed: int) -> object:
        return requests(bookings=50, seed=seed, today=date(2026, 11, 22), seconds=2, troubled=True)

    assert a_day(7) == a_day(7)
    assert a_day(7) != a_day(8)


@pytest.mark.parametrize("bookings", [1, 30, 500])
def test_a_day_has_what_was_asked_for(bookings: int) -> None:
    wanted = requests(bookings=bookings, seed=1, today=date(2026, 11, 22), seconds=2, troubled=True)
    length = {offer.service_id: timedelta(minutes=offer.minutes) for offer in offers()}

    assert bookings == len(wanted)
    assert bookings // 5 >= sum(one.times > 1 for one in wanted) >= bookings // 5 - sum(one.hangs_up for one in wanted)
    assert all(one.wish.starts_at.hour >= 9 and one.wish.starts_at.weekday() < 5 for one in wanted)
    assert all((one.wish.starts_at + length[one.wish.service_id]).hour <= 17 for one in wanted)
    assert any(one.overtaken for one in wanted)
    assert len({one.wish.idempotency_key for one in wanted}) == bookings


def test_letters_arrive_as_they_were_written() -> None:
    wanted = requests(bookings=5, seed=1, today=date(2026, 11, 22), seconds=2, troubled=True)

    assert list(wanted) == [read_request(write_request(one)) for one in wanted]
    assert read_answer(write_answer(ANSWER)) == ANSWER
