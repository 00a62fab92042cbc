"""
The judgement: both sides laid beside each other, and every difference counted.

Pure. One side is the local database, read row by row and event by event; the other is
the sandbox's own ledger, which knows every booking that it ever committed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from domain.booking import Booking, BookingStatus
from domain.events import CalcomBookingCreated, CalcomOutcomeUnknown, CompensationStarted
from domain.ledger import LineStatus
from sagas.appending import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A booked row of `appointments`, of calsaga's own."""

    booking_id: UUID
    uid: str | None
    staff_id: str | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the sandbox's ledger; `booking_id` is what its metadata says."""

    uid: str
    is_live: bool
    booking_id: str
    attendee: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one sending of a request was answered."""

    number: int
    booking_id: UUID
    status: str
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known at the end; `asked` are the numbers of all requests."""

    asked: frozenset[int]
    answers: Sequence[Answer]
    bookings: Mapping[UUID, Booking]
    streams: Mapping[UUID, Sequence[Recorded]]
    rows: Sequence[Row]
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What became of the day.

    An orphan is a live booking at Cal.com without its appointment, a ghost the reverse,
    a double is a time or a wish that was booked twice, a drift is a difference in the
    times, and lost is a request that was never answered, never ended, or not kept.
    """

    booked: int
    compensated: int
    refused: int
    cancelled: int
    needs_review: int
    in_doubt: int
    in_doubt_resolved: int
    duplicates_answered: int
    late_cancelled: int
    orphans: int
    ghosts: int
    doubles: int
    drifts: int
    lost: int

    @property
    def is_clean(self) -> bool:
        """Tell whether both sides are equal, and nothing was lost."""
        return not (self.orphans or self.ghosts or self.doubles or self.drifts or self.lost)


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict."""
    bookings = evidence.bookings.values()
    statuses = Counter(booking.status for booking in bookings)
    doubtful = [booking for booking in bookings if _has(evidence, booking, CalcomOutcomeUnknown)]
    compensated = sum(
        booking.status is BookingStatus.FAILED and _has(evidence, booking, CompensationStarted) for booking in bookings
    )
    return Verdict(
        booked=statuses[BookingStatus.BOOKED],
        compensated=compensated,
        refused=statuses[BookingStatus.FAILED] - compensated,
        cancelled=statuses[BookingStatus.CANCELLED],
        needs_review=statuses[BookingStatus.NEEDS_REVIEW],
        in_doubt=len(doubtful),
        in_doubt_resolved=sum(not booking.ledger.open for booking in doubtful),
        duplicates_answered=_duplicates(evidence.answers),
        late_cancelled=sum(_late_cancelled(evidence, booking) for booking in bookings),
        orphans=_orphans(evidence),
        ghosts=_ghosts(evidence),
        doubles=_doubles(evidence),
        drifts=_drifts(evidence),
        lost=len(_lost(evidence)),
    )


def _has(evidence: Evidence, booking: Booking, kind: type) -> bool:
    return any(isinstance(one.event, kind) for one in evidence.streams[booking.booking_id])


def _late_cancelled(evidence: Evidence, booking: Booking) -> int:
    events = (one.event for one in evidence.streams[booking.booking_id])
    late = {event.uid for event in events if isinstance(event, CalcomBookingCreated) and event.late}
    return sum(line.uid in late and line.status is LineStatus.CANCELLED for line in booking.ledger.lines)


def _duplicates(answers: Sequence[Answer]) -> int:
    first: dict[int, UUID] = {}
    for one in answers:
        first.setdefault(one.number, one.booking_id)
    return sum(one.replayed and one.booking_id == first[one.number] for one in answers)


def _orphans(evidence: Evidence) -> int:
    kept = {row.uid for row in evidence.rows}
    return sum(entry.is_live and entry.uid not in kept for entry in evidence.entries)


def _ghosts(evidence: Evidence) -> int:
    live = {entry.uid for entry in evidence.entries if entry.is_live}
    return sum(row.uid not in live for row in evidence.rows)


def _doubles(evidence: Evidence) -> int:
    live = [entry for entry in evidence.entries if entry.is_live]
    wishes = Counter(entry.booking_id for entry in live)
    visits = Counter((entry.attendee, entry.starts_at) for entry in live)
    ids = {(one.number, one.booking_id) for one in evidence.answers}
    return (
        sum(count - 1 for count in wishes.values())
        + sum(count - 1 for count in visits.values())
        + len(ids) - len({number for number, _ in ids})
        + _overlaps(evidence.rows)
    )  # fmt: skip


def _overlaps(rows: Sequence[Row]) -> int:
    in_order = sorted(rows, key=lambda row: (row.staff_id or "", row.starts_at))
    return sum(one.staff_id == other.staff_id and other.starts_at < one.ends_at for one, other in pairwise(in_order))


def _drifts(evidence: Evidence) -> int:
    times = {entry.uid: (entry.starts_at, entry.ends_at) for entry in evidence.entries}
    return sum(row.uid in times and times[row.uid] != (row.starts_at, row.ends_at) for row in evidence.rows)


def _lost(evidence: Evidence) -> frozenset[int]:
    unanswered = evidence.asked - {one.number for one in evidence.answers}
    return unanswered | {one.number for one in evidence.answers if not _is_kept(one, evidence)}


def _is_kept(answer: Answer, evidence: Evidence) -> bool:
    booking = evidence.bookings.get(answer.booking_id)
    if booking is None:
        return False
    if booking.status is BookingStatus.NEEDS_REVIEW:
        return True
    if booking.ended is None:
        return False
    promised = answer.status == BookingStatus.BOOKED
    return not promised or booking.ended is BookingStatus.BOOKED or booking.cancellation is not None
