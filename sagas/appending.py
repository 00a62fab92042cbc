"""
One append: everything that becomes true together, or not at all.

Events, the slot's claim, the appointment and the due work of a saga are written in one
transaction. The database may refuse the claim or the appointment by a constraint; what
is written then instead is decided by `on_refused`, inside the same transaction.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from domain.alert import AlertEvent
from domain.breaker_commanded import BreakerCommanded
from domain.breaker_moved import BreakerMoved
from domain.composite import SagaEvent
from domain.failures_cleared import FailuresCleared
from domain.full_fallback import FullFallbackEvent
from domain.notice import OperatorNotified
from domain.webhook import WebhookEvent

RefusedBy: TypeAlias = Literal[
    "near_duplicate",
    "staff_overlap",
    "duplicate_key",
    "duplicate_calcom_uid",
    "duplicate_appointment",
    "unknown_service",
]


OtherEvent: TypeAlias = (
    WebhookEvent | OperatorNotified | FullFallbackEvent | FailuresCleared | AlertEvent | BreakerMoved | BreakerCommanded
)
"""What happens on streams that are no booking's."""
LogEvent: TypeAlias = SagaEvent | OtherEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event as the log holds it. `position` is its place in the whole log, 0 if not known."""

    stream_id: UUID
    version: int
    event: LogEvent
    append_id: str
    correlation_id: str
    recorded_at: datetime
    position: int = 0


def booking_events(recorded: Iterable[Recorded]) -> Iterator[SagaEvent]:
    """Return the events of a booking's stream; those of other streams are no booking's."""
    return only_booking_events(one.event for one in recorded)


def only_booking_events(events: Iterable[LogEvent]) -> Iterator[SagaEvent]:
    """Leave out what is no booking's."""
    for event in events:
        if not isinstance(event, OtherEvent):
            yield event


def by_booking(recorded: Iterable[Recorded]) -> dict[UUID, list[Recorded]]:
    """Return what happened to each booking, in its order; what is no booking's is left out."""
    found: dict[UUID, list[Recorded]] = {}
    for one in recorded:
        if not isinstance(one.event, OtherEvent):
            found.setdefault(one.stream_id, []).append(one)
    return found


def webhook_events(recorded: Iterable[Recorded]) -> Iterator[WebhookEvent]:
    """Return the events of a webhook's stream; those of other streams are no webhook's."""
    for one in recorded:
        if isinstance(one.event, WebhookEvent):
            yield one.event


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotClaim:
    """
    What a booking holds while it is under way; near-duplicates and staff overlaps are refused against it.

    A near-duplicate is of the same service, or of one that is offered as the same.
    """

    company_id: str
    customer_id: UUID
    service_id: str
    offered_as: str
    staff_id: str | None
    starts_at: datetime
    ends_at: datetime
    allow_near_duplicate: bool
    leg: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """
    The customer's row, inserted if it is not there yet.

    A row that is there learns a phone or an e-mail address that it lacks, and keeps everything else.
    Unless the row was `found` before, by the very phone, the append looks for the person's own first;
    `customer_id` is whom they become if there is none.
    """

    customer_id: UUID
    company_id: str
    name: str
    email: str | None
    phone: str | None
    found: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertAppointment:
    """The row of `appointments` to write."""

    appointment_id: UUID
    company_id: str
    booking_id: UUID
    idempotency_key: str
    calcom_booking_uid: str
    service_id: str
    offered_as: str
    customer_id: UUID
    staff_id: str | None
    starts_at: datetime
    ends_at: datetime
    source: str
    retry_count: int
    sync_attempt_count: int
    last_sync_attempted_at: datetime | None
    resilience_strategy: str | None
    circuit_breaker_open_at_booking: datetime | None = None
    webhook_id: str | None = None
    overlap_allowed: bool = False
    leg: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAppointment:
    """
    The row of `appointments` to move to another time, and to another uid at Cal.com.

    The database may refuse it as it may refuse an insert; a row that is not booked any more is left alone.
    """

    appointment_id: UUID
    company_id: str
    booking_id: UUID
    staff_id: str | None
    calcom_booking_uid: str
    starts_at: datetime
    ends_at: datetime
    webhook_id: str | None = None
    overlap_allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAppointment:
    """The row of `appointments` to mark cancelled; that it is cancelled already is no error."""

    appointment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Due work that this process is doing: due again, for anybody, when the lease has run out."""

    token: UUID
    lasts: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAfter:
    """Due work for anybody, `delay` from now on (the database's now)."""

    delay: timedelta
    priority: int = 5


@dataclass(frozen=True, slots=True)
class NothingDue:
    """The saga owes nothing any more."""


Due: TypeAlias = Lease | DueAfter | NothingDue


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """
    Why the database did not take a claim or an appointment.

    `booking_id` and `appointment_id` are those of what stands in the way, where known.
    """

    refused: Literal["claim", "appointment"]
    by: RefusedBy
    booking_id: UUID | None = None
    appointment_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What is written when the claim or the appointment is refused; the claim is released if `releases_claim`."""

    events: tuple[LogEvent, ...]
    due: Due
    releases_claim: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRows:
    """The rows that an append writes for one leg of a composite, and what it writes instead if this leg is refused."""

    leg: int
    claim: SlotClaim | None = None
    appointment: InsertAppointment | MoveAppointment | CancelAppointment | None = None
    on_refused: Callable[[Refusal], Instead] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """
    One saga's share of a transaction.

    `expected_version` is the version that the decision was taken at, 0 for a new
    stream. `append_id` is random: an append whose acknowledgement was lost is
    recognised by it, and never written twice. Without events, only rows change. Those of
    all `legs` are written, or those of none. If the person has been a customer under another
    id before, what `for_customer` returns for that id is written instead, in the same transaction.
    """

    stream_id: UUID
    expected_version: int
    append_id: str
    correlation_id: str
    recorded_at: datetime
    events: tuple[LogEvent, ...]
    due: Due
    claim: SlotClaim | None = None
    releases_claim: bool = False
    customer: Customer | None = None
    appointment: InsertAppointment | MoveAppointment | CancelAppointment | None = None
    on_refused: Callable[[Refusal], Instead] | None = None
    legs: tuple[LegRows, ...] = ()
    for_customer: "Callable[[UUID], Append] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """The append is durable; `events` are those written, which after a refusal are others than those asked for."""

    events: tuple[LogEvent, ...]
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """Somebody else has written to the stream since the decision: reload, fold, decide again."""


AppendResult: TypeAlias = Appended | Lost
