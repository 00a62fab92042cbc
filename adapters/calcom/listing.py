"""
One whole list of an event type's bookings, read for the attempts that it carries.

Pages by offset drift while others write: a row that leaves the list pulls the next one
over the edge. So a page is asked for from the moment of the last row seen on (which
Cal.com takes as inclusive), a millisecond earlier for good measure; the offset is used
only among rows of one instant. A list that cannot be read to its end proves nothing.

Nor does a list whose reader is blind: what a key may not see Cal.com leaves out without a
word. So the key must be able to read the event type itself once the list is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.calcom import endpoints
from adapters.calcom.answers import Unreadable, is_success, read, read_as, read_envelope
from adapters.calcom.endpoints import BY_CREATION, Order
from adapters.calcom.models import ATTEMPT_KEY, BookingAnswer, Identified
from adapters.calcom.paced import Sender
from adapters.calcom.reading import failure_of
from adapters.calcom.replies import Answer
from adapters.calcom.wire import Wire
from sagas.ports import Clock

PAGE_LIMIT = 16 * 1024 * 1024
"""How many bytes a page may have: 250 bookings with as much metadata as Cal.com allows."""

NO_ACCESS = frozenset({403, 404})
"""How Cal.com answers a key that may not see an event type."""

_OVERLAP = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """
    The bookings of ours in a list, by attempt.

    `started_at` is when the first page was asked for. An attempt in `unreadable` is in
    the list, but its booking cannot be read.
    """

    started_at: datetime
    bookings: Mapping[str, tuple[BookingAnswer, ...]]
    unreadable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFailed:
    """The list could not be read to its end, or not by somebody who sees what stands in it."""

    started_at: datetime
    reason: str


@dataclass(slots=True)
class _Found:
    by_uid: dict[str, BookingAnswer] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)

    def add(self, row: object) -> None:
        if not isinstance(row, dict):
            raise Unreadable("a row of the list is no booking")
        metadata = row.get("metadata")
        if metadata is None:
            return
        if not isinstance(metadata, dict):
            raise Unreadable("a row of the list has metadata of another shape")
        attempt_id = metadata.get(ATTEMPT_KEY)
        if not isinstance(attempt_id, str):
            return
        try:
            booking = read_as(row, BookingAnswer)
        except Unreadable:
            self.unreadable.add(attempt_id)
        else:
            self.by_uid[booking.uid] = booking

    def by_attempt(self) -> dict[str, tuple[BookingAnswer, ...]]:
        found: dict[str, tuple[BookingAnswer, ...]] = {}
        for booking in self.by_uid.values():
            found[booking.attempt_id or ""] = (*found.get(booking.attempt_id or "", ()), booking)
        return found


async def list_bookings(wire: Wire, *, clock: Clock, event_type_id: int, since: datetime) -> Listing | ListingFailed:
    """Read every page of an event type's bookings created from `since` on, of whatever status."""
    started_at = clock.now()
    found = _Found()
    problem = await read_pages(
        wire, event_type_id=event_type_id, since=since, order=BY_CREATION, take=found.add
    ) or await blindness(wire, event_type_id)
    if problem is not None:
        return ListingFailed(started_at=started_at, reason=problem)
    return Listing(started_at=started_at, bookings=found.by_attempt(), unreadable=frozenset(found.unreadable))


async def read_pages(
    wire: Sender, *, event_type_id: int, since: datetime, order: Order, take: Callable[[object], None]
) -> str | None:
    """Hand over every row of a list, and return why it could not be read to its end."""
    cursor, skip = since, 0
    try:
        while True:
            call = endpoints.list_ordered(
                event_type_id=event_type_id, since=endpoints.instant(cursor), skip=skip, order=order
            )
            reply = await wire.send(call, size_limit=PAGE_LIMIT)
            if not isinstance(reply, Answer) or not is_success(reply):
                return failure_of(reply).reason
            rows, has_next = _page(reply)
            for row in rows:
                take(row)
            if not has_next:
                return None
            following = _last_moment(rows, order) - _OVERLAP
            cursor, skip = (following, 0) if following > cursor else (cursor, skip + len(rows))
    except Unreadable:
        return "unreadable"


async def blindness(wire: Sender, event_type_id: int) -> str | None:
    """Return why it is not known that the key sees this event type's bookings, or None if it does: ask after a list."""
    reply = await wire.send(endpoints.event_type(event_type_id))
    if not isinstance(reply, Answer):
        return failure_of(reply).reason
    if reply.status in NO_ACCESS:
        return "cannot_see"
    if not is_success(reply):
        return failure_of(reply).reason
    try:
        return None if read(reply, Identified).id == event_type_id else "unreadable"
    except Unreadable:
        return "unreadable"


def _page(answer: Answer) -> tuple[list[object], bool]:
    envelope = read_envelope(answer)
    rows, pagination = envelope.get("data"), envelope.get("pagination")
    has_next = pagination.get("hasNextPage") if isinstance(pagination, dict) else None
    if not isinstance(rows, list) or not isinstance(has_next, bool):
        raise Unreadable("the answer is no page of a list")
    if has_next and not rows:
        raise Unreadable("an empty page announces another")
    return rows, has_next


def _last_moment(rows: list[object], order: Order) -> datetime:
    # The next page is asked for by the last row, so the order must be the one asked for.
    told = [row.get(order.field) if isinstance(row, dict) else None for row in rows]
    try:
        moments = [datetime.fromisoformat(moment) for moment in told if isinstance(moment, str)]
        if len(moments) < len(rows) or moments != sorted(moments):
            raise Unreadable("the list is not in the order asked for")
    except (ValueError, TypeError) as error:
        raise Unreadable("the list holds something that is no instant") from error
    if moments[-1].utcoffset() != timedelta(0):
        raise Unreadable("the list holds an instant that is not UTC")
    return moments[-1]
