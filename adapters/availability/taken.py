"""The time that is taken here, put so that a slot is found in it at once."""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime

from domain.period import Period


class TakenTime:
    """Periods in order, joined where they overlap or touch."""

    def __init__(self, periods: Iterable[Period]) -> None:
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        for one in sorted(periods, key=lambda it: it.starts_at):
            if self._ends and one.starts_at <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], one.ends_at)
            else:
                self._starts.append(one.starts_at)
                self._ends.append(one.ends_at)

    def overlaps(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Tell whether any of it lies in `[starts_at, ends_at)`."""
        last_before = bisect_left(self._starts, ends_at) - 1
        return last_before >= 0 and self._ends[last_before] > starts_at
