"""
``GET /v2/slots``: which starts of an event type are free.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adapters.sandbox import errors
from adapters.sandbox.availability import HostCalendar, within_opening_hours, within_window
from adapters.sandbox.event_types import EventType, Scheduling
from adapters.sandbox.representation import instant
from adapters.sandbox.validation import known_time_zone, parse_instant

_DATE_LENGTH = len("2050-09-05")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotQuery:
    """
    A valid question for slots.
    """

    event_type: EventType
    start: datetime
    end: datetime
    length: timedelta
    zone: str
    ranges: bool
    ignoring: str


def read_query(params: Mapping[str, str], *, event_types: Mapping[int, EventType]) -> SlotQuery:
    """
    Read the query string of a question for slots.

    Raises:
        Refusal: 400 for a bad parameter, 404 for an unknown event type.
    """
    start, end = parse_instant(params.get("start")), parse_instant(params.get("end"))
    if start is None:
        raise errors.bad_request("start property is wrong,start must be a valid ISO 8601 date string ")
    if end is None:
        raise errors.bad_request("end property is wrong,end must be a valid ISO 8601 date string ")
    if len(params["end"]) == _DATE_LENGTH:
        end += timedelta(days=1, seconds=-1)
    if end < start:
        raise errors.bad_request("Invalid time range given - start is after end.")
    zone = params.get("timeZone", "UTC")
    if not known_time_zone(zone):
        raise errors.bad_request("timeZone property is wrong,timeZone must be a valid IANA time-zone ")
    event_type = _event_type(params, event_types=event_types)
    duration = params.get("duration", str(event_type.length))
    if not duration.isdecimal():
        raise errors.bad_request("duration property is wrong,duration must be a number ")
    return SlotQuery(
        event_type=event_type,
        start=start,
        end=end,
        length=timedelta(minutes=int(duration)),
        zone=zone,
        ranges=params.get("format") == "range",
        ignoring=params.get("bookingUidToReschedule", ""),
    )


def free_slots(query: SlotQuery, *, calendar: HostCalendar, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """
    Return the free slots by date, both in the zone that was asked for.
    """
    zone = ZoneInfo(query.zone)
    days: dict[str, list[dict[str, Any]]] = {}
    for start in _starts(query, now=now):
        end = start + query.length
        if _is_free(query, calendar=calendar, start=start, end=end):
            local = start.astimezone(zone)
            slot = {"start": _write(start, zone=zone)} | ({"end": _write(end, zone=zone)} if query.ranges else {})
            days.setdefault(local.date().isoformat(), []).append(slot)
    return days


def _starts(query: SlotQuery, *, now: datetime) -> Iterator[datetime]:
    latest = min(query.end, now + timedelta(days=query.event_type.window_days))
    earliest = max(query.start, now)
    midnight = datetime(earliest.year, earliest.month, earliest.day, tzinfo=UTC)
    start = midnight - (midnight - earliest) // query.length * query.length
    while start <= latest:
        end = start + query.length
        if within_window(query.event_type, start=start, now=now) and within_opening_hours(
            query.event_type, start=start, end=end
        ):
            yield start
        start += query.length


def _is_free(query: SlotQuery, *, calendar: HostCalendar, start: datetime, end: datetime) -> bool:
    event_type = query.event_type
    if event_type.always_open:
        return True
    free = (calendar.is_free(host=host, start=start, end=end, ignoring=query.ignoring) for host in event_type.hosts)
    return any(free) if event_type.scheduling is Scheduling.ROUND_ROBIN else all(free)


def _event_type(params: Mapping[str, str], *, event_types: Mapping[int, EventType]) -> EventType:
    wanted, slug = params.get("eventTypeId", ""), params.get("eventTypeSlug", "")
    found = event_types.get(int(wanted)) if wanted.isdecimal() else None
    if found is None and slug:
        found = next((event_type for event_type in event_types.values() if event_type.slug == slug), None)
    if found is None:
        raise errors.Refusal(status=404, message="Event Type not found")
    return found


def _write(moment: datetime, *, zone: ZoneInfo) -> str:
    return instant(moment) if zone.key in {"UTC", "GMT"} else moment.astimezone(zone).isoformat(timespec="milliseconds")
