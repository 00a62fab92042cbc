"""The Booking aggregate: how one booking stands, as its events say (`domain.evolving` folds them)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from domain import events as e
from domain import findings as f
from domain.composite import CompositeInitiated
from domain.full_fallback import FULL_FALLBACK
from domain.ledger import Ledger, Line
from domain.moving import Move
from domain.replacing import replace


class Goal(StrEnum):
    """Where the saga is heading."""

    BOOK = "book"
    COMPENSATE = "compensate"
    CANCEL = "cancel"
    MOVE = "move"


class BookingStatus(StrEnum):
    """What a caller is told."""

    PENDING = "pending"
    BOOKED = "booked"
    COMPENSATING = "compensating"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    RESCHEDULING = "rescheduling"
    NEEDS_REVIEW = "needs_review"


_WITHOUT_APPOINTMENT = frozenset({BookingStatus.FAILED, BookingStatus.CANCELLED})
ENDED = frozenset({BookingStatus.BOOKED, BookingStatus.FAILED, BookingStatus.CANCELLED})
_ENDS = (BookingStatus.BOOKED, BookingStatus.CANCELLED, BookingStatus.FAILED)
_WAYS = (BookingStatus.COMPENSATING, BookingStatus.CANCELLING, BookingStatus.RESCHEDULING, BookingStatus.PENDING)
_UNDER_WAY = {
    Goal.BOOK: BookingStatus.PENDING,
    Goal.COMPENSATE: BookingStatus.COMPENSATING,
    Goal.CANCEL: BookingStatus.CANCELLING,
    Goal.MOVE: BookingStatus.RESCHEDULING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a booking failed, is being undone, or waits for a person: a code, and words for people."""

    reason: str
    detail: str
    conflicting_booking_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """The row that refused our appointment, when it first did, and what was found out about it when since."""

    appointment_id: UUID
    met_at: datetime
    verdict: str | None = None
    looked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class MoveCommand:
    """A wish to move that was taken, by its idempotency key; `failure` says why it came to nothing."""

    command_id: str
    starts_at: datetime
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class Booking:
    """
    The state of one booking at `version`; version 0 is a booking that nobody has asked for yet.

    A composite has `legs`, each the state of an ordinary booking with its number as `leg`,
    and says itself what they amount to (`domain.legs`). `let_stand` are the differences,
    by kind and uid, that a person leaves as they are. `until_switched` says that it waits until somebody
    switches full fallback off, `retry_at` at the latest.
    Without slots, like the parts of it that change: `domain.replacing` copies them.
    """

    booking_id: UUID
    version: int = 0
    leg: int = 0
    legs: tuple["Booking", ...] = ()
    composite: CompositeInitiated | None = None
    initiated: e.BookingInitiated | None = None
    ledger: Ledger = field(default_factory=Ledger)
    goal: Goal = Goal.BOOK
    ended: BookingStatus | None = None
    kept_uid: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    appointment_id: UUID | None = None
    appointment_live: bool = False
    webhook_id: str | None = None
    obstacle: Obstacle | None = None
    persistence_failure: str | None = None
    undoing: Failure | None = None
    failure: Failure | None = None
    review: Failure | None = None
    cancellation: e.CancellationRequested | None = None
    cancel_commands: tuple[str, ...] = ()
    move: Move | None = None
    move_failure: Failure | None = None
    move_commands: tuple[MoveCommand, ...] = ()
    inconsistencies: tuple[f.InconsistencyDetected, ...] = ()
    let_stand: tuple[tuple[f.InconsistencyKind, str | None], ...] = ()
    retry_at: datetime | None = None
    not_sent: int = 0
    deferred_for: str | None = None
    breaker_open_at: datetime | None = None
    until_switched: bool = False
    calls: int = 0
    repeats: int = 0
    updated_at: datetime | None = None

    @property
    def status(self) -> BookingStatus:
        """Return the one word for where the booking stands."""
        if self.legs:
            return status_of_legs([leg.status for leg in self.legs])
        if self.review is not None:
            return BookingStatus.NEEDS_REVIEW
        return self.ended or _UNDER_WAY[self.goal]

    @property
    def facts(self) -> e.BookingInitiated:
        """
        Return what was asked for.

        Raises:
            LookupError: nobody has asked for this booking.

        """
        if self.initiated is None:
            msg = f"booking {self.booking_id} does not exist"
            raise LookupError(msg)
        return self.initiated

    @property
    def surplus(self) -> tuple[Line, ...]:
        """Return the live lines that this booking must not have, or no longer wants."""
        if self.legs:
            return tuple(line for leg in self.legs for line in leg.surplus)
        live = self.ledger.live
        if not live:
            return ()
        unwanted = self.goal in {Goal.COMPENSATE, Goal.CANCEL} or self.ended in _WITHOUT_APPOINTMENT
        ours = (line for line in live if not line.in_review and not line.foreign)
        return tuple(line for line in ours if unwanted or line.uid != self.kept_uid)

    @property
    def kept(self) -> Line | None:
        """Return the live line that is the booking."""
        return next((line for line in self.ledger.live if line.uid == self.kept_uid), None)

    @property
    def comes_in_turn(self) -> bool:
        """Tell whether it has waited together with others, so that it goes on in turn, and not in a crowd."""
        return self.breaker_open_at is not None or self.deferred_for == FULL_FALLBACK

    @property
    def resilience_strategy(self) -> str | None:
        """Return what it took to get here (M5): null, `retry`, `circuit_breaker` or `degradation`."""
        if self.breaker_open_at is not None:
            return "circuit_breaker"
        if self.deferred_for is not None:
            return "degradation"
        return "retry" if self.repeats or any(line.doubted_at for line in self.ledger.lines) else None


def initial_state(booking_id: UUID) -> Booking:
    """Return the booking before anything has happened."""
    return replace(_UNASKED, booking_id=booking_id)


_UNASKED = Booking(booking_id=UUID(int=0))


def appointment_id_of(booking_id: UUID, *, leg: int = 0) -> UUID:
    """Return the id of the booking's row, or of a leg's, the same however often the insert is repeated."""
    return uuid5(booking_id, f"appointment {leg}" if leg else "appointment")


def status_of_legs(statuses: Sequence[BookingStatus]) -> BookingStatus:
    """
    Return where a composite stands whose legs stand so.

    A question to a person comes first. One that has ended stands if any of its legs
    does; until then it goes where the legs go, back as soon as one of them has come to nothing.
    """
    found = set(statuses)
    if BookingStatus.NEEDS_REVIEW in found:
        return BookingStatus.NEEDS_REVIEW
    if found <= ENDED:
        return next(status for status in _ENDS if status in found)
    if BookingStatus.PENDING in found and found & _WITHOUT_APPOINTMENT:
        return BookingStatus.COMPENSATING
    return next(status for status in _WAYS if status in found)
