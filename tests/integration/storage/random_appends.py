"""
Random appends of bookings: as they should be, too late, sent again, and of people who have come before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st

from domain import events as e
from sagas.appending import Append, Customer, DueAfter
from tests.integration.storage.appends import (
    COMPANY,
    HALF_HOUR,
    TEN,
    append,
    deferred,
    finish,
    initiated,
    start,
    withdraw,
)

RARELY = st.integers(0, 9).map(lambda number: number == 0)
PEOPLE = st.integers(1, 12).map(lambda number: UUID(int=number))
EMAILS = st.sampled_from([None, None, None, "ada@example.com", "ADA@example.com", "eve@example.com"])
PHONES = st.sampled_from([None, *(f"+4930{number}" for number in range(9))])


@dataclass
class Booking:
    """
    What was asked for, and the appends that were tried for it.
    """

    facts: e.BookingInitiated
    first: Append
    finished: Append
    last: Append


@st.composite
def begun(
    draw: st.DrawFn,
    *,
    people: st.SearchStrategy[UUID] = PEOPLE,
    releasing: st.SearchStrategy[bool] = RARELY,
    emails: st.SearchStrategy[str | None] = EMAILS,
    phones: st.SearchStrategy[str | None] = PHONES,
) -> Booking:
    facts = initiated(
        person=draw(st.text(min_size=1, max_size=9)),
        customer_id=draw(people),
        staff_id=draw(st.sampled_from(["ada", "ada", None, "ben"])),
        starts_at=TEN + draw(st.integers(0, 2)) * HALF_HOUR / 2,
        allow_near_duplicate=draw(st.booleans()),
    )
    person = Customer(
        customer_id=facts.customer_id,
        company_id=COMPANY,
        name="Ada",
        email=draw(emails),
        phone=draw(phones),
        found=draw(st.integers(0, 4)) == 0,
    )

    def for_customer(customer_id: UUID) -> Append:
        met = replace(facts, customer_id=customer_id)
        return replace(
            start(
                met,
                stream_id=first.stream_id,
                customer=replace(person, customer_id=customer_id),
                due=first.due,
                releases_claim=releases,
            ),
            append_id=first.append_id,
            events=(met, *first.events[1:]),
        )

    releases = draw(releasing)
    first = start(facts, customer=person, for_customer=for_customer, releases_claim=releases)
    service_id = draw(st.sampled_from(["checkup", "checkup", "unknown"]))
    second = finish(first.stream_id, facts, service_id=service_id)
    return Booking(facts, first, second, first)


def what_comes(draw: st.DrawFn, bookings: list[Booking]) -> Append:
    """
    Draw the next append: a new booking, or something about one there is, as it should be or too late.
    """
    kind = draw(
        st.sampled_from(["new", "new", "new", "finish", "finish", "again", "withdraw", "defer", "release", "stale"])
    )
    if kind == "new" or not bookings:
        bookings.append(draw(begun()))
        return bookings[-1].first
    one = draw(st.sampled_from(bookings))
    stream_id = one.first.stream_id
    match kind:
        case "finish":
            one.last = one.finished
        case "withdraw":
            row = one.finished.appointment
            assert row is not None
            one.last = withdraw(stream_id, row.appointment_id, expected_version=draw(st.sampled_from([4, 4, 2, 5])))
        case "defer":
            due = DueAfter(delay=timedelta(seconds=draw(st.integers(0, 9))), priority=draw(st.integers(0, 9)))
            one.last = append(stream_id, draw(st.sampled_from([2, 4])), deferred(draw(st.text(max_size=9))), due=due)
        case "release":
            one.last = append(stream_id, draw(st.sampled_from([0, 2, 4])), releases_claim=True)
        case "stale":
            one.last = append(stream_id, draw(st.integers(0, 7)), deferred())
    return one.last


@st.composite
def appends(draw: st.DrawFn) -> list[Append]:
    bookings: list[Booking] = []
    return [what_comes(draw, bookings) for _ in range(draw(st.integers(1, 12)))]


@st.composite
def batches(draw: st.DrawFn) -> list[list[Append]]:
    """
    Draw batches none of which frees what others in it are waiting for.
    """
    bookings: list[Booking] = []
    found: list[list[Append]] = []
    # Nobody fits two customers, and whoever is looked for has an id that nobody has had.
    not_known_by = draw(st.sampled_from(["emails", "phones"]))
    unambiguous = {
        "people": st.builds(uuid4),
        "releasing": st.just(value=False),
        not_known_by: st.none(),
    }
    for kinds in ("begin", *draw(st.lists(st.sampled_from(["begin", "finish", "end"]), max_size=6))):
        batch = draw(st.lists(one_of_kind(kinds, bookings, unambiguous), min_size=1, max_size=8))
        found.append(list({one.stream_id: one for one in batch}.values()))
    return found


@st.composite
def one_of_kind(draw: st.DrawFn, kinds: str, bookings: list[Booking], unambiguous: dict[str, Any]) -> Append:
    """
    Draw an append for a batch in which bookings begin, or get their appointments, or free what they have.
    """
    if kinds == "begin" and draw(st.integers(0, 3)):
        bookings.append(new := draw(begun(**unambiguous)))
        assert new.first.customer is not None
        # Who is said to have been found, and was not, is looked for by nobody who comes in the same batch.
        new.first = replace(new.first, customer=replace(new.first.customer, found=False))
        return new.first
    if not bookings:
        return append(uuid4(), draw(st.integers(0, 1)), deferred(), due=DueAfter(delay=timedelta(0)))
    one = draw(st.sampled_from(bookings))
    stream_id, row = one.first.stream_id, one.finished.appointment
    assert row is not None
    match kinds:
        case "finish" if draw(st.integers(0, 3)):
            return one.finished
        case "end" if draw(st.booleans()):
            return withdraw(stream_id, row.appointment_id, expected_version=draw(st.sampled_from([4, 4, 2, 5])))
        case "end":
            return append(stream_id, draw(st.sampled_from([2, 4])), releases_claim=True)
        case _:
            return append(stream_id, draw(st.sampled_from([0, 2, 2, 2, 4])), deferred())
