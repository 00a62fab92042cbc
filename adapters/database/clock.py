"""The database's time, between two readings carried on by a clock that nobody sets."""

import math
import time
from datetime import UTC, datetime, timedelta
from threading import Lock

# On Linux it runs on while the machine sleeps; where it is missing, the monotonic clock has to do.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Return seconds since this machine was started."""
    return time.clock_gettime(_CLOCK)


STANDS_STILL = timedelta(milliseconds=50)
"""By how much a better reading may be behind; a clock that is further behind was set, and is followed."""


class DatabaseClock:
    """
    Tell the database's time.

    A reading is as exact as its round trip was short. The most exact one is kept until
    a later one proves it wrong, because one of both clocks has drifted or was set.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # Seconds since 1970, since every step of every booking asks, and sums of instants take four times as long.
        self._started_at: float | None = None
        self._doubt = math.inf
        self._latest = datetime.min.replace(tzinfo=UTC)

    def observe(self, instant: datetime, *, asked_at: float, unit: timedelta = timedelta(0)) -> None:
        """
        Take note of an instant that the database told.

        It was read after `asked_at` (see `elapsed`) and before now, and cut off to whole
        units.
        """
        answered_at = elapsed()
        half_a_unit = unit.total_seconds() / 2
        doubt = (answered_at - asked_at) / 2 + half_a_unit
        started_at = instant.timestamp() + half_a_unit - (asked_at + answered_at) / 2
        with self._lock:
            if self._started_at is None or doubt < self._doubt or self._contradicts(started_at, doubt):
                self._started_at = started_at
                self._doubt = doubt

    def _contradicts(self, started_at: float, doubt: float) -> bool:
        return self._started_at is not None and abs(started_at - self._started_at) > doubt + self._doubt

    def now(self) -> datetime:
        """
        Return the instant, aware and UTC.

        Raises:
            LookupError: the database's time was never read.

        """
        started_at = self._started_at
        if started_at is None:
            raise LookupError("the database's time is not known yet")
        instant = datetime.fromtimestamp(started_at + elapsed(), UTC)
        latest = self._latest
        # A better reading may say that it is a little earlier: then time stands still, and does not run backwards.
        if instant < latest and latest - instant < STANDS_STILL:
            return latest
        self._latest = instant
        return instant
