"""
Which time of each host is taken, and when an event type can be booked at all.
"""

from datetime import UTC, datetime, time, timedelta

from adapters.sandbox import errors
from adapters.sandbox.event_types import EventType

HOUR = 3600


class HostCalendar:
    """
    The taken times of every host, kept by the hour so that asking costs the same with a million bookings.
    """

    def __init__(self) -> None:
        self._hours: dict[tuple[int, int], dict[str, tuple[datetime, datetime]]] = {}

    def take(self, *, host: int, uid: str, start: datetime, end: datetime) -> None:
        """
        Mark a period of a host as taken by a booking.
        """
        for hour in _hours(start, end):
            self._hours.setdefault((host, hour), {})[uid] = (start, end)

    def release(self, *, host: int, uid: str, start: datetime, end: datetime) -> None:
        """
        Give a period back, whether or not it was taken.
        """
        for hour in _hours(start, end):
            if taken := self._hours.get((host, hour)):
                taken.pop(uid, None)
                if not taken:
                    del self._hours[host, hour]

    def is_free(self, *, host: int, start: datetime, end: datetime, ignoring: str = "") -> bool:
        """
        Return whether no booking of the host, except the ignored one, overlaps the period.
        """
        for hour in _hours(start, end):
            for uid, (taken_from, taken_until) in self._hours.get((host, hour), {}).items():
                if taken_from < end and start < taken_until and uid != ignoring:
                    return False
        return True


def check_bounds(event_type: EventType, *, start: datetime, end: datetime, now: datetime) -> None:
    """
    Refuse a time that is past, too soon, or too far ahead, in the order in which Cal.com does.
    """
    if start < now:
        raise errors.in_the_past()
    if not within_window(event_type, start=start, now=now):
        raise errors.out_of_bounds()
    if not within_opening_hours(event_type, start=start, end=end):
        raise errors.host_unavailable() if len(event_type.hosts) == 1 else errors.hosts_unavailable()


def within_window(event_type: EventType, *, start: datetime, now: datetime) -> bool:
    """
    Return whether the start honors the minimum notice and the booking window.
    """
    earliest = now + timedelta(minutes=event_type.minimum_notice)
    return earliest <= start <= now + timedelta(days=event_type.window_days)


def within_opening_hours(event_type: EventType, *, start: datetime, end: datetime) -> bool:
    """
    Return whether the whole period lies in the opening hours of one day.
    """
    if event_type.opening_hours is None:
        return True
    opens, closes = (
        datetime.combine(start.astimezone(UTC).date(), time.fromisoformat(clock), UTC)
        for clock in event_type.opening_hours
    )
    return opens <= start and end <= closes


def _hours(start: datetime, end: datetime) -> range:
    return range(int(start.timestamp() // HOUR), int(-(-end.timestamp() // HOUR)))
