"""
When a service may take place: spans of wall-clock time by weekday, read in one time zone.

Twice a year a wall clock jumps, so that an open hour may be missing or come twice. An
appointment is inside when the clock on the wall shows an open time from its first
instant to its last.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""Minutes after midnight, half-open; 1440 is the midnight at the end of the day."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = 24 * 60
_MINUTE = timedelta(minutes=1)
_SPANS = 'must be a list of spans such as ["09:00", "12:30"]'
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The open spans of each day, from Monday on; a day without spans is closed."""

    days: tuple[tuple[Span, ...], ...]

    def __post_init__(self) -> None:
        """Refuse a week that has not seven days or never opens, and spans that are empty, out of order or overlap."""
        if len(self.days) != len(WEEKDAYS):
            raise ValueError("a week has seven days")
        if not any(self.days):
            raise ValueError("must be open at some time; leave opening_hours out if any time will do")
        for weekday, spans in zip(WEEKDAYS, self.days, strict=True):
            if any(not 0 <= opens < closes <= _DAY for opens, closes in spans):
                raise ValueError(f"{weekday}: each span must end after it begins")
            if any(later[0] < sooner[1] for sooner, later in pairwise(spans)):
                raise ValueError(f"{weekday}: spans must not overlap")

    def first_closed(self, starts_at: datetime, ends_at: datetime, *, zone: tzinfo) -> datetime | None:
        """Return the first closed moment in `[starts_at, ends_at)`, on the zone's clock, or None if there is none."""
        moment = starts_at
        while moment < ends_at:
            local = moment.astimezone(zone)
            open_for = self._open_for(local)
            if open_for is None:
                return local
            closing = min(moment + open_for, ends_at)
            if closing.astimezone(zone).utcoffset() != local.utcoffset():
                # The clock jumps on the way: go to the next minute only, and look again.
                closing = moment.replace(second=0, microsecond=0) + _MINUTE
            moment = closing
        return None

    def on(self, day: datetime) -> str:
        """Say a day's hours for people: `Monday: 09:00 to 12:30 and 14:00 to 18:00`."""
        weekday = day.weekday()
        spans = " and ".join(f"{_written(opens)} to {_written(closes)}" for opens, closes in self.days[weekday])
        return f"{_NAMES[weekday]}: {spans or 'closed'}"

    def __str__(self) -> str:
        """Return the week in one line: `mon 09:00-12:30 14:00-18:00, sat 09:00-12:00`."""
        days = self.as_document().items()
        return ", ".join(f"{day} {' '.join('-'.join(span) for span in spans)}" for day, spans in days)

    def as_document(self) -> dict[str, list[list[str]]]:
        """Return what `parse_opening_hours` takes; closed days are left out."""
        return {
            weekday: [[_written(opens), _written(closes)] for opens, closes in spans]
            for weekday, spans in zip(WEEKDAYS, self.days, strict=True)
            if spans
        }

    def _open_for(self, local: datetime) -> timedelta | None:
        """Return how long it stays open by this clock, or None if it is closed."""
        since = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        for opens, closes in self.days[local.weekday()]:
            if timedelta(minutes=opens) <= since < timedelta(minutes=closes):
                return timedelta(minutes=closes) - since
        return None


def parse_opening_hours(document: object) -> OpeningHours:
    """
    Return the hours that a document means: `{"mon": [["09:00", "12:30"], ["14:00", "18:00"]]}`.

    Raises:
        ValueError: it means none; the message says on which day.

    """
    match document:
        case Mapping() if document.keys() <= set(WEEKDAYS):
            return OpeningHours(tuple(_spans(weekday, document.get(weekday, [])) for weekday in WEEKDAYS))
        case Mapping():
            raise ValueError(f"must name days as {', '.join(WEEKDAYS)}")
        case _:
            raise ValueError('must be an object such as {"mon": [["09:00", "12:30"], ["14:00", "18:00"]]}')


def _spans(weekday: str, given: object) -> tuple[Span, ...]:
    match given:
        case list():
            return tuple(sorted(_span(weekday, one) for one in given))
        case _:
            raise ValueError(f"{weekday}: {_SPANS}")


def _span(weekday: str, given: object) -> Span:
    match given:
        case [str() as opens, str() as closes] if _TIME.fullmatch(opens) and _TIME.fullmatch(closes):
            return _minutes(opens), _minutes(closes)
        case _:
            raise ValueError(f"{weekday}: {_SPANS}")


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _written(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
