"""
A webhook's own short stream: received, perhaps put off, processed.

A webhook is a trigger, not truth: it says where to look. What it says about people is
not kept; whoever wants to know reads the booking.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias, assert_never
from uuid import UUID, uuid5

from domain.idempotency import NAMESPACE

WebhookOutcome: TypeAlias = Literal[
    "equal",
    "cancelled",
    "cancelling",
    "moved",
    "adopted",
    "imported",
    "woken",
    "flagged",
    "ignored",
    "rejected",
    "given_up",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceived:
    """
    Cal.com, or somebody with its secret, has told us something.

    `uid` is what it is about, `former_uid` what that was before it was moved, and
    `attempt_id` and `booking_id` what the metadata says, if there is any. `digest` is
    the SHA-256 of the raw body; `problem` is why nothing can be made of it.
    """

    TOPIC: ClassVar[str] = "webhook.received.v1"
    at: datetime
    company_id: str
    trigger: str
    digest: str
    uid: str | None = None
    former_uid: str | None = None
    attempt_id: str | None = None
    booking_id: UUID | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPutOff:
    """Both sides cannot be compared now, or do not agree yet: again from `until` on."""

    TOPIC: ClassVar[str] = "webhook.put-off.v1"
    at: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookProcessed:
    """What came of it; `given_up` leaves it to the reconciler."""

    TOPIC: ClassVar[str] = "webhook.processed.v1"
    at: datetime
    outcome: WebhookOutcome
    detail: str
    booking_id: UUID | None = None


WebhookEvent: TypeAlias = WebhookReceived | WebhookPutOff | WebhookProcessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook at `version`; `put_off` is how often it was."""

    webhook_id: UUID
    version: int = 0
    received: WebhookReceived | None = None
    put_off: int = 0
    processed: WebhookProcessed | None = None


def webhook_id_of(company_id: str, digest: str) -> UUID:
    """Return the id of a webhook's stream: the same body again is the same webhook."""
    return uuid5(NAMESPACE, f"webhook {company_id} {digest}")


def fold_webhook(webhook: Webhook, happened: Iterable[WebhookEvent]) -> Webhook:
    """Return the state after all these events."""
    for event in happened:
        webhook = replace(_after(webhook, event), version=webhook.version + 1)
    return webhook


def _after(webhook: Webhook, event: WebhookEvent) -> Webhook:
    match event:
        case WebhookReceived():
            return replace(webhook, received=event)
        case WebhookPutOff():
            return replace(webhook, put_off=webhook.put_off + 1)
        case WebhookProcessed():
            return replace(webhook, processed=event)
        case _:
            assert_never(event)
