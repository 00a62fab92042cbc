"""
What the reactions make of a booking's stream: its standing, its customer's engagement, what is to be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.booking import Booking, initial_state
from domain.events import AppointmentBooked, BookingCancelled, BookingInitiated
from domain.evolving import evolve
from domain.moving import BookingRescheduled
from projections.engagement import Engagement, engaged, score_of
from projections.errors import OutOfOrder
from projections.notification_requests import NotificationRequest, requested
from projections.standing import ASKED, BOOKED, CANCELLED, Standing, changes
from sagas.appending import Recorded, booking_events
from tests.histories.bookings import history, wish

SEEDS = st.integers(min_value=0, max_value=2**32)
COUNTS = st.integers(min_value=0, max_value=10_000)


@given(booked=COUNTS, cancelled=COUNTS)
def test_a_score_is_from_0_to_100_and_rises_with_what_is_kept_and_falls_with_what_is_cancelled(
    booked: int, cancelled: int
) -> None:
    booked += cancelled
    score = score_of(booked=booked, cancelled=cancelled)

    assert 0 <= score <= 100
    assert score <= score_of(booked=booked + 1, cancelled=cancelled)
    assert score >= score_of(booked=booked + 1, cancelled=cancelled + 1)
    if booked > cancelled:
        assert score >= score_of(booked=booked, cancelled=cancelled + 1)


@pytest.mark.parametrize(
    ("booked", "cancelled", "score"),
    [(0, 0, 0), (1, 0, 25), (1, 1, 0), (3, 0, 50), (3, 1, 29), (12, 0, 80), (14, 2, 63), (1_000, 0, 100)],
)
def test_scores_are_those_of_the_formula(booked: int, cancelled: int, score: int) -> None:
    assert score == score_of(booked=booked, cancelled=cancelled)


@given(seed=SEEDS)
def test_an_appointment_stands_at_every_version_as_its_stream_folds(seed: int) -> None:
    recorded = history(Random(seed))
    booking = initial_state(recorded[0].stream_id)
    standing: Standing | None = None
    for one in recorded:
        [change] = changes(standing, [one])
        standing = change.after
        for event in booking_events([one]):
            booking = evolve(booking, event)

        assert (_status_of(booking), booking.version) == (standing.status, standing.version)


@given(seed=SEEDS, cuts=st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=9))
def test_neither_the_borders_of_batches_nor_the_order_of_bookings_change_what_is_known_of_a_customer(
    seed: int, cuts: list[int]
) -> None:
    random = Random(seed)
    streams = [_of_one_customer(history(random, wish(number))) for number in range(3)]
    one_after_the_other = [one for stream in streams for one in stream]
    mixed = _mixed(random, streams)

    assert _told(one_after_the_other, [len(one_after_the_other)]) == _told(mixed, cuts)


@given(seed=SEEDS)
def test_a_customer_is_told_once_of_each_booking_move_and_cancellation_of_an_appointment(seed: int) -> None:
    recorded = history(Random(seed))
    told = [request for change in changes(None, recorded) if (request := requested(change)) is not None]
    stands, expected = False, []
    for one in recorded:
        match one.event:
            case AppointmentBooked() if not stands:
                stands = True
                expected.append(("confirmation", one.event.at))
            case BookingRescheduled() if stands:
                expected.append(("move", one.event.at))
            case BookingCancelled() if stands:
                stands = False
                expected.append(("cancellation", one.event.at))
            case _:
                pass

    assert expected == [(one.kind, one.created_at) for one in told]
    assert len(told) == len({one.id for one in told})
    assert {"pending"} >= {one.status for one in told}


def test_a_request_names_nobody() -> None:
    assert ["id", "company_id", "booking_id", "kind", "status", "created_at"] == [
        field.name for field in fields(NotificationRequest)
    ]


def test_what_comes_again_changes_nothing_and_what_is_missing_is_noticed() -> None:
    recorded = history(Random(5))
    known = changes(None, recorded)[-1].after

    assert [] == changes(known, recorded)
    with pytest.raises(OutOfOrder):
        changes(None, [recorded[0], recorded[2]])
    with pytest.raises(OutOfOrder):
        changes(None, [recorded[1]])


def test_a_stream_that_begins_with_something_else_is_noticed() -> None:
    first, second = history(Random(5))[:2]
    stranger = Recorded(
        stream_id=first.stream_id,
        version=1,
        event=second.event,
        append_id="",
        correlation_id="",
        recorded_at=second.recorded_at,
    )

    with pytest.raises(OutOfOrder):
        changes(None, [stranger])


def _status_of(booking: Booking) -> str:
    if booking.appointment_id is None:
        return ASKED
    return BOOKED if booking.appointment_live else CANCELLED


def _of_one_customer(stream: list[Recorded]) -> list[Recorded]:
    """
    Return a stream with another customer, the same one whatever the stream.
    """
    first = stream[0]
    assert isinstance(first.event, BookingInitiated)
    return [replace(first, event=replace(first.event, customer_id=UUID(int=1))), *stream[1:]]


def _mixed(random: Random, streams: Sequence[Sequence[Recorded]]) -> list[Recorded]:
    left = [list(stream) for stream in streams]
    mixed: list[Recorded] = []
    while left := [stream for stream in left if stream]:
        mixed.append(random.choice(left).pop(0))
    return mixed


def _told(
    recorded: Sequence[Recorded], cuts: Sequence[int]
) -> tuple[dict[UUID, Engagement], dict[UUID, NotificationRequest]]:
    """
    Apply events in batches of these lengths, over and over, and return what is known of customers afterwards.
    """
    standings: dict[UUID, Standing] = {}
    customers: dict[UUID, Engagement] = {}
    requests: dict[UUID, NotificationRequest] = {}
    place, turn = 0, 0
    while place < len(recorded):
        batch = recorded[place : place + cuts[turn % len(cuts)]]
        place, turn = place + len(batch), turn + 1
        for stream_id in {one.stream_id for one in batch}:
            changed = changes(standings.get(stream_id), [one for one in batch if one.stream_id == stream_id])
            standings[stream_id] = changed[-1].after
            customers |= engaged(customers, changed)
            requests |= {one.id: one for change in changed if (one := requested(change)) is not None}
    return customers, requests
