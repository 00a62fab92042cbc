"""
The judgement: the sandbox's own ledger beside the local database, and every difference counted. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from adapters.demo.judging import Answer
from domain.booking import Booking, BookingStatus
from tests.storm.people import LIVE, STRANGE_EVENT_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    A booked appointment; `overlaps` if it may stand beside another one of the same member of staff.
    """

    booking_id: UUID
    uid: str | None
    staff_id: str | None
    starts_at: datetime
    ends_at: datetime
    leg: int
    overlaps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    Everything that is known once it is quiet; `asked` are the numbers of all customers.
    """

    asked: frozenset[int]
    answers: Sequence[Answer]
    bookings: Mapping[UUID, Booking]
    rows: Sequence[Row]
    ledger: Sequence[Mapping[str, Any]]
    contradictions: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What is wrong, one line each; nothing if the storm was survived.

    An orphan is live at Cal.com and no appointment here, whoever made it; a ghost the reverse.
    """

    orphans: tuple[str, ...]
    ghosts: tuple[str, ...]
    doubles: tuple[str, ...]
    drifts: tuple[str, ...]
    foreign_touched: tuple[str, ...]
    forged_unflagged: tuple[str, ...]
    lost: tuple[str, ...]
    contradictions: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        return not any((self.orphans, self.ghosts, self.doubles, self.drifts, self.foreign_touched)) and not any(
            (self.forged_unflagged, self.lost, self.contradictions)
        )


def judge(evidence: Evidence) -> Verdict:
    """
    Return everything that is wrong.
    """
    live = {one["uid"]: one for one in evidence.ledger if one["status"] in LIVE}
    ours = {uid: one for uid, one in live.items() if one["event_type_id"] != STRANGE_EVENT_TYPE}
    rows = {row.uid: row for row in evidence.rows}
    return Verdict(
        orphans=tuple(f"{uid}: {_said(one)}" for uid, one in ours.items() if uid not in rows),
        ghosts=tuple(f"{uid}: booking {row.booking_id}" for uid, row in rows.items() if uid not in live),
        doubles=tuple(_doubles(evidence, ours)),
        drifts=tuple(
            f"{uid}: {row.starts_at.isoformat()} here, {_said(live[uid])}"
            for uid, row in rows.items()
            if uid in live and _period(live[uid]) != (row.starts_at, row.ends_at)
        ),
        foreign_touched=tuple(_touched(evidence.ledger)),
        forged_unflagged=tuple(_unflagged(evidence, ours)),
        lost=tuple(_lost(evidence)),
        contradictions=tuple(evidence.contradictions),
    )


def _said(one: Mapping[str, Any]) -> str:
    return f"{one['start']} there, made by {one['made_by']}, metadata {one['metadata']}"


def _period(one: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])


def _doubles(evidence: Evidence, live: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    wishes = Counter(one["metadata"].get("calsaga_booking_id") for one in live.values())
    once = {str(it): max(1, len(booking.legs)) for it, booking in evidence.bookings.items()}
    yield from (f"booking {wish} lives {n} times" for wish, n in wishes.items() if n > once.get(wish, n))
    held = Counter((row.booking_id, row.leg) for row in evidence.rows)
    yield from (f"booking {it} has {n} rows of leg {leg}" for (it, leg), n in held.items() if n > 1)
    told: dict[int, set[UUID]] = {}
    for one in evidence.answers:
        told.setdefault(one.number, set()).add(one.booking_id)
    yield from (f"customer {number} was told of {len(ids)} bookings" for number, ids in told.items() if len(ids) > 1)
    in_order = sorted(
        (row for row in evidence.rows if not row.overlaps), key=lambda it: (it.staff_id or "", it.starts_at)
    )
    for row, other in pairwise(in_order):
        if row.staff_id == other.staff_id and other.starts_at < row.ends_at:
            yield f"{row.staff_id} is booked twice at {other.starts_at.isoformat()}"


def _touched(ledger: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """
    Yield what a person has made at Cal.com and calsaga has cancelled or moved, however often it was moved before.
    """
    by_uid = {one["uid"]: one for one in ledger}
    for one in ledger:
        root = one
        while root["rescheduled_from"] is not None:
            root = by_uid[root["rescheduled_from"]]
        moved = one["rescheduled_from"] is not None and one["made_by"] == "api"
        if root["made_by"] == "person" and (moved or (one["cancelled_by"] == "api")):
            yield f"{one['uid']}: {_said(one)}"


def _unflagged(evidence: Evidence, live: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    known = {str(booking_id) for booking_id in evidence.bookings}
    parts = (part for booking in evidence.bookings.values() for part in booking.legs or (booking,))
    held = {part.kept_uid: part for part in parts}
    for uid, one in live.items():
        forged = one["metadata"].get("calsaga_booking_id") not in {None, *known}
        if forged and uid in held and not held[uid].inconsistencies:
            yield f"{uid} carries forged metadata, and is not flagged"


def _lost(evidence: Evidence) -> Iterable[str]:
    heard = {one.number for one in evidence.answers}
    yield from (f"customer {number} never had an answer" for number in sorted(evidence.asked - heard))
    for one in evidence.answers:
        booking = evidence.bookings.get(one.booking_id)
        if booking is None or (booking.ended is None and booking.status is not BookingStatus.NEEDS_REVIEW):
            yield f"customer {one.number}: booking {one.booking_id} is not over"
        elif one.status == "booked" and booking.ended is BookingStatus.FAILED:
            yield f"customer {one.number} was told booked, and {one.booking_id} has failed"
