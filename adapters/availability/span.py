"""Which stretch of time is asked about, and the UTC days that it is cached by."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from domain.errors import CustomerValidationError, FieldError
from domain.period import Period
from domain.service import Service
from domain.validation import LONGEST_AHEAD

LONGEST_DAYS = 31
DAY = timedelta(days=1)
_CLOCK_CHANGE = timedelta(hours=1)


def read_span(since: date, until: date, *, zone: tzinfo, now: datetime) -> Period:
    """
    Return the time from `since` on, not before `now`, up to `until`; a date means its whole day in the zone.

    Raises:
        CustomerValidationError: `to` is not after `from`, has passed, or is too far away.

    """
    try:
        starts_at, ends_at = _instant(since, zone), _instant(until, zone, plus_days=1)
    except OverflowError:
        raise CustomerValidationError((FieldError("to", "is out of range"),)) from None
    problem = _problem(starts_at, ends_at, now)
    if problem is not None:
        raise CustomerValidationError((FieldError("to", problem),))
    return Period(starts_at=max(starts_at, now), ends_at=ends_at)


def days_of(period: Period) -> list[date]:
    """Return the UTC days that a period touches."""
    first, last = period.starts_at.date(), (period.ends_at - timedelta.resolution).date()
    return [first + number * DAY for number in range((last - first).days + 1)]


def midnight(day: date) -> datetime:
    """Return when a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def key_of(service: Service, day: date) -> str:
    """Return what the free slots of a day are cached under; an event type with several lengths has several."""
    length = f":{service.duration_minutes}" if service.sends_length else ""
    return f"company:{service.company_id}:availability:{service.calcom_event_type_id}:{day.isoformat()}{length}"


def _instant(given: date, zone: tzinfo, *, plus_days: int = 0) -> datetime:
    if isinstance(given, datetime):
        return given.astimezone(UTC)
    return datetime.combine(given + plus_days * DAY, time(), zone).astimezone(UTC)


def _problem(starts_at: datetime, ends_at: datetime, now: datetime) -> str | None:
    if ends_at <= starts_at:
        return "must be after from"
    if ends_at <= now:
        return "must be in the future"
    if ends_at - starts_at > LONGEST_DAYS * DAY + _CLOCK_CHANGE:
        return f"must be at most {LONGEST_DAYS} days after from"
    return f"must be at most {LONGEST_AHEAD.days} days ahead" if ends_at > now + LONGEST_AHEAD else None
