"""
The judgement once all is quiet: the judges of the crash tests and of the storm, over the one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from adapters.log.store import Store
from domain.booking import Booking, BookingStatus
from tests.crash.judge import bookings_in, faults_of
from tests.machine.promises import Promises
from tests.storm.judge import Evidence, judge
from tests.storm.rows import booked_rows


async def wrong_in(store: Store, ledger: Sequence[Mapping[str, Any]], promises: Promises) -> list[str]:
    """
    Return everything that differs between Cal.com, the rows, the log, and what callers were told.
    """
    bookings = await bookings_in(store)
    waiting = (one for one in bookings.values() if one.status is BookingStatus.NEEDS_REVIEW)
    return [
        *await faults_of(store, ledger),
        *_differences(store, ledger, bookings),
        # Nothing here is of the kind that only a person can decide.
        *(f"booking {one.booking_id} waits for a person: {one.review}" for one in waiting),
        *promises.broken(bookings),
    ]


def _differences(store: Store, ledger: Sequence[Mapping[str, Any]], bookings: Mapping[UUID, Booking]) -> list[str]:
    evidence = Evidence(
        asked=frozenset(),
        answers=(),
        bookings=bookings,
        rows=booked_rows(store),
        ledger=ledger,
        contradictions=(),
    )
    found = judge(evidence)
    # Doubles are left to the other judge, who knows that a booking of several services is several of Cal.com's.
    kinds = {"orphan": found.orphans, "ghost": found.ghosts, "drift": found.drifts, "flag": found.forged_unflagged}
    return [f"{kind}: {one}" for kind, some in kinds.items() for one in some]
