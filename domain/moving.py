"""
Moving an appointment to another time at Cal.com: the events of a reschedule, and what they amount to.

A move gives the booking another uid at Cal.com, whose metadata is the old one's. Nobody
can tell a repeated move from a new one by its answer, so an unknown outcome is settled
by reading the old uid: it names its successor once it was moved.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias, assert_never
from uuid import UUID

from domain.person import Remark
from domain.replacing import replace
from domain.retry import BREAKER_OPEN, HELD_BACK, NO_OUTCOME

MovedBy: TypeAlias = Literal["calcom", "customer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleRequested:
    """The customer wants another time, which is claimed from here on."""

    TOPIC: ClassVar[str] = "booking.reschedule-requested.v1"
    at: datetime
    starts_at: datetime
    ends_at: datetime
    command_id: str | None
    person: Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomRescheduleAttempted:
    """Cal.com is about to be asked to move this uid; `send_by` and `answer_by` are as for a create."""

    TOPIC: ClassVar[str] = "booking.calcom-reschedule-attempted.v1"
    at: datetime
    uid: str
    number: int
    send_by: datetime
    answer_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomRescheduleNotSent:
    """Nothing was asked of Cal.com; tried again from `retry_at` on."""

    TOPIC: ClassVar[str] = "booking.calcom-reschedule-not-sent.v1"
    at: datetime
    reason: str
    detail: str
    retry_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomRescheduleDeferred:
    """Cal.com cannot be asked now to move anything, and was not; it is asked from `until` on."""

    TOPIC: ClassVar[str] = "booking.calcom-reschedule-deferred.v1"
    at: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomRescheduleUnknown:
    """Nobody knows whether it was moved: the old uid is read until it tells."""

    TOPIC: ClassVar[str] = "booking.calcom-reschedule-unknown.v1"
    at: datetime
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomRescheduleLooked:
    """The old uid was read and stands where it stood; `counted` if late enough to mean something."""

    TOPIC: ClassVar[str] = "booking.calcom-reschedule-looked.v1"
    at: datetime
    started_at: datetime
    counted: bool
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomRescheduleAbsent:
    """The move has not happened, as far as can be known; should it still, the new uid is found and followed."""

    TOPIC: ClassVar[str] = "booking.calcom-reschedule-absent.v1"
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomRescheduleRefused:
    """A check that runs before Cal.com moves anything said no."""

    TOPIC: ClassVar[str] = "booking.calcom-reschedule-refused.v1"
    at: datetime
    reason: str
    detail: str
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomBookingMoved:
    """Cal.com has moved it; the times are Cal.com's. `late` if nobody waits for it any more."""

    TOPIC: ClassVar[str] = "booking.calcom-moved.v1"
    at: datetime
    attempt_id: str
    from_uid: str
    to_uid: str
    starts_at: datetime
    ends_at: datetime
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleFailed:
    """
    The appointment stays where it was; the claim on the new time is released.

    `conflicting_booking_id` is what has refused the claim, where a claim was refused.
    """

    TOPIC: ClassVar[str] = "booking.reschedule-failed.v1"
    at: datetime
    reason: str
    detail: str
    conflicting_booking_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRescheduled:
    """
    The appointment stands at another time, in both places.

    A move gives a booking another uid at Cal.com. `overlaps` is as in `AppointmentBooked`.
    """

    TOPIC: ClassVar[str] = "booking.rescheduled.v1"
    at: datetime
    from_uid: str
    to_uid: str
    starts_at: datetime
    ends_at: datetime
    by: MovedBy
    overlaps: bool = False
    webhook_id: str | None = None


class MoveStatus(StrEnum):
    """How far a move has come at Cal.com."""

    WANTED = "wanted"
    INTENDED = "intended"
    IN_DOUBT = "in_doubt"
    REFUSED = "refused"
    MOVED = "moved"


