"""
``GET /v2/bookings``: filters, order and pages.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from adapters.sandbox import errors
from adapters.sandbox.bookings import Booking, Bookings, Status
from adapters.sandbox.validation import parse_instant

STATUSES = ("upcoming", "recurring", "past", "cancelled", "unconfirmed")
_INSTANTS = ("afterStart", "beforeEnd", "afterCreatedAt", "beforeCreatedAt", "afterUpdatedAt", "beforeUpdatedAt")
_ORDERS = {"sortStart": "start", "sortEnd": "end", "sortCreated": "created_at", "sortUpdatedAt": "updated_at"}
_TEXTS = ("attendeeEmail", "attendeeName", "bookingUid", "eventTypeId", "eventTypeIds", "status", "teamId", "teamsIds")
_KNOWN = frozenset((*_TEXTS, *_INSTANTS, *_ORDERS, "take", "skip"))
_MOST, _USUAL = 250, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """
    A valid question for a list of bookings.
    """

    texts: Mapping[str, str]
    instants: Mapping[str, datetime]
    orders: tuple[tuple[str, bool], ...]
    statuses: frozenset[str]
    event_types: frozenset[int]
    take: int
    skip: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """
    What a reader can see: not the event types that its key may not list, nor what its replica has not got yet.
    """

    now: datetime
    hidden_event_types: frozenset[int] = frozenset()
    lag: timedelta = timedelta()


def read_query(params: Mapping[str, str]) -> Query:
    """
    Read the query string of a list.

    Raises:
        Refusal: 400, from the global pipe.
    """
    instants = {name: parse_instant(params[name]) for name in _INSTANTS if name in params}
    if wrong := _faults(params, instants=instants):
        raise errors.violated(wrong)
    texts = {name: params[name] for name in _TEXTS if name in params}
    if "attendeeEmail" in texts:
        # A plus sign that arrives as a blank is what Cal.com repairs in addresses.
        texts["attendeeEmail"] = texts["attendeeEmail"].replace(" ", "+")
    return Query(
        texts=texts,
        instants={name: at for name, at in instants.items() if at is not None},
        orders=tuple((field, params[name] == "desc") for name, field in _ORDERS.items() if name in params),
        statuses=frozenset(_parts(params, "status")),
        event_types=frozenset(map(int, _parts(params, "eventTypeId", "eventTypeIds"))),
        take=int(params.get("take", _USUAL)),
        skip=int(params.get("skip", 0)),
    )


def list_bookings(bookings: Bookings, *, query: Query, view: View) -> tuple[list[Booking], int]:
    """
    Return a page of the bookings that a reader can see, and how many there are in all.
    """
    accepts = _filter(query, view=view)
    found = [booking for booking in _candidates(bookings, query=query) if accepts(booking)]
    for field, descending in reversed(query.orders):
        found.sort(key=attrgetter(field), reverse=descending)
    return found[query.skip : query.skip + query.take], len(found)


def pagination(*, query: Query, total: int, returned: int) -> dict[str, Any]:
    """
    Write the block that tells a reader where in the list it is.
    """
    pages = -(-total // query.take)
    return {
        "totalItems": total,
        "remainingItems": max(0, total - (query.skip + query.take)),
        "returnedItems": returned,
        "itemsPerPage": query.take,
        "currentPage": query.skip // query.take + 1,
        "totalPages": pages,
        "hasNextPage": query.skip + query.take < total,
        "hasPreviousPage": query.skip > 0,
    }


def _candidates(bookings: Bookings, *, query: Query) -> list[Booking]:
    if "bookingUid" in query.texts:
        found = bookings.find(query.texts["bookingUid"])
        return [found] if found else []
    if "attendeeEmail" in query.texts:
        return bookings.of_email(query.texts["attendeeEmail"])
    only = next(iter(query.event_types)) if len(query.event_types) == 1 else None
    pool = bookings.all() if only is None else bookings.of_event_type(only)
    # Commits are in order of creation, so a look at the last minutes costs the same with a million bookings.
    created = attrgetter("created_at")
    after, before = query.instants.get("afterCreatedAt"), query.instants.get("beforeCreatedAt")
    first = bisect_left(pool, after, key=created) if after else 0
    last = bisect_right(pool, before, key=created) if before else len(pool)
    return pool[first:last]


def _filter(query: Query, *, view: View) -> Callable[[Booking], bool]:
    tests: list[Callable[[Booking], bool]] = [
        lambda booking: booking.listed_at <= view.now and booking.created_at <= view.now - view.lag,
        lambda booking: booking.event_type.id not in view.hidden_event_types,
    ]
    if query.event_types:
        tests.append(lambda booking: booking.event_type.id in query.event_types)
    if name := query.texts.get("attendeeName"):
        tests.append(lambda booking: any(attendee.name == name for attendee in booking.attendees))
    if created_after := query.instants.get("afterCreatedAt"):
        tests.append(lambda booking: booking.created_at >= created_after)
    if created_before := query.instants.get("beforeCreatedAt"):
        tests.append(lambda booking: booking.created_at <= created_before)
    if after := query.instants.get("afterStart"):
        tests.append(lambda booking: booking.start >= after)
    if before := query.instants.get("beforeEnd"):
        tests.append(lambda booking: booking.end <= before)
    if updated_after := query.instants.get("afterUpdatedAt"):
        tests.append(lambda booking: booking.updated_at >= updated_after)
    if updated_before := query.instants.get("beforeUpdatedAt"):
        tests.append(lambda booking: booking.updated_at <= updated_before)
    if query.statuses:
        tests.append(
            lambda booking: any(_has_status(booking, status=status, now=view.now) for status in query.statuses)
        )
    return lambda booking: all(test(booking) for test in tests)


def _has_status(booking: Booking, *, status: str, now: datetime) -> bool:
    match status:
        case "upcoming":
            return booking.live and booking.end >= now
        case "recurring":
            return booking.live and booking.end >= now and bool(booking.recurring_uid)
        case "past":
            return booking.live and booking.end <= now
        case "unconfirmed":
            return booking.status is Status.PENDING and booking.end >= now
        case _:
            return not booking.live


def _faults(params: Mapping[str, str], *, instants: Mapping[str, datetime | None]) -> dict[str, str]:
    wrong = {name: f"property {name} should not exist" for name in params if name not in _KNOWN}
    wrong |= {name: f"{name} must be a valid ISO 8601 date string" for name, at in instants.items() if at is None}
    for name in _ORDERS:
        if params.get(name, "asc") not in {"asc", "desc"}:
            wrong[name] = f'{name} must be either "asc" or "desc".'
    if not set(STATUSES).issuperset(_parts(params, "status")):
        wrong["status"] = f"Invalid status. Allowed are {', '.join(STATUSES)}"
    for name in ("eventTypeId", "eventTypeIds"):
        if not all(part.isdecimal() for part in _parts(params, name)):
            wrong[name] = f"{name} must be numbers"
    if not (take := params.get("take", "1")).isdecimal() or not 1 <= int(take) <= _MOST:
        wrong["take"] = f"take must be a number from 1 to {_MOST}"
    if not params.get("skip", "0").isdecimal():
        wrong["skip"] = "skip must not be less than 0"
    return wrong


def _parts(params: Mapping[str, str], *names: str) -> list[str]:
    return [part for name in names if name in params for part in params[name].split(",")]
