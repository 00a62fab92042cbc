"""
Taken time, and the times at which an event type can be booked.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sandbox.availability import HostCalendar, check_bounds, within_opening_hours
from adapters.sandbox.errors import Refusal
from adapters.sandbox.event_types import EventType
from tests.unit.adapters.sandbox.clock import NOW

PERIODS = st.lists(st.tuples(st.integers(0, 600), st.integers(1, 200)), max_size=12)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


@given(taken=PERIODS, start=st.integers(0, 600), length=st.integers(1, 200))
def test_a_period_is_free_exactly_when_nothing_overlaps_it(
    taken: list[tuple[int, int]], start: int, length: int
) -> None:
    calendar = HostCalendar()
    for number, (begin, minutes) in enumerate(taken):
        calendar.take(host=1, uid=str(number), start=at(begin), end=at(begin + minutes))

    free = not any(begin < start + length and start < begin + minutes for begin, minutes in taken)

    assert free == calendar.is_free(host=1, start=at(start), end=at(start + length))


@given(taken=PERIODS)
def test_what_is_released_leaves_nothing_behind(taken: list[tuple[int, int]]) -> None:
    calendar = HostCalendar()
    for number, (begin, minutes) in enumerate(taken):
        calendar.take(host=1, uid=str(number), start=at(begin), end=at(begin + minutes))
    for number, (begin, minutes) in enumerate(taken):
        calendar.release(host=1, uid=str(number), start=at(begin), end=at(begin + minutes))

    assert calendar.is_free(host=1, start=at(0), end=at(1000))


def test_a_booking_does_not_stand_in_its_own_way() -> None:
    calendar = HostCalendar()
    calendar.take(host=1, uid="mine", start=at(0), end=at(30))

    assert calendar.is_free(host=1, start=at(15), end=at(45), ignoring="mine")
    assert calendar.is_free(host=2, start=at(15), end=at(45))


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (-1, "Attempting to book a meeting in the past."),
        (59, 'The event type can\'t be booked at the "start" time provided.'),
        (60 * 24 * 31, 'The event type can\'t be booked at the "start" time provided.'),
    ],
)
def test_a_time_out_of_bounds_is_refused(minutes: int, text: str) -> None:
    event_type = EventType(id=1, slug="x", minimum_notice=60, window_days=30)

    with pytest.raises(Refusal) as refused:
        check_bounds(event_type, start=at(minutes), end=at(minutes + 30), now=NOW)

    assert refused.value.message.startswith(text)


@pytest.mark.parametrize(("minutes", "is_open"), [(59, False), (60, True), (510, True), (511, False)])
def test_a_period_lies_within_the_opening_hours_or_not(minutes: int, is_open: bool) -> None:
    event_type = EventType(id=1, slug="x", opening_hours=("09:00", "17:00"))

    assert is_open == within_opening_hours(event_type, start=at(minutes), end=at(minutes + 30))
