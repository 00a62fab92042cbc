"""
What was found to differ between both sides, and what was decided about it: events of a booking's stream.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

from domain.person import Remark

InconsistencyKind: TypeAlias = Literal[
    "orphan",
    "ghost",
    "time_drift",
    "status_drift",
    "duplicate",
    "foreign_booking",
    "compensation_failed",
    "persistence_failed",
]
Repair: TypeAlias = Literal["none", "cancel", "adopt", "mark_cancelled", "move", "look", "manual_review"]
ReviewAnswer: TypeAlias = Literal["retry", "adopt", "absent", "cancel", "keep_local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InconsistencyDetected:
    """Both sides differ, or may; the evidence says how that was seen, and `repair` what is to be done about it."""

    TOPIC: ClassVar[str] = "booking.inconsistency-detected.v1"
    at: datetime
    kind: InconsistencyKind
    uid: str | None
    evidence: str
    repair: Repair = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class InconsistencyResolved:
    """
    Both sides agree again about what was detected, or a person lets it stand.

    `actor` is `calsaga` or whoever decided it; `person` is why, where somebody has said so.
    """

    TOPIC: ClassVar[str] = "booking.inconsistency-resolved.v1"
    at: datetime
    kind: InconsistencyKind
    uid: str | None
    how: str
    actor: str
    person: Remark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomSyncRequired:
    """Something has to be done at Cal.com although the saga had come to its end; the saga does it."""

    TOPIC: ClassVar[str] = "booking.calcom-sync-required.v1"
    at: datetime
    uid: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualReviewRequested:
    """
    A person must decide about one attempt, or about the booking `uid` that it has made.

    The saga does nothing more about it by itself, and makes nothing new; what it owes
    for other attempts it still does.
    """

    TOPIC: ClassVar[str] = "booking.manual-review-requested.v1"
    at: datetime
    reason: str
    detail: str
    attempt_id: str
    uid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualReviewAnswered:
    """
    A person has decided about what they were asked, and the saga goes on from there.

    `retry`: go on trying. `adopt`: what CalcomBookingCreated names beside this is the
    booking of the attempt. `absent`: the attempt has made nothing, or nothing that is
    left. `cancel`: it is to be cancelled. `keep_local`: what stands here stands,
    whatever Cal.com holds, and the line is closed. The three last fields say how
    the booking stands afterwards, for read models that do not know the whole stream.
    """

    TOPIC: ClassVar[str] = "booking.manual-review-answered.v1"
    at: datetime
    answer: ReviewAnswer
    actor: str
    person: Remark
    attempt_id: str
    uid: str | None
    status_after: str
    reason_after: str | None
    detail_after: str | None


FindingEvent: TypeAlias = (
    InconsistencyDetected | InconsistencyResolved | CalcomSyncRequired | ManualReviewRequested | ManualReviewAnswered
)
