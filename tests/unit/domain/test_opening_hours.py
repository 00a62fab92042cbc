"""
Opening hours against a model that asks minute by minute what the clock on the wall shows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.opening_hours import WEEKDAYS, OpeningHours, parse_opening_hours

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu")
# Around both changes of the clocks in Europe, in North America and on Lord Howe, where it changes by half an hour.
DAYS = tuple(datetime(2027, *day, tzinfo=UTC) for day in ((3, 13), (3, 27), (4, 3), (7, 1), (10, 2), (10, 30), (11, 6)))
OFFICE = parse_opening_hours({"mon": [["09:00", "12:30"], ["14:00", "18:00"]], "fri": [["20:00", "24:00"]]})
NIGHT = OpeningHours((((0, 1440),),) * 7)


def closed_by_the_minute(hours: OpeningHours, starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> bool:
    """
    Ask at the start, and then at every whole minute.
    """
    moments = [starts_at]
    moment = starts_at.replace(second=0, microsecond=0) + MINUTE
    while moment < ends_at:
        moments.append(moment)
        moment += MINUTE
    for moment in moments:
        wall = moment.astimezone(zone)
        minute = wall.hour * 60 + wall.minute
        if not any(opens <= minute < closes for opens, closes in hours.days[wall.weekday()]):
            return True
    return False


@st.composite
def days_of(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    marks = sorted({half * 30 for half in draw(st.lists(st.integers(0, 48), max_size=6))})
    open_spans = draw(st.integers(0, 31))
    return tuple(span for place, span in enumerate(pairwise(marks)) if open_spans >> place & 1)


HOURS = st.one_of(
    st.just(NIGHT),
    st.tuples(*(days_of() for _ in range(7))).filter(any).map(OpeningHours),
)


@given(
    hours=HOURS,
    zone=st.sampled_from(ZONES),
    day=st.sampled_from(DAYS),
    seconds=st.integers(0, 3 * 86_400).map(lambda it: it if it % 3 else it // 60 * 60),
    length=st.one_of(st.integers(1, 180), st.sampled_from([720, 1440])),
)
@example(hours=OpeningHours((((0, 120), (120, 1440)),) * 7), zone="Europe/Berlin", day=DAYS[1], seconds=0, length=1440)
def test_an_appointment_is_inside_when_every_minute_is(
    hours: OpeningHours, zone: str, day: datetime, seconds: int, length: int
) -> None:
    starts_at = day + timedelta(seconds=seconds)
    ends_at = starts_at + timedelta(minutes=length)

    closed = hours.first_closed(starts_at, ends_at, zone=ZoneInfo(zone))

    assert closed_by_the_minute(hours, starts_at, ends_at, ZoneInfo(zone)) == (closed is not None)
    if closed is not None:
        assert not closed_by_the_minute(hours, starts_at, closed, ZoneInfo(zone)) or closed <= starts_at
        assert closed_by_the_minute(hours, closed.astimezone(UTC), closed.astimezone(UTC) + MINUTE, ZoneInfo(zone))


@given(HOURS)
def test_hours_survive_being_written_and_read(hours: OpeningHours) -> None:
    assert hours == parse_opening_hours(hours.as_document())


def berlin(day: int, hour: int, minute: int = 0, *, month: int = 3, fold: int = 0) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=BERLIN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("starts_at", "minutes", "closed"),
    [
        (berlin(1, 9), 210, None),
        (berlin(1, 9), 211, "Monday: 09:00 to 12:30 and 14:00 to 18:00"),
        (berlin(1, 8, 59), 30, "Monday: 09:00 to 12:30 and 14:00 to 18:00"),
        (berlin(1, 12, 30), 30, "Monday: 09:00 to 12:30 and 14:00 to 18:00"),
        (berlin(1, 12), 150, "Monday: 09:00 to 12:30 and 14:00 to 18:00"),
        (berlin(1, 17, 30), 30, None),
        (berlin(2, 10), 30, "Tuesday: closed"),
        (berlin(5, 23, 30), 30, None),
        (berlin(5, 23, 30), 31, "Saturday: closed"),
    ],
)
def test_start_and_end_must_be_inside_and_so_must_all_between(
    starts_at: datetime, minutes: int, closed: str | None
) -> None:
    found = OFFICE.first_closed(starts_at, starts_at + timedelta(minutes=minutes), zone=BERLIN)

    assert closed == (None if found is None else OFFICE.on(found))


def test_an_appointment_may_last_over_midnight_where_both_days_are_open() -> None:
    bar = parse_opening_hours({"fri": [["20:00", "24:00"]], "sat": [["00:00", "03:00"]]})

    assert bar.first_closed(berlin(5, 23), berlin(6, 3), zone=BERLIN) is None
    assert berlin(6, 3) == bar.first_closed(berlin(5, 23), berlin(6, 3, 1), zone=BERLIN)


def test_an_hour_that_is_left_out_is_not_waited_for() -> None:
    early = parse_opening_hours({"sun": [["01:00", "04:00"]]})

    # From one o'clock to four there are two hours only, when the clocks go forward.
    assert early.first_closed(berlin(28, 1), berlin(28, 1) + timedelta(hours=2), zone=BERLIN) is None
    assert early.first_closed(berlin(28, 1), berlin(28, 1) + timedelta(hours=2, minutes=1), zone=BERLIN) is not None


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    early = parse_opening_hours({"sun": [["01:00", "03:00"]]})
    short = parse_opening_hours({"sun": [["01:00", "02:30"]]})
    starts_at = berlin(31, 1, month=10)

    assert early.first_closed(starts_at, starts_at + timedelta(hours=3), zone=BERLIN) is None
    closed = short.first_closed(starts_at, starts_at + timedelta(hours=3), zone=BERLIN)
    assert berlin(31, 2, 30, month=10) == (closed and closed.astimezone(UTC))
    again = berlin(31, 2, month=10, fold=1)
    assert short.first_closed(again, again + timedelta(minutes=30), zone=BERLIN) is None


def test_a_week_is_told_in_one_line() -> None:
    assert "mon 09:00-12:30 14:00-18:00, fri 20:00-24:00" == str(OFFICE)


def test_the_order_of_spans_makes_no_difference() -> None:
    assert OFFICE == parse_opening_hours(
        {"fri": [["20:00", "24:00"]], "mon": [["14:00", "18:00"], ["09:00", "12:30"]], "sun": []}
    )


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "must be an object"),
        ([], "must be an object"),
        ("mon", "must be an object"),
        ({}, "open at some time"),
        ({"mon": []}, "open at some time"),
        ({"monday": [["09:00", "10:00"]]}, "must name days"),
        ({"MON": [["09:00", "10:00"]]}, "must name days"),
        ({1: [["09:00", "10:00"]]}, "must name days"),
        ({"tue": None}, "tue: must be a list"),
        ({"tue": "09:00"}, "tue: must be a list"),
        ({"tue": {"09:00": "10:00"}}, "tue: must be a list"),
        ({"tue": ["09:00", "10:00"]}, "tue: must be a list"),
        ({"tue": [["09:00"]]}, "tue: must be a list"),
        ({"tue": [["09:00", "10:00", "11:00"]]}, "tue: must be a list"),
        ({"tue": [[9, 10]]}, "tue: must be a list"),
        ({"tue": [["9:00", "10:00"]]}, "tue: must be a list"),
        ({"tue": [["09:00", "24:01"]]}, "tue: must be a list"),
        ({"tue": [["09:00", "10:60"]]}, "tue: must be a list"),
        ({"tue": [["09:00", "10:00\n"]]}, "tue: must be a list"),
        ({"tue": [["0٩:00", "10:00"]]}, "tue: must be a list"),
        ({"tue": [["09:00", "09:00"]]}, "tue: each span must end"),
        ({"tue": [["22:00", "02:00"]]}, "tue: each span must end"),
        ({"tue": [["24:00", "24:00"]]}, "tue: each span must end"),
        ({"tue": [["09:00", "12:00"], ["11:59", "13:00"]]}, "tue: spans must not overlap"),
        ({"tue": [["09:00", "12:00"], ["09:00", "12:00"]]}, "tue: spans must not overlap"),
    ],
)
def test_nonsense_is_refused_by_the_day(document: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_opening_hours(document)


@pytest.mark.parametrize("days", [(), (((0, 60),),) * 6, (((-1, 60),),) * 7, (((0, 1441),),) * 7])
def test_no_other_week_can_be_made(days: tuple[tuple[tuple[int, int], ...], ...]) -> None:
    with pytest.raises(ValueError, match=r"week|span"):
        OpeningHours(days)


def test_the_days_are_those_of_the_calendar() -> None:
    assert list(WEEKDAYS) == [
        (datetime(2027, 3, 1, tzinfo=UTC) + timedelta(days=n)).strftime("%a").lower() for n in range(7)
    ]
