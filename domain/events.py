"""
Everything that can have happened to a booking.

A stored name (`TOPIC`) is written, never derived, and never changes: a new meaning is
a new version plus an upcaster. `at` is when the decision was taken, UTC, by the
database's clock. Personal data stands in a field named `person`, and nowhere else.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias
from uuid import UUID

from domain.cancel_deferred import CalcomCancelDeferred
from domain.findings import FindingEvent
from domain.moving import BookingRescheduled, MoveEvent
from domain.person import Person, Remark
from domain.service import Service

CancelHow: TypeAlias = Literal["cancelled", "already_cancelled", "gone"]
CancelPurpose: TypeAlias = Literal["compensation", "cancellation", "surplus"]
ObstacleVerdict: TypeAlias = Literal["gone", "moving", "missing", "stands"]
CancelReason: TypeAlias = Literal["requested", "cancelled_at_calcom"]
CreatedHow: TypeAlias = Literal["made", "adopted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingInitiated:
    """The wish was accepted: it is durable, and holds its slot. `service` was chosen, if there is a `staff_group`."""

    TOPIC: ClassVar[str] = "booking.initiated.v1"
    at: datetime
    service: Service
    customer_id: UUID
    person: Person
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    source: str
    staff_id: str | None
    call_id: str | None
    confidence: float | None
    allow_near_duplicate: bool
    idempotency_key: str
    key_given: bool
    generation: int
    fingerprint: str
    valid_until: datetime
    correlation_id: str
    policy_version: str
    staff_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomBookingAttempted:
    """
    Cal.com is about to be asked to create the booking.

    The request may leave until `send_by`, and an answer may come until `answer_by`; a
    process that dies in between leaves this line of the ledger without an outcome.
    """

    TOPIC: ClassVar[str] = "booking.calcom-attempted.v1"
    at: datetime
    attempt_id: str
    number: int
    send_by: datetime
    answer_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomBookingNotSent:
    """The request certainly never reached Cal.com's booking code; `retry_at` is when to try again."""

    TOPIC: ClassVar[str] = "booking.calcom-not-sent.v1"
    at: datetime
    attempt_id: str
    reason: str
    detail: str
    retry_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomOutcomeUnknown:
    """
    Nobody can say whether Cal.com has made the booking: it is looked for, never guessed (B1).

    Who asked Cal.com says so when its request is over; who finds an attempt without one gives `NO_OUTCOME` as reason.
    """

    TOPIC: ClassVar[str] = "booking.calcom-outcome-unknown.v1"
    at: datetime
    attempt_id: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomLooked:
    """
    Cal.com's list was searched for attempts in doubt, and they were not in it.

    Only the attempts in `counted` were looked for late enough for the absence to mean
    something; `problem` is why a look was not clean, and then none counts.
    """

    TOPIC: ClassVar[str] = "booking.calcom-looked.v1"
    at: datetime
    started_at: datetime
    attempt_ids: tuple[str, ...]
    counted: tuple[str, ...]
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomAttemptAbsent:
    """Enough clean looks: the attempt made nothing, as far as can be known before the horizon."""

    TOPIC: ClassVar[str] = "booking.calcom-attempt-absent.v1"
    at: datetime
    attempt_id: str
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomBookingCreated:
    """
    A live booking of ours is at Cal.com.

    `late` says that it became known after the attempt was given up or the saga had
    ended: then the saga owes its cancellation. The times are Cal.com's.
    """

    TOPIC: ClassVar[str] = "booking.calcom-created.v1"
    at: datetime
    attempt_id: str
    uid: str
    starts_at: datetime
    ends_at: datetime
    calcom_status: str
    how: CreatedHow
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomBookingRefused:
    """
    Cal.com said no before it made anything.

    A `conflict` means that somebody holds the slot, which may be an earlier attempt of
    ours that was thought absent: those are looked for again.
    """

    TOPIC: ClassVar[str] = "booking.calcom-refused.v1"
    at: datetime
    attempt_id: str
    reason: str
    detail: str
    status: int | None
    conflict: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomBookingFollowed:
    """Somebody rescheduled our booking at Cal.com, which gave it a new uid."""

    TOPIC: ClassVar[str] = "booking.calcom-followed.v1"
    at: datetime
    attempt_id: str
    from_uid: str
    to_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomBookingFound:
    """Somebody has booked at Cal.com without us: followed, never changed there; `webhook_id` is what told of it."""

    TOPIC: ClassVar[str] = "booking.calcom-found.v1"
    at: datetime
    uid: str
    calcom_status: str
    starts_at: datetime
    ends_at: datetime
    webhook_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingDeferred:
    """Cal.com cannot be used at the moment; the booking waits, and the caller was told so."""

    TOPIC: ClassVar[str] = "booking.deferred.v1"
    at: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentBooked:
    """
    The pivot: the appointment stands in both places, and the saga only goes forward.

    `overlaps` is true for what Cal.com holds although the member of staff is busy then.
    `settles_review` here and in the other ends says that the question which a person was
    asked has been answered meanwhile.
    """

    TOPIC: ClassVar[str] = "booking.appointment-booked.v1"
    at: datetime
    appointment_id: UUID
    calcom_uid: str
    starts_at: datetime
    ends_at: datetime
    overlaps: bool = False
    settles_review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentPersistenceFailed:
    """
    The local database refused the appointment by a constraint.

    For an overlap the row in the way is named, and looked at before anything is
    undone. All other reasons are final.
    """

    TOPIC: ClassVar[str] = "booking.persistence-failed.v1"
    at: datetime
    reason: str
    obstacle_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObstacleInspected:
    """The row in the way of our appointment was looked at; after `retry_at` the insert is tried again, if at all."""

    TOPIC: ClassVar[str] = "booking.obstacle-inspected.v1"
    at: datetime
    obstacle_id: UUID
    verdict: ObstacleVerdict
    retry_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CompensationStarted:
    """What was done is being undone, for this reason."""

    TOPIC: ClassVar[str] = "booking.compensation-started.v1"
    at: datetime
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequested:
    """The customer, or whoever speaks for them, wants the appointment cancelled."""

    TOPIC: ClassVar[str] = "booking.cancellation-requested.v1"
    at: datetime
    person: Remark
    command_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomCancelAttempted:
    """Cal.com is about to be asked to cancel this uid."""

    TOPIC: ClassVar[str] = "booking.calcom-cancel-attempted.v1"
    at: datetime
    uid: str
    purpose: CancelPurpose
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalcomBookingCancelled:
    """The booking is no longer live at Cal.com; `how` tells whether it was us, or had been done, or it is gone."""

    TOPIC: ClassVar[str] = "booking.calcom-cancelled.v1"
    at: datetime
    attempt_id: str
    uid: str
    how: CancelHow


