"""
The calls that calsaga makes: their paths, and the version header that each group wants.

Cal.com API v2: a missing or unknown `cal-api-version` silently becomes 2024-04-15, with
old endpoints of another shape; `/v2/me` has no version.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

BOOKINGS = "2024-08-13"
SLOTS = "2024-09-04"
EVENT_TYPES = "2024-06-14"

PAGE = 250
"""The most bookings that Cal.com gives on one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call; `spends_reserve` if it may use what the rate limit keeps for looks and compensations."""

    op: str
    method: str
    target: str
    version: str | None
    spends_reserve: bool = True


_CREATE = Call(op="create", method="POST", target="/v2/bookings", version=BOOKINGS, spends_reserve=False)
_ME = Call(op="me", method="GET", target="/v2/me", version=None, spends_reserve=False)


def create() -> Call:
    """Ask for a booking."""
    return _CREATE


def get(uid: str) -> Call:
    """Read one booking."""
    return Call(op="get", method="GET", target=f"/v2/bookings/{_segment(uid)}", version=BOOKINGS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By which moment a list is filtered and sorted: Cal.com's parameters, and the field of a row."""

    after: str
    sort: str
    field: str


BY_CREATION = Order(after="afterCreatedAt", sort="sortCreated", field="createdAt")
BY_CHANGE = Order(after="afterUpdatedAt", sort="sortUpdatedAt", field="updatedAt")
BY_START = Order(after="afterStart", sort="sortStart", field="start")


def list_ordered(*, event_type_id: int, since: str, skip: int, order: Order = BY_CREATION, take: int = PAGE) -> Call:
    """Read a page of an event type's bookings of every status, oldest first; `since` is inclusive."""
    query = urlencode({"eventTypeId": event_type_id, order.after: since, order.sort: "asc", "take": take, "skip": skip})
    return Call(op="list", method="GET", target=f"/v2/bookings?{query}", version=BOOKINGS)


def cancel(uid: str) -> Call:
    """Cancel a booking."""
    return Call(op="cancel", method="POST", target=f"/v2/bookings/{_segment(uid)}/cancel", version=BOOKINGS)


def reschedule(uid: str) -> Call:
    """Move a booking, which gets a new uid."""
    target = f"/v2/bookings/{_segment(uid)}/reschedule"
    return Call(op="reschedule", method="POST", target=target, version=BOOKINGS, spends_reserve=False)


def event_type(event_type_id: int) -> Call:
    """Read an event type."""
    target = f"/v2/event-types/{event_type_id}"
    return Call(op="event_type", method="GET", target=target, version=EVENT_TYPES)


def me() -> Call:
    """Read whose key it is."""
    return _ME


def slots(
    *, event_type_id: int, starts_at: datetime, ends_at: datetime, time_zone: str, duration_minutes: int | None
) -> Call:
    """Read the free slots of an event type; a duration only for one with several lengths."""
    query = {
        "eventTypeId": str(event_type_id),
        "start": instant(starts_at),
        "end": instant(ends_at),
        "timeZone": time_zone,
    }
    if duration_minutes is not None:
        query["duration"] = str(duration_minutes)
    return Call(op="slots", method="GET", target=f"/v2/slots?{urlencode(query)}", version=SLOTS, spends_reserve=False)


def instant(moment: datetime) -> str:
    """Write an instant of UTC as Cal.com does, to the millisecond."""
    return f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"


def _segment(uid: str) -> str:
    # A dot alone would be taken for a step in the path.
    return quote(uid, safe="") if uid.strip(".") else "%20"
