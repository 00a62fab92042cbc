"""
Webhooks: who wants to be told what, as Cal.com keeps it.
"""

from dataclasses import dataclass
from enum import StrEnum

from adapters.sandbox import errors


class Trigger(StrEnum):
    """
    Name what the sandbox tells of. A confirmation is told as ``BOOKING_CREATED``: Cal.com has no other word for it.
    """

    CREATED = "BOOKING_CREATED"
    REQUESTED = "BOOKING_REQUESTED"
    RESCHEDULED = "BOOKING_RESCHEDULED"
    CANCELLED = "BOOKING_CANCELLED"
    REJECTED = "BOOKING_REJECTED"
    PING = "PING"


BOOKING_TRIGGERS = tuple(trigger.value for trigger in Trigger if trigger is not Trigger.PING)
_NEVER_SENT = (
    "BOOKING_PAYMENT_INITIATED BOOKING_PAID BOOKING_NO_SHOW_UPDATED FORM_SUBMITTED MEETING_ENDED MEETING_STARTED "
    "RECORDING_READY INSTANT_MEETING RECORDING_TRANSCRIPTION_GENERATED OOO_CREATED AFTER_HOSTS_CAL_VIDEO_NO_SHOW "
    "AFTER_GUESTS_CAL_VIDEO_NO_SHOW FORM_SUBMITTED_NO_EVENT ROUTING_FORM_FALLBACK_HIT DELEGATION_CREDENTIAL_ERROR "
    "WRONG_ASSIGNMENT_REPORT"
)
KNOWN_TRIGGERS = (*BOOKING_TRIGGERS, *_NEVER_SENT.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """
    One subscription: the owner's, made with a key or without one, or that of a single event type.
    """

    id: str
    subscriber_url: str
    triggers: tuple[str, ...]
    active: bool = True
    secret: str | None = None
    payload_template: str | None = None
    key: str = ""
    event_type_id: int | None = None

    def wants(self, trigger: str, *, event_type_id: int | None) -> bool:
        """
        Return whether the subscriber is to be told. A ping needs no subscription.
        """
        if trigger == Trigger.PING:
            return self.active
        return self.active and trigger in self.triggers and self.event_type_id in {None, event_type_id}


class Webhooks:
    """
    All subscriptions, in the order in which they were made.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Webhook] = {}

    def add(self, webhook: Webhook) -> None:
        """
        Add a subscription.

        Raises:
            Refusal: 409, its URL is known to the owner, or to the event type, already.
        """
        if self._twins(webhook):
            raise errors.webhook_exists("user" if webhook.event_type_id is None else "event type")
        self._by_id[webhook.id] = webhook

    def change(self, webhook: Webhook) -> None:
        """
        Put a changed subscription in the place of the one with its id.

        Raises:
            Refusal: 409, as the database says it, because nobody looks before.
        """
        if self._twins(webhook):
            raise errors.unique_constraint_violated()
        self._by_id[webhook.id] = webhook

    def remove(self, webhook: Webhook) -> None:
        del self._by_id[webhook.id]

    def find(self, webhook_id: str) -> Webhook:
        """
        Return a subscription of the owner.

        Raises:
            Refusal: 404, or 403 for that of an event type, which is looked after elsewhere.
        """
        found = self._by_id.get(webhook_id)
        if found is None:
            raise errors.webhook_not_found(webhook_id)
        if found.event_type_id is not None:
            raise errors.forbidden_resource()
        return found

    def of_owner(self) -> list[Webhook]:
        return [webhook for webhook in self._by_id.values() if webhook.event_type_id is None]

    def who_want(self, trigger: str, *, event_type_id: int | None) -> list[Webhook]:
        return [webhook for webhook in self._by_id.values() if webhook.wants(trigger, event_type_id=event_type_id)]

    def _twins(self, webhook: Webhook) -> bool:
        return any(
            other.id != webhook.id
            and (other.event_type_id, other.subscriber_url) == (webhook.event_type_id, webhook.subscriber_url)
            for other in self._by_id.values()
        )