@dataclass(frozen=True, slots=True, kw_only=True)
class CompensationFailed:
    """A cancel at Cal.com did not work; it is repeated from `retry_at` on, for as long as it takes."""

    TOPIC: ClassVar[str] = "booking.compensation-failed.v1"
    at: datetime
    uid: str
    reason: str
    detail: str
    retry_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFailed:
    """The end without an appointment; nothing of ours is live at Cal.com, as far as can be known."""

    TOPIC: ClassVar[str] = "booking.failed.v1"
    at: datetime
    reason: str
    detail: str
    conflicting_booking_id: UUID | None = None
    settles_review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCancelled:
    """The end of a cancellation: gone at Cal.com first, then here."""

    TOPIC: ClassVar[str] = "booking.cancelled.v1"
    at: datetime
    reason: CancelReason
    settles_review: bool = False


BookingEvent: TypeAlias = (
    BookingInitiated
    | CalcomBookingAttempted
    | CalcomBookingNotSent
    | CalcomOutcomeUnknown
    | CalcomLooked
    | CalcomAttemptAbsent
    | CalcomBookingCreated
    | CalcomBookingRefused
    | CalcomBookingFollowed
    | CalcomBookingFound
    | BookingDeferred
    | AppointmentBooked
    | BookingRescheduled
    | AppointmentPersistenceFailed
    | ObstacleInspected
    | CompensationStarted
    | CancellationRequested
    | CalcomCancelAttempted
    | CalcomBookingCancelled
    | CompensationFailed
    | CalcomCancelDeferred
    | BookingFailed
    | BookingCancelled
    | FindingEvent
    | MoveEvent
)
