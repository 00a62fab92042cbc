"""
Hours of the day that are bad again and again, and those that only look so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.health_hours import Habit, Hour, habits

BEGAN = datetime(2027, 3, 1, tzinfo=UTC)


def week(unwell: Callable[[int, int], int], *, days: int = 7, checks: int = 120) -> list[Hour]:
    """
    Return the hours of a week; `unwell` says how many checks of an hour of a day found the service unwell.
    """
    return [
        Hour(begins_at=BEGAN + timedelta(days=day, hours=hour), checks=checks, unwell=unwell(day, hour))
        for day in range(days)
        for hour in range(24)
    ]


def test_a_week_without_trouble_has_no_habits() -> None:
    assert () == habits(week(lambda _day, _hour: 0))


@pytest.mark.parametrize("bad_days", [3, 5, 7])
def test_an_hour_that_is_bad_on_several_days_and_no_other_is_one(bad_days: int) -> None:
    found = habits(week(lambda day, hour: 30 if hour == 3 and day < bad_days else 0))

    assert (Habit(hour=3, bad_days=bad_days, days=7),) == found


def test_an_hour_that_was_bad_twice_is_none() -> None:
    assert () == habits(week(lambda day, hour: 120 if hour == 3 and day < 2 else 0))


def test_where_every_hour_is_bad_none_is_worse() -> None:
    assert () == habits(week(lambda _day, _hour: 60))


def test_where_a_third_of_the_hours_is_bad_four_of_seven_are_nothing() -> None:
    def often(day: int, hour: int) -> int:
        return 60 if (hour == 3 and day < 4) or (hour != 3 and (day + hour) % 3 == 0) else 0

    assert () == habits(week(often))


def test_one_day_that_was_bad_from_end_to_end_makes_no_habit() -> None:
    assert () == habits(week(lambda day, _hour: 120 if day == 2 else 0))


def test_a_few_failures_make_no_bad_hour() -> None:
    assert () == habits(week(lambda _day, hour: 5 if hour == 3 else 0))
    assert habits(week(lambda _day, hour: 6 if hour == 3 else 0))


def test_hours_with_few_checks_are_not_judged() -> None:
    assert () == habits(week(lambda _day, hour: 10 if hour == 3 else 0, checks=19))
    assert habits(week(lambda _day, hour: 10 if hour == 3 else 0, checks=20))


def test_of_nothing_there_are_no_habits() -> None:
    assert () == habits([])
