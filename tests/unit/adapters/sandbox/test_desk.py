"""
Which bookings are accepted, cancelled and moved, and in which words the others are refused.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.sandbox.bookings import Actor, Booking, Bookings, Status
from adapters.sandbox.desk import Circumstances, Desk
from adapters.sandbox.errors import Refusal, Shape
from adapters.sandbox.event_types import EventType, Scheduling, default_event_types
from adapters.sandbox.validation import BookingRequest, booking_request
from tests.unit.adapters.sandbox.clock import NOW

GIVEN = Circumstances(now=NOW)
TAKEN = "User either already has booking at this time or is not available"
TEAM_TAKEN = "One of the hosts either already has booking at this time or is not available"
COLLECTIVE = EventType(id=20, slug="panel", hosts=(1, 2), scheduling=Scheduling.COLLECTIVE)
STRICT = EventType(id=21, slug="strict", hosts=(21,), requires_cancellation_reason=True)


@pytest.fixture
def bookings() -> Bookings:
    return Bookings()


@pytest.fixture
def desk(bookings: Bookings) -> Desk:
    return Desk(bookings=bookings, event_types={**default_event_types(), 20: COLLECTIVE, 21: STRICT})


def at(minutes: int) -> datetime:
    return NOW + timedelta(days=1, minutes=minutes)


def wish(event_type: int = 1, *, minutes: int = 0, email: str = "ada@example.com", **extra: Any) -> BookingRequest:  # noqa: ANN401 - JSON
    attendee = {"name": "Ada", "email": email, "timeZone": "UTC"}
    return booking_request({"eventTypeId": event_type, "start": at(minutes).isoformat(), "attendee": attendee} | extra)


def refusal_of(desk: Desk, request: BookingRequest, given: Circumstances = GIVEN) -> tuple[int, str]:
    with pytest.raises(Refusal) as refused:
        desk.book(request, given=given)
    return refused.value.status, refused.value.message


def book(desk: Desk, request: BookingRequest | None = None) -> Booking:
    return desk.book(request or wish(), given=GIVEN)[0]


def test_a_free_time_is_accepted_with_its_metadata(desk: Desk) -> None:
    booking = book(desk, wish(metadata={"attempt": "1"}))

    assert (Status.ACCEPTED, {"attempt": "1"}, at(30)) == (booking.status, booking.metadata, booking.end)


@pytest.mark.parametrize("request_", [wish(1), wish(2, minutes=-30), wish(1, minutes=29), wish(2, minutes=15)])
def test_a_host_is_never_in_two_places_whatever_the_event_type(desk: Desk, request_: BookingRequest) -> None:
    book(desk)

    assert (400, TAKEN) == refusal_of(desk, request_)


def test_neighbors_and_other_hosts_do_not_disturb(desk: Desk) -> None:
    book(desk)

    assert all(book(desk, request).live for request in (wish(1, minutes=30), wish(1, minutes=-30), wish(3)))


def test_a_race_for_the_same_time_meets_the_unique_key(desk: Desk) -> None:
    book(desk)

    assert (409, "booking_conflict_error") == refusal_of(desk, wish(), replace(GIVEN, raced=True))


def test_a_race_for_an_overlapping_time_is_not_noticed(desk: Desk) -> None:
    book(desk)

    assert desk.book(wish(minutes=15), given=replace(GIVEN, raced=True))[0].live


def test_an_always_open_event_type_takes_everybody(desk: Desk) -> None:
    assert book(desk, wish(12)).uid != book(desk, wish(12)).uid


def test_a_request_for_confirmation_is_pending_and_blocks_nobody(desk: Desk) -> None:
    first, second = book(desk, wish(4)), book(desk, wish(4, email="bob@example.com"))

    assert (Status.PENDING, Status.PENDING) == (first.status, second.status)
    assert first.uid != second.uid


@pytest.mark.parametrize("event_type", [4, 5])
def test_the_same_attendee_gets_the_same_booking_again(desk: Desk, bookings: Bookings, event_type: int) -> None:
    first = book(desk, wish(event_type, metadata={"attempt": "1"}))

    again = book(desk, wish(event_type, metadata={"attempt": "2"}))

    assert (first.uid, {"attempt": "1"}) == (again.uid, again.metadata)
    assert 1 == len(bookings.all())


def test_a_round_robin_goes_on_to_the_next_free_host(desk: Desk) -> None:
    hosts = [book(desk, wish(5, email=f"{name}@example.com")).hosts for name in ("ada", "bob")]

    assert [(4,), (5,)] == hosts
    assert (400, TEAM_TAKEN) == refusal_of(desk, wish(5, email="cleo@example.com"))


def test_a_collective_needs_all_its_hosts(desk: Desk) -> None:
    book(desk, wish(3))

    assert (400, TEAM_TAKEN) == refusal_of(desk, wish(20))


def test_seats_are_taken_until_there_are_none(desk: Desk, bookings: Bookings) -> None:
    for number in range(10):
        book(desk, wish(7, email=f"{number}@example.com"))

    assert (409, "No more seats left at this seated booking.") == refusal_of(desk, wish(7))
    assert 1 == len(bookings.all())


def test_a_recurring_booking_is_several_or_none(desk: Desk, bookings: Bookings) -> None:
    series = desk.book(wish(8, recurrenceCount=3), given=GIVEN)

    assert [at(0) + timedelta(weeks=week) for week in range(3)] == [booking.start for booking in series]
    assert (400, TAKEN) == refusal_of(desk, wish(8, minutes=15))
    assert 3 == len(bookings.all())


@pytest.mark.parametrize(
    ("request_", "status", "text"),
    [
        (wish(99), 404, "Event type with id 99 not found."),
        (wish(1, lengthInMinutes=30), 400, "Can't specify 'lengthInMinutes' because event type does not have"),
        (wish(9, lengthInMinutes=20), 400, "Provided 'lengthInMinutes' is not one of the possible lengths"),
        (wish(1, minutes=-2 * 24 * 60), 400, "Attempting to book a meeting in the past."),
        (wish(1, minutes=800 * 24 * 60), 400, "The event type can't be booked at the"),
    ],
)
def test_what_cannot_be_booked_is_refused_in_cal_coms_words(
    desk: Desk, request_: BookingRequest, status: int, text: str
) -> None:
    refused = refusal_of(desk, request_)

    assert (status, text) == (refused[0], refused[1][: len(text)])


def test_an_event_type_wants_a_key(desk: Desk) -> None:
    assert 401 == refusal_of(desk, wish(11), replace(GIVEN, authenticated=False))[0]
    assert book(desk, wish(11)).live


def test_a_slug_names_an_event_type(desk: Desk) -> None:
    request = replace(wish(), event_type_id=None, slug="checkup-30", owner="host-2")

    assert 3 == book(desk, request).event_type.id
    assert 404 == refusal_of(desk, replace(request, slug="nothing"))[0]


def test_a_cancelled_time_is_free_again(desk: Desk) -> None:
    cancelled = desk.cancel(book(desk).uid, given=GIVEN, reason="compensation")

    assert (Status.CANCELLED, Actor.API, "compensation") == (
        cancelled.status,
        cancelled.cancelled_by,
        cancelled.cancellation_reason,
    )
    assert book(desk).live


def cancel_refusal(desk: Desk, uid: str, given: Circumstances = GIVEN) -> tuple[int, Shape, str]:
    with pytest.raises(Refusal) as refused:
        desk.cancel(uid, given=given)
    return refused.value.status, refused.value.shape, refused.value.message


def test_a_second_cancel_is_refused(desk: Desk) -> None:
    uid = desk.cancel(book(desk).uid, given=GIVEN).uid
    text = (
        f"Can't cancel booking with uid={uid} because it has been cancelled already. Please provide uid of a booking "
        "that is not cancelled."
    )
    raced = "This booking has already been cancelled."

    assert (400, Shape.ENVELOPE, text) == cancel_refusal(desk, uid)
    assert (400, Shape.INNER, raced) == cancel_refusal(desk, uid, replace(GIVEN, raced=True))


def test_what_may_not_be_cancelled_is_refused_in_the_inner_shape(desk: Desk) -> None:
    locked, strict, over = book(desk, wish(6)), book(desk, wish(21)), book(desk)
    later = replace(GIVEN, now=over.end + timedelta(minutes=1))

    assert (400, Shape.INNER, "This event type does not allow cancellations") == cancel_refusal(desk, locked.uid)
    assert (400, Shape.INNER, "Cancellation reason is required") == cancel_refusal(desk, strict.uid)
    assert (400, Shape.INNER, "Cannot cancel a booking that has already ended") == cancel_refusal(desk, over.uid, later)


def test_an_unknown_booking_is_not_found(desk: Desk) -> None:
    assert (404, Shape.ENVELOPE, "Booking with uid=x was not found in the database") == cancel_refusal(desk, "x")


def test_a_moved_booking_is_a_new_one_and_the_old_one_names_it(desk: Desk) -> None:
    old = book(desk, wish(metadata={"attempt": "1"}))

    new = desk.reschedule(old.uid, start=at(15), given=GIVEN, reason="later")

    assert (Status.CANCELLED, new.uid) == (old.status, old.rescheduled_to)
    assert (Status.ACCEPTED, old.uid, {"attempt": "1"}) == (new.status, new.rescheduled_from, new.metadata)
    assert (400, TAKEN) == refusal_of(desk, wish(minutes=30))


@pytest.mark.parametrize("moved", [True, False])
def test_what_is_gone_cannot_be_moved(desk: Desk, moved: bool) -> None:
    old = book(desk)
    ending = desk.reschedule(old.uid, start=at(60), given=GIVEN) if moved else desk.cancel(old.uid, given=GIVEN)

    with pytest.raises(Refusal) as refused:
        desk.reschedule(old.uid, start=at(120), given=GIVEN)

    assert (f"already to booking with uid={ending.uid}" in refused.value.message) == moved


def test_a_move_into_a_taken_time_changes_nothing(desk: Desk) -> None:
    old = book(desk)
    book(desk, wish(minutes=30))

    with pytest.raises(Refusal):
        desk.reschedule(old.uid, start=at(15), given=GIVEN)

    assert Status.ACCEPTED is old.status


def test_a_confirmed_booking_takes_its_time_and_a_declined_one_does_not(desk: Desk, bookings: Bookings) -> None:
    confirmed, declined = book(desk, wish(4)), book(desk, wish(4, minutes=30))
    desk.decide(confirmed.uid, confirmed=True, now=NOW)
    desk.decide(declined.uid, confirmed=False, now=NOW)

    assert (Status.ACCEPTED, Status.REJECTED) == (confirmed.status, declined.status)
    assert not bookings.calendar.is_free(host=3, start=at(0), end=at(30))
    assert bookings.calendar.is_free(host=3, start=at(30), end=at(60))
