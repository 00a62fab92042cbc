"""
Recording one outcome, in the terms of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain import events as e
from domain.booking import Booking
from domain.policy import Policy
from domain.retry import RetryPolicy
from sagas import recording
from sagas.obstacles import record_inspection
from sagas.outcomes import (
    CancelOutcome,
    CreateOutcome,
    Found,
    Inspected,
    Looked,
    LookOutcome,
    Made,
    NotSent,
    Refused,
    Unknown,
)
from sagas.steps import CancelAtCalcom, InspectObstacle, LookAtCalcom
from tests.fakes.given import (
    OBSTACLE_ID,
    SERVICE,
    SLOT,
    at,
)

POLICY = Policy(retry=RetryPolicy(jitter=0))
NOW = at(500)
CANCEL = CancelAtCalcom(uid="uid-1", attempt_id="one", purpose="surplus", number=1, since=at(-300))
LOOK = LookAtCalcom(attempt_ids=("one",), since=at(-300))
MADE = Made(uid="uid-1", starts_at=SLOT, ends_at=SLOT + SERVICE.duration, calcom_status="accepted")
NO = Refused(reason="slot_taken", detail="no", status=400)
CONFLICT = Refused(reason="slot_taken", detail="no", status=400, conflict=True)
LOST = Unknown(reason="timeout", detail="no answer")
UNSENT = NotSent(reason="refused_connection", detail="")


def recorded_create(booking: Booking, outcome: CreateOutcome) -> tuple[e.BookingEvent, ...]:
    return recording.record_create(booking, "one", outcome, answered_at=NOW, now=NOW, policy=POLICY)


def recorded_look(booking: Booking, outcome: LookOutcome, effect: LookAtCalcom = LOOK) -> tuple[e.BookingEvent, ...]:
    return recording.record_look(booking, effect, outcome, now=NOW, policy=POLICY)


def recorded_cancel(booking: Booking, outcome: CancelOutcome) -> tuple[e.BookingEvent, ...]:
    return recording.record_cancel(booking, CANCEL, outcome, now=NOW, policy=POLICY)


def recorded_inspect(
    booking: Booking, verdict: e.ObstacleVerdict, obstacle: UUID = OBSTACLE_ID
) -> tuple[e.BookingEvent, ...]:
    return record_inspection(
        booking, InspectObstacle(appointment_id=obstacle), Inspected(verdict=verdict), now=NOW, policy=POLICY
    )


def found_there(
    uid: str = "uid-1",
    attempt: str = "one",
    *,
    status: str = "accepted",
    seconds: float = 2,
    moved_from: str | None = None,
    moved_to: str | None = None,
) -> Found:
    return Found(
        attempt_id=attempt,
        uid=uid,
        calcom_status=status,
        starts_at=SLOT,
        ends_at=SLOT + SERVICE.duration,
        created_at=at(seconds),
        rescheduled_from=moved_from,
        rescheduled_to=moved_to,
    )


def seen(*found: Found, seconds: float = 200) -> Looked:
    return Looked(started_at=at(seconds), found=found)


def uids_of(events: Sequence[e.BookingEvent]) -> list[str]:
    return [one.uid for one in events if isinstance(one, e.CalcomBookingCreated)]
