"""
What can come of an effect, in the saga's words.

For a create there are exactly four answers to "what happened?": ours, refused, not
sent, unknown. Whether it may be *tried again* is another question (M11), and is
answered from these.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from domain.events import CancelHow, ObstacleVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Cal.com holds a booking with this attempt's id; the times are Cal.com's."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    calcom_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A check that runs before Cal.com's insert said no; `conflict` if the slot is held by somebody."""

    reason: str
    detail: str
    status: int | None = None
    conflict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """
    The request never reached Cal.com's booking code.

    `retry_after` is in seconds. `defer` says that no quick retry can help: a rejected
    key, a rate limit, an open breaker.
    """

    reason: str
    detail: str
    retry_after: float | None = None
    defer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Everything else, an answer 2xx that cannot be read included."""

    reason: str
    detail: str


CreateOutcome: TypeAlias = Made | Refused | NotSent | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A booking in Cal.com's list that carries one of our attempt ids, and the uids it was moved from and to."""

    attempt_id: str
    uid: str
    calcom_status: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    rescheduled_from: str | None = None
    rescheduled_to: str | None = None

    @property
    def is_live(self) -> bool:
        """Tell whether it still stands: neither cancelled nor rejected, whatever new word Cal.com invents."""
        return self.calcom_status not in {"cancelled", "rejected"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The whole list was read; `started_at` is when the first page was asked for."""

    started_at: datetime
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookFailed:
    """The list could not be read to its end: this look proves nothing."""

    started_at: datetime
    reason: str


LookOutcome: TypeAlias = Looked | LookFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The booking is not live at Cal.com any more."""

    how: CancelHow


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The booking lives on under another uid."""

    to_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRefused:
    """Cal.com will never cancel it; a person must decide."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOurs:
    """What stands under this uid does not carry our attempt's id: hands off (invariant 10)."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelFailed:
    """The cancel did not work, or nobody knows; `retry_after` in seconds."""

    reason: str
    detail: str
    retry_after: float | None = None


CancelOutcome: TypeAlias = Cancelled | Moved | CancelRefused | NotOurs | CancelFailed


Liveness: TypeAlias = Literal["live", "dead", "not_found", "unknown"]
"""How a uid stands at Cal.com; `unknown` if that cannot be said now, or if the booking lives on under another uid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What was found out about the row in the way."""

    verdict: ObstacleVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """Whom Cal.com has booked it for, as Cal.com has it."""

    name: str
    email: str | None
    phone: str | None
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    What a uid has become lives at Cal.com as `uid`; `origins` are the uids that it was moved from.

    `attempt_id` and `booking_id` are what its metadata says, which anybody can write.
    """

    uid: str
    calcom_status: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    event_type_id: int | None
    attempt_id: str | None = None
    booking_id: UUID | None = None
    origins: tuple[str, ...] = ()
    attendee: Attendee | None = None

    @property
    def uids(self) -> tuple[str, ...]:
        """Return every uid that it has or had."""
        return (self.uid, *self.origins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What a uid has become is cancelled or rejected."""

    uid: str
    attempt_id: str | None = None
    booking_id: UUID | None = None
    origins: tuple[str, ...] = ()

    @property
    def uids(self) -> tuple[str, ...]:
        """Return every uid that it has or had."""
        return (self.uid, *self.origins)


@dataclass(frozen=True, slots=True)
class NotThere:
    """Cal.com finds nothing under the uid; its replicas lag, so that this alone proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFailed:
    """Cal.com did not say; `retry_after` in seconds."""

    reason: str
    retry_after: float | None = None


Trace: TypeAlias = Standing | Gone | NotThere | TraceFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighted:
    """All bookings of a list that was read to its end; `started_at` is when the first page was asked for."""

    started_at: datetime
    seen: tuple[Standing | Gone, ...]


Sightings: TypeAlias = Sighted | LookFailed


Outcome: TypeAlias = CreateOutcome | LookOutcome | CancelOutcome | Inspected