@dataclass(frozen=True, kw_only=True)
class Move:
    """
    A move under way; `claimed` if the new time is held by a claim.

    `number` is how often Cal.com was to be asked. `held_back` of these never left, because it was not to be asked then,
    and say nothing of this move. `deferred_for` is why it waits for Cal.com now, if it does.
    """

    asked_at: datetime
    starts_at: datetime
    ends_at: datetime
    claimed: bool
    reason: str = ""
    command_id: str | None = None
    status: MoveStatus = MoveStatus.WANTED
    number: int = 0
    not_sent: int = 0
    held_back: int = 0
    deferred_for: str | None = None
    answer_by: datetime | None = None
    doubted_at: datetime | None = None
    looks: int = 0
    clean_looks: int = 0
    failed_looks: int = 0
    refused_looks: int = 0
    last_looked_at: datetime | None = None
    retry_at: datetime | None = None
    refusal: str = ""
    detail: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether nobody knows what became of it at Cal.com."""
        return self.status in {MoveStatus.INTENDED, MoveStatus.IN_DOUBT}

    def is_doubted_by(self, lost_at: datetime) -> bool:
        """Tell whether an answer that was lost at this moment is news, as for a create; never once the move failed."""
        late = self.answer_by is not None and lost_at > self.answer_by
        waited_for = self.status in {MoveStatus.IN_DOUBT, MoveStatus.WANTED}
        return self.status is MoveStatus.INTENDED or (waited_for and late)


MoveEvent: TypeAlias = (
    RescheduleRequested
    | CalcomRescheduleAttempted
    | CalcomRescheduleNotSent
    | CalcomRescheduleDeferred
    | CalcomRescheduleUnknown
    | CalcomRescheduleLooked
    | CalcomRescheduleAbsent
    | CalcomRescheduleRefused
    | CalcomBookingMoved
    | RescheduleFailed
)


def evolve_move(move: Move | None, event: MoveEvent) -> Move | None:
    """Return the move after one more event; None once it has come to nothing."""
    match event:
        case RescheduleRequested():
            return Move(
                asked_at=event.at,
                starts_at=event.starts_at,
                ends_at=event.ends_at,
                claimed=True,
                reason=event.person.reason,
                command_id=event.command_id,
            )
        case CalcomBookingMoved():
            known = move or Move(asked_at=event.at, starts_at=event.starts_at, ends_at=event.ends_at, claimed=False)
            return replace(known, starts_at=event.starts_at, ends_at=event.ends_at, status=MoveStatus.MOVED)
        case RescheduleFailed():
            return None
        case _:
            return None if move is None else _under_way(move, event)


def _under_way(
    move: Move,
    event: CalcomRescheduleAttempted
    | CalcomRescheduleNotSent
    | CalcomRescheduleDeferred
    | CalcomRescheduleUnknown
    | CalcomRescheduleLooked
    | CalcomRescheduleAbsent
    | CalcomRescheduleRefused,
) -> Move:
    match event:
        case CalcomRescheduleAttempted():
            return replace(
                move,
                status=MoveStatus.INTENDED,
                number=event.number,
                answer_by=event.answer_by,
                retry_at=None,
                deferred_for=None,
            )
        case CalcomRescheduleNotSent():
            held_back = event.reason in HELD_BACK
            return replace(
                move,
                status=MoveStatus.WANTED,
                retry_at=event.retry_at,
                not_sent=move.not_sent + (not held_back),
                held_back=move.held_back + held_back,
                deferred_for=event.reason if held_back else None,
            )
        case CalcomRescheduleDeferred():
            return replace(move, retry_at=event.until, deferred_for=event.reason)
        case CalcomRescheduleUnknown():
            return _doubted(move, event)
        case CalcomRescheduleLooked():
            return replace(
                move,
                looks=move.looks + 1,
                clean_looks=move.clean_looks + event.counted,
                failed_looks=0 if event.problem is None else move.failed_looks + (event.problem != BREAKER_OPEN),
                refused_looks=0 if event.problem is None else move.refused_looks + (event.problem == BREAKER_OPEN),
                last_looked_at=event.started_at,
            )
        case CalcomRescheduleAbsent():
            return replace(move, status=MoveStatus.WANTED)
        case CalcomRescheduleRefused():
            return replace(move, status=MoveStatus.REFUSED, refusal=event.reason, detail=event.detail)
        case _:
            assert_never(event)


def _doubted(move: Move, event: CalcomRescheduleUnknown) -> Move:
    late = move.answer_by is not None and event.reason != NO_OUTCOME and event.at > move.answer_by
    return replace(
        move,
        status=MoveStatus.IN_DOUBT,
        doubted_at=event.at,
        # Its process stood still, and the request left so late: see the same of a create.
        answer_by=event.at if late else move.answer_by,
        looks=0,
        clean_looks=0,
        failed_looks=0,
        refused_looks=0,
        last_looked_at=None,
    )
