"""
Several services booked as one: the events that a composite has beside those of its legs.

A leg is an ordinary booking in all but its stream. What happens to it stands on the
composite's stream, as the very event that it is, with the number of the leg (from 1 on).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias
from uuid import UUID

from domain.events import BookingEvent

FEWEST_LEGS = 2
MOST_LEGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeInitiated:
    """
    The wish for all legs was accepted at once; what each of them is follows as its own BookingInitiated.

    `services` are theirs, leg by leg; the times are the first start and the last end.
    """

    TOPIC: ClassVar[str] = "composite.initiated.v1"
    at: datetime
    company_id: str
    customer_id: UUID
    services: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    source: str
    idempotency_key: str
    key_given: bool
    generation: int
    fingerprint: str
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEvent:
    """Something has happened to one leg; it is stored under `LEG_TOPIC` and the event's own name."""

    leg: int
    event: BookingEvent

    @property
    def at(self) -> datetime:
        """Return when it was decided."""
        return self.event.at

    @property
    def TOPIC(self) -> str:  # noqa: N802 - the name that all events have for it
        """Return the stored name."""
        return f"{LEG_TOPIC}{self.event.TOPIC}"


LEG_TOPIC = "composite.leg.v1/"
CompositeEvent: TypeAlias = CompositeInitiated | LegEvent
SagaEvent: TypeAlias = BookingEvent | CompositeEvent
