from __future__ import annotations

from itertools import count
from random import Random
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.booking import initial_state
from domain.events import BookingEvent, CalcomBookingFound
from domain.evolving import fold
from projections.booking_row import BookingRow
from projections.bookings import evolve_recorded, summary
from projections.errors import OutOfOrder
from sagas.appending import booking_events
from tests.histories.bookings import history


@settings(max_examples=300)
@given(seed=st.integers(min_value=0, max_value=2**32))
@example(seed=0)
# A late answer, while a person is asked about another attempt.
@example(seed=467953643)
def test_the_row_is_at_every_version_what_the_stream_folds_to(seed: int) -> None:
    recorded = history(Random(seed))
    row: BookingRow | None = None
    booking = initial_state(recorded[0].stream_id)
    for one in recorded:
        row = evolve_recorded(row, [one])
        booking = fold(booking, booking_events([one]))

        assert summary(booking) == row


def test_the_histories_contain_everything_that_can_happen() -> None:
    # What a person has made at Cal.com has a history of its own.
    missing = {one.TOPIC for one in get_args(BookingEvent)} - {CalcomBookingFound.TOPIC}
    seeds = count()
    while missing and (seed := next(seeds)) < 3000:
        missing -= {one.event.TOPIC for one in history(Random(seed))}

    assert set() == missing


def test_an_event_that_comes_again_changes_nothing() -> None:
    first, second = history(Random(5))[:2]
    row = evolve_recorded(None, [first, second])

    assert row == evolve_recorded(row, [first]) == evolve_recorded(row, [first, second])


def test_a_missing_event_is_noticed() -> None:
    first, _, third = history(Random(5))[:3]

    with pytest.raises(OutOfOrder):
        evolve_recorded(None, [first, third])


def test_a_stream_without_its_beginning_is_noticed() -> None:
    second = history(Random(5))[1]

    with pytest.raises(OutOfOrder):
        evolve_recorded(None, [second])
