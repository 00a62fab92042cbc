"""
The list: filters, order, pages and what a reader cannot see.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapters.sandbox.bookings import Actor, Attendee, Booking, Bookings, Status
from adapters.sandbox.errors import Refusal
from adapters.sandbox.event_types import default_event_types
from adapters.sandbox.listing import View, list_bookings, pagination, read_query
from tests.unit.adapters.sandbox.clock import NOW

EVENT_TYPES = default_event_types()


def at(hours: int) -> datetime:
    return NOW + timedelta(hours=hours)


def booking(uid: str, *, event_type: int = 1, start: int = 0, created: int = 0, email: str = "ada@x.org") -> Booking:
    return Booking(
        id=1,
        uid=uid,
        event_type=EVENT_TYPES[event_type],
        hosts=EVENT_TYPES[event_type].hosts,
        status=Status.PENDING if event_type == 4 else Status.ACCEPTED,
        start=at(start),
        end=at(start) + timedelta(minutes=30),
        attendees=(Attendee(name=uid, email=email, time_zone="UTC"),),
        created_at=at(created),
        updated_at=at(created),
        listed_at=at(created),
    )


@pytest.fixture
def bookings() -> Bookings:
    """
    Three past ones, of which b is cancelled, one to come, one pending.
    """
    store = Bookings()
    store.commit(booking("a", start=-5, created=-10))
    store.commit(booking("b", start=-3, created=-9, email="bob+cal@x.org"))
    store.commit(booking("c", start=-4, created=-8, event_type=3))
    store.commit(booking("d", start=5, created=-7))
    store.commit(booking("e", start=6, created=-6, event_type=4))
    cancelled = store.find("b")
    assert cancelled is not None
    store.cancel(cancelled, by=Actor.API, now=at(-1))
    return store


def uids(bookings: Bookings, params: dict[str, str], view: View | None = None) -> str:
    found, _ = list_bookings(bookings, query=read_query(params), view=view or View(now=NOW))
    return "".join(booking.uid for booking in found)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "abcde"),
        ({"status": "upcoming"}, "de"),
        ({"status": "past"}, "ac"),
        ({"status": "cancelled"}, "b"),
        ({"status": "unconfirmed"}, "e"),
        ({"status": "past,cancelled"}, "abc"),
        ({"status": "recurring"}, ""),
        ({"eventTypeId": "1"}, "abd"),
        ({"eventTypeIds": "3,4"}, "ce"),
        ({"attendeeEmail": "bob+cal@x.org"}, "b"),
        ({"attendeeEmail": "bob cal@x.org"}, "b"),
        ({"attendeeName": "c"}, "c"),
        ({"bookingUid": "d"}, "d"),
        ({"bookingUid": "nothing"}, ""),
        ({"afterStart": at(-4).isoformat(), "beforeEnd": at(5).isoformat()}, "bc"),
        ({"afterCreatedAt": at(-8).isoformat()}, "cde"),
        ({"afterCreatedAt": at(-9).isoformat(), "beforeCreatedAt": at(-8).isoformat()}, "bc"),
        ({"eventTypeId": "1", "afterCreatedAt": at(-9).isoformat()}, "bd"),
        ({"attendeeEmail": "ada@x.org", "afterCreatedAt": at(-7).isoformat()}, "de"),
        ({"afterUpdatedAt": at(-6).isoformat()}, "be"),
        ({"beforeUpdatedAt": at(-8).isoformat()}, "ac"),
        ({"sortStart": "asc"}, "acbde"),
        ({"sortEnd": "desc"}, "edbca"),
        ({"sortCreated": "desc"}, "edcba"),
        ({"sortUpdatedAt": "asc"}, "acdeb"),
        ({"take": "2", "skip": "1"}, "bc"),
    ],
)
def test_a_list_is_filtered_ordered_and_cut(bookings: Bookings, params: dict[str, str], expected: str) -> None:
    assert expected == uids(bookings, params)


def test_a_reader_does_not_see_what_its_key_may_not_list(bookings: Bookings) -> None:
    assert "ce" == uids(bookings, {}, View(now=NOW, hidden_event_types=frozenset({1})))


def test_a_reader_does_not_see_what_its_replica_has_not_got(bookings: Bookings) -> None:
    late = booking("f", created=0)
    late.listed_at = at(1)
    bookings.commit(late)

    assert "abcde" == uids(bookings, {})
    assert "abcdef" == uids(bookings, {}, View(now=at(1)))
    assert "abc" == uids(bookings, {}, View(now=NOW, lag=timedelta(hours=8)))


def test_the_block_tells_where_a_page_is() -> None:
    block = pagination(query=read_query({"take": "10", "skip": "20"}), total=25, returned=5)

    assert {
        "totalItems": 25,
        "remainingItems": 0,
        "returnedItems": 5,
        "itemsPerPage": 10,
        "currentPage": 3,
        "totalPages": 3,
        "hasNextPage": False,
        "hasPreviousPage": True,
    } == block


@pytest.mark.parametrize(
    "params",
    [
        {"take": "251"},
        {"take": "0"},
        {"skip": "-1"},
        {"sortStart": "up"},
        {"afterStart": "yesterday"},
        {"status": "lost"},
        {"eventTypeIds": "1,x"},
        {"metadata": "x"},
    ],
)
def test_a_wrong_parameter_is_named_in_the_details(params: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        read_query(params)

    assert (400, "Bad Request Exception") == (refused.value.status, refused.value.message)
    assert refused.value.violations is not None
    assert list(params) == [violation["property"] for violation in refused.value.violations]
