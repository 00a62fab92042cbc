"""The forms of the answers about fallbacks, for `/openapi.json`."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class Fallback(BaseModel):
    """What answered in place of the source itself; with `retries_itself` nobody need ask again."""

    rung: Literal["stale", "queued", "manual_review", "refused"]
    notice: str
    retries_itself: bool


class FeatureState(BaseModel):
    """Whether something is offered now, and what it is."""

    available: bool
    meaning: str


class FullFallback(BaseModel):
    """Who keeps the fleet from using Cal.com, why, and until when at the latest."""

    actor: str
    reason: str
    since: datetime
    expires_at: datetime


class FullFallbackEnd(BaseModel):
    """Who ended it last, and why; the actor is calsaga if its time was over."""

    at: datetime
    actor: str
    reason: str


class FallbackState(BaseModel):
    """
    How full fallback stands for the fleet, and the mode of the process that answers.

    *degraded*: Cal.com fails, as that process knows it.
    """

    mode: Literal["normal", "degraded", "full_fallback"]
    full_fallback: FullFallback | None
    last_ended: FullFallbackEnd | None
    features: dict[str, FeatureState]


class OperationAnswers(BaseModel):
    """Answers by the rung that they came from, and the share of each; null before the first."""

    answers: int
    primary: int
    stale: int
    queued: int
    manual_review: int
    refused: int
    rates: dict[str, float | None]


class FallbackMetrics(BaseModel):
    """What the process that answers has counted since it began; `/metrics` has the same for each."""

    scope: Literal["process"]
    since: datetime
    operations: dict[str, OperationAnswers]


class QueuedBooking(BaseModel):
    """A booking that calsaga goes on with by itself; `in_hand` while a process is at it."""

    booking_id: UUID
    company_id: str
    service_id: str
    status: str
    waits_for: Literal["full_fallback", "calcom", "retry"]
    since: datetime
    next_try_at: datetime
    tries: int = Field(description="How often a process has taken it up.")
    in_hand: bool


class RetryQueuePage(BaseModel):
    """Some of the company's retry queue, the next to be tried first; `next_cursor` leads to the rest."""

    queue: list[QueuedBooking]
    next_cursor: str | None
