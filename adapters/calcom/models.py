"""
Cal.com's answers, as far as calsaga relies on them.

Strict in what is used, indifferent to everything else: an unknown word of an enum or a
new field changes nothing, a missing uid or a time without an offset makes an answer
unreadable.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

ATTEMPT_KEY = "calsaga_attempt_id"
"""The metadata key by which a booking is known to be ours."""

DEAD = frozenset({"cancelled", "rejected"})
"""The states in which a booking does not stand, whatever new words Cal.com invents for the others."""


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004 - pydantic reads a TypeError as a fault of ours
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("must have an offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be a date of the calendar") from error


def _or_none(value: object) -> object:
    return None if value == "" else value


Instant = Annotated[datetime, BeforeValidator(_instant)]
Uid = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_-]{1,100}$")]
Word = Annotated[str, StringConstraints(strict=True, to_lower=True, pattern=r"^[A-Za-z][A-Za-z_ -]{0,39}$")]
OptionalUid = Annotated[Uid | None, BeforeValidator(_or_none)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class BookingAnswer(_Answer):
    """A booking at Cal.com."""

    uid: Uid
    status: Word
    starts_at: Instant = Field(alias="start")
    ends_at: Instant = Field(alias="end")
    created_at: Instant = Field(alias="createdAt")
    rescheduled_from_uid: OptionalUid = Field(alias="rescheduledFromUid", default=None)
    rescheduled_to_uid: OptionalUid = Field(alias="rescheduledToUid", default=None)
    metadata: Mapping[str, object] | None = None

    @model_validator(mode="after")
    def _takes_time(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("must end after it starts")
        return self

    @property
    def attempt_id(self) -> str | None:
        """Return the attempt that made it, if one of ours did."""
        attempt_id = (self.metadata or {}).get(ATTEMPT_KEY)
        return attempt_id if isinstance(attempt_id, str) and attempt_id else None

    @property
    def is_live(self) -> bool:
        """Tell whether it still stands."""
        return self.status not in DEAD


class Switch(_Answer):
    """A setting that can be off (`disabled`) or absent."""

    disabled: bool = False


class Requirable(_Answer):
    """A question that an event type asks its bookers."""

    slug: str = ""
    type: str = ""
    required: bool = False


class Identified(_Answer):
    """Anything with a number, as far as it matters that it is there."""

    id: int


class EventTypeAnswer(_Answer):
    """An event type, as far as it decides whether calsaga can book it."""

    id: int
    owner_id: int | None = Field(alias="ownerId", default=None)
    length_minutes: int = Field(alias="lengthInMinutes")
    length_options: tuple[int, ...] | None = Field(alias="lengthInMinutesOptions", default=None)
    notice_minutes: int | None = Field(alias="minimumBookingNotice", default=None)
    disable_cancelling: Switch | bool | None = Field(alias="disableCancelling", default=None)
    seats: Switch | None = None
    seats_per_slot: object = Field(alias="seatsPerTimeSlot", default=None)
    recurrence: Switch | None = None
    confirmation: Switch | None = Field(alias="confirmationPolicy", default=None)
    price: float | None = None
    requires_authentication: bool | None = Field(alias="bookingRequiresAuthentication", default=None)
    requires_verification: bool | None = Field(alias="requiresBookerEmailVerification", default=None)
    fields: tuple[Requirable, ...] | None = Field(alias="bookingFields", default=None)


class Me(_Answer):
    """Whose key it is."""

    id: int
    time_zone: str | None = Field(alias="timeZone", default=None)


class _Slot(_Answer):
    starts_at: Instant = Field(alias="start")


class Slots(_Answer):
    """Free slots, by day."""

    days: Mapping[str, tuple[_Slot, ...]]

    def starts(self) -> tuple[datetime, ...]:
        """Return the starts in order."""
        return tuple(sorted(slot.starts_at for day in self.days.values() for slot in day))
