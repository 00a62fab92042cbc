"""
The ten invariants of the design, asked of a world that has become quiet.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from uuid import UUID

from domain.booking import Booking, BookingStatus
from domain.events import (
    AppointmentBooked,
    BookingCancelled,
    BookingEvent,
    BookingFailed,
    BookingInitiated,
    CancellationRequested,
)
from domain.ledger import Line
from tests.fakes.calcom import CalcomBooking
from tests.fakes.rows import AppointmentRow
from tests.properties.plan import WishName
from tests.properties.world import World

_FINAL = frozenset({BookingStatus.FAILED, BookingStatus.CANCELLED})


def broken(world: World) -> list[str]:
    """
    Return every invariant that does not hold, in words; bookings in review are excluded, as the design says.
    """
    return [
        *world.faults,
        *_of_bookings(world),
        *_of_composites(world),
        *_of_the_log(world),
        *_of_callers(world),
        *_of_rows(world),
    ]


def _of_bookings(world: World) -> Iterator[str]:
    for whole, booking in _parts(world):
        if whole.status is BookingStatus.NEEDS_REVIEW:
            continue
        name = f"{booking.booking_id} {booking.leg} ({booking.status})"
        live = [one for line in booking.ledger.lines for one in _made_by(world, line) if one.is_live]
        live = list({one.uid: one for one in live}.values())
        row = _row(world, booking)
        booked = row is not None and row.booked
        if len(live) > 1:
            yield f"1: {name} has {len(live)} live bookings at Cal.com"
        if live and not booked:
            yield f"2: {name} is live at Cal.com and has no appointment"
        if booked and not live:
            yield f"3: {name} has an appointment and is not live at Cal.com"
        if booked and live and row is not None:
            yield from _differences(name, row, live[0])
        if booked != (booking.status is BookingStatus.BOOKED):
            yield f"3: {name} is told as {booking.status} while the row says booked={booked}"
        if booking.ledger.open or booking.ledger.presumed_absent or booking.surplus:
            yield f"6: {name} is quiet with open lines {booking.ledger}"
        if booking.ended is None:
            yield f"6: {name} is quiet and not over"
        uids = [line.uid for line in booking.ledger.lines if line.uid is not None]
        if len(set(uids)) < len(uids):
            yield f"6: {name} has a uid in two lines: {uids}"


def _parts(world: World) -> Iterator[tuple[Booking, Booking]]:
    """
    Yield each ordinary booking and each leg, with the booking that it belongs to.
    """
    for whole in world.bookings():
        yield from ((whole, part) for part in whole.legs or (whole,))


def _of_composites(world: World) -> Iterator[str]:
    for whole in world.bookings():
        touched = any(it.touched for line in whole.ledger.lines for it in _made_by(world, line))
        if whole.legs and whole.status is not BookingStatus.NEEDS_REVIEW and not touched:
            stands = [leg.status is BookingStatus.BOOKED for leg in whole.legs]
            if any(stands) != all(stands):
                yield f"all or none: {whole.booking_id} has legs that are {[leg.status for leg in whole.legs]}"


def _differences(name: str, row: AppointmentRow, live: CalcomBooking) -> Iterator[str]:
    here = (row.inserted.calcom_booking_uid, row.inserted.starts_at, row.inserted.ends_at)
    there = (live.uid, live.starts_at, live.ends_at)
    if here != there:
        yield f"3: {name} is {here} here and {there} at Cal.com"


def _of_the_log(world: World) -> Iterator[str]:
    for _, part in _parts(world):
        booking_id = f"{part.booking_id} {part.leg}"
        events = _events(world, part)
        for kind in (BookingInitiated, AppointmentBooked, BookingFailed, BookingCancelled):
            if sum(isinstance(one, kind) for one in events) > 1:
                yield f"4: {booking_id} has more than one {kind.__name__}"
        ends = {type(one) for one in events} & {AppointmentBooked, BookingFailed}
        if len(ends) > 1:
            yield f"4: {booking_id} was booked and failed"
        cancelled = any(isinstance(one, BookingCancelled) for one in events)
        cleared = any(isinstance(one, BookingCancelled) and one.reason == "cancelled_at_calcom" for one in events)
        if cancelled and not cleared and not any(isinstance(one, CancellationRequested) for one in events):
            yield f"4: {booking_id} was cancelled and nobody asked"
    ours = {line.attempt_id for booking in world.bookings() for line in booking.ledger.lines}
    for uid in world.calcom.cancelled_by_us:
        if world.calcom.bookings[uid].attempt_id not in ours:
            yield f"10: {uid} is not ours, and we cancelled it"
    for _, booking in _parts(world):
        for line in booking.ledger.lines:
            kept_ones = [one for one in world.calcom.of(line.attempt_id) if one.uid in world.calcom.cancelled_by_us]
            if kept_ones and booking.status is BookingStatus.BOOKED and booking.kept_uid in {x.uid for x in kept_ones}:
                yield f"3: {booking.booking_id} is booked, and we cancelled its {booking.kept_uid}"


def _of_callers(world: World) -> Iterator[str]:
    by_wish: dict[WishName, set[UUID]] = {}
    for told in world.told:
        then = told.result.booking
        now = world.log.booking(then.booking_id)
        if now.version < then.version or not then.version:
            yield f"5: a caller was told of {then.booking_id} at version {then.version}, the log has {now.version}"
        cancelling = now.cancellation is not None or now.review is not None or _cancelled_there(world, now)
        if then.status is BookingStatus.BOOKED and now.status is not BookingStatus.BOOKED and not cancelling:
            yield f"5: a caller was told that {then.booking_id} is booked, and it is {now.status}"
        if then.status in _FINAL and now.status not in {then.status, BookingStatus.NEEDS_REVIEW}:
            yield f"4: a caller was told that {then.booking_id} is {then.status}, and it is {now.status}"
        if told.wish is None and then.cancellation is None and then.status not in _FINAL:
            yield f"5: a cancellation of {then.booking_id} was answered and is not in the log"
        if told.wish in {"a by key", "a by key again"}:
            by_wish.setdefault("a by key", set()).add(then.booking_id)
        if told.wish in {"row by key", "row by key again"}:
            by_wish.setdefault("row by key", set()).add(then.booking_id)
    if any(len(ids) > 1 for ids in by_wish.values()):
        yield f"4: one key led to several bookings: {by_wish}"
    yield from _generations(world)


def _generations(world: World) -> Iterator[str]:
    begun = [one.facts for one in world.bookings() if not one.legs]
    rows = [one for one in world.bookings() if one.legs and not one.facts.key_given]
    asked = sum(world.calls.get(name, 0) for name in ("row", "row again"))
    if len(rows) > asked:
        yield f"4: {asked} calls made {len(rows)} composites"
    derived = [facts for facts in begun if not facts.key_given and facts.service.service_id == "cut"]
    calls = sum(world.calls.get(name, 0) for name in ("a", "a again", "near a", "other staff"))
    if len(derived) > calls:
        yield f"4: {calls} calls made {len(derived)} bookings"


def _of_rows(world: World) -> Iterator[str]:
    rows = [one.inserted for one in world.log.appointments.values() if one.booked and not one.inserted.overlap_allowed]
    made_there = {
        one.booking_id
        for one in world.bookings()
        if one.facts.source == "calcom" or any(it.touched for line in one.ledger.lines for it in _made_by(world, line))
    }
    for one, other in combinations(rows, 2):
        overlap = one.starts_at < other.ends_at and other.starts_at < one.ends_at
        if one.staff_id is not None and one.staff_id == other.staff_id and overlap:
            yield f"8: {one.staff_id} has two appointments at once"
        near = abs((one.starts_at - other.starts_at).total_seconds()) <= 300
        if {one.booking_id, other.booking_id} & made_there or one.booking_id == other.booking_id:
            continue
        same = one.service_id == other.service_id or one.offered_as == other.offered_as
        if near and same and one.customer_id == other.customer_id:
            yield f"4: {one.booking_id} and {other.booking_id} are near-duplicates"
    for appointment_id in world.elsewhere & set(world.log.appointments):
        if not world.log.appointments[appointment_id].booked:
            yield f"10: {appointment_id} is booked at another account, and its time was given away"
    reviewed = {one.booking_id for one in world.bookings() if one.status is BookingStatus.NEEDS_REVIEW}
    if {booking_id for booking_id, _ in world.log.claims} - reviewed:
        yield f"6: claims are left: {world.log.claims}"


def _row(world: World, part: Booking) -> AppointmentRow | None:
    rows = world.log.appointments.values()
    held = ((one.inserted.booking_id, one.inserted.leg) for one in rows)
    return next((one for one, key in zip(rows, held, strict=True) if key == (part.booking_id, part.leg)), None)


def _events(world: World, part: Booking) -> tuple[BookingEvent, ...]:
    return world.log.leg_events(part.booking_id, part.leg) if part.leg else world.log.events(part.booking_id)


def _made_by(world: World, line: Line) -> tuple[CalcomBooking, ...]:
    if not line.foreign:
        return world.calcom.of(line.attempt_id)
    return tuple(one for one in world.calcom.bookings.values() if one.uid == line.uid)


def _cancelled_there(world: World, booking: Booking) -> bool:
    parts = booking.legs or (booking,)
    ended = (one for part in parts for one in _events(world, part) if isinstance(one, BookingCancelled))
    return any(one.reason == "cancelled_at_calcom" for one in ended)
