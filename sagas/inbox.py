"""
The inbox for webhooks: stored and acknowledged at once, processed as due work.

A webhook that comes twice has one stream, and one that comes before our own answer waits
for the saga. Whatever order they come in, each only has both sides compared.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from domain.booking import BookingStatus
from domain.legs import part_with
from domain.policy import Policy
from domain.webhook import (
    Webhook,
    WebhookEvent,
    WebhookOutcome,
    WebhookProcessed,
    WebhookPutOff,
    WebhookReceived,
    fold_webhook,
    webhook_id_of,
)
from sagas.appending import Append, Due, DueAfter, Lost, NothingDue, webhook_events
from sagas.converged import Converged
from sagas.convergence import Convergence
from sagas.engine import Engine
from sagas.ports import Clock, Ids, Log, WebhookHints

FOLLOWED = frozenset(
    {"BOOKING_CREATED", "BOOKING_REQUESTED", "BOOKING_RESCHEDULED", "BOOKING_CANCELLED", "BOOKING_REJECTED"}
)
"""The triggers that tell of a booking that came, went, or was moved; all others are kept and ignored."""

GONE = frozenset({"BOOKING_CANCELLED", "BOOKING_REJECTED"})
STANDS: frozenset[WebhookOutcome | None] = frozenset({"equal", "imported", "moved", "flagged"})
"""What comes of a booking that stands at Cal.com."""

AGREES_AFTER = (timedelta(seconds=2), timedelta(seconds=10), timedelta(seconds=60))
"""Cal.com sends BOOKING_CANCELLED before it changes the booking: when to look again."""

OWN_SAGA_FIRST = timedelta(seconds=1)
"""How long a webhook about an attempt of ours waits, because it comes before the answer to our own request."""

PRIORITY = 7
TRIES = 12

Stored: TypeAlias = Literal["stored", "known", "ignored", "rejected"]

WebhookNews: TypeAlias = Stored | Literal["put_off", "failed"] | WebhookOutcome
"""What has become of a webhook: once when it came, and whenever it was looked into; *failed* for a reason of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingWebhook:
    """A webhook with a right signature, as far as it could be read; `digest` is the SHA-256 of its raw body."""

    company_id: str
    digest: str
    trigger: str = ""
    uid: str | None = None
    former_uid: str | None = None
    attempt_id: str | None = None
    booking_id: UUID | None = None
    problem: str | None = None


class Inbox:
    """Takes webhooks in, and processes those that are due; `count` is told what becomes of them."""

    def __init__(
        self,
        *,
        log: Log,
        engine: Engine,
        convergence: Convergence,
        hints: WebhookHints,
        clock: Clock,
        ids: Ids,
        policy: Policy,
        count: Callable[[WebhookNews], None],
    ) -> None:
        self._log = log
        self._engine = engine
        self._convergence = convergence
        self._hints = hints
        self._clock = clock
        self._ids = ids
        self._policy = policy
        self._count = count

    async def receive(self, webhook: IncomingWebhook) -> Stored:
        """
        Store a webhook, and return what becomes of it.

        A repeat that somebody remembers is looked up instead of losing an append, which
        would wait for the one writer. The log says whether it really is one.

        Raises:
            AppointmentDatabaseError: it may not be stored.

        """
        with self._failures_counted():
            return await self._receive(webhook)

    async def _receive(self, webhook: IncomingWebhook) -> Stored:
        new = Webhook(webhook_id=webhook_id_of(webhook.company_id, webhook.digest))
        remembered = await self._hints.seen(new.webhook_id) and bool(await self._log.read(new.webhook_id))
        stored = "known" if remembered else await self._store(new, webhook)
        self._hints.judged(repeated=stored == "known")
        self._count(stored)
        return stored

    async def _store(self, new: Webhook, webhook: IncomingWebhook) -> Stored:
        now = self._clock.now()
        received = WebhookReceived(
            at=now,
            company_id=webhook.company_id,
            trigger=webhook.trigger,
            digest=webhook.digest,
            uid=webhook.uid,
            former_uid=webhook.former_uid,
            attempt_id=webhook.attempt_id,
            booking_id=webhook.booking_id,
            problem=webhook.problem,
        )
        outcome = _at_once(received)
        if outcome is not None:
            processed = WebhookProcessed(at=now, outcome=outcome, detail=webhook.problem or webhook.trigger)
            if not await self._append(new, (received, processed), NothingDue()):
                return "known"
            self._hints.processed(new.webhook_id)
            return "rejected" if outcome == "rejected" else "ignored"
        delay = timedelta(0) if webhook.attempt_id is None else OWN_SAGA_FIRST
        written = await self._append(new, (received,), DueAfter(delay=delay, priority=PRIORITY))
        if written:
            self._engine.parked.tell()
        return "stored" if written else "known"

    async def load(self, webhook_id: UUID) -> Webhook:
        """Return a webhook as the log has it; version 0 if it never came."""
        return fold_webhook(Webhook(webhook_id=webhook_id), webhook_events(await self._log.read(webhook_id)))

    async def process(self, webhook: Webhook) -> None:
        """
        Process a webhook that is due.

        Raises:
            AppointmentDatabaseError: the database did not answer; it is due again.

        """
        with self._failures_counted():
            await self._process(webhook)

    async def _process(self, webhook: Webhook) -> None:
        received = webhook.received
        if received is None or received.uid is None or webhook.processed is not None:
            await self._append(webhook, (), NothingDue())
            return
        converged = await self._converged(webhook, received, received.uid)
        now = self._clock.now()
        wait = _put_off(webhook, received, converged, self._policy)
        if wait is not None:
            put_off = WebhookPutOff(at=now, until=now + wait, reason=converged.detail or "not_agreed")
            if await self._append(webhook, (put_off,), DueAfter(delay=wait, priority=PRIORITY)):
                self._count("put_off")
            return
        processed = WebhookProcessed(
            at=now,
            outcome=converged.outcome or "given_up",
            detail=converged.detail,
            booking_id=converged.booking_id,
        )
        if await self._append(webhook, (processed,), NothingDue()):
            self._hints.processed(webhook.webhook_id)
            self._count(processed.outcome)

    async def _converged(self, webhook: Webhook, received: WebhookReceived, uid: str) -> Converged:
        if received.trigger == "BOOKING_CREATED" and received.booking_id is not None and not webhook.put_off:
            booking = part_with(await self._engine.load(received.booking_id), uids=(uid,))
            booked = booking.ended is BookingStatus.BOOKED and booking.kept_uid == uid
            if booked and booking.facts.service.company_id == received.company_id:
                # Our own news: both sides have it, and nobody need be asked.
                return Converged(outcome="equal", booking_id=booking.booking_id)
        return await self._convergence.converge(received.company_id, uid, webhook_id=webhook.webhook_id)

    @contextmanager
    def _failures_counted(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            self._count("failed")
            raise

    async def _append(self, webhook: Webhook, events: tuple[WebhookEvent, ...], due: Due) -> bool:
        """Write, and tell whether it was written; somebody else may have been faster."""
        append = Append(
            stream_id=webhook.webhook_id,
            expected_version=webhook.version,
            append_id=self._ids.attempt_id(),
            correlation_id=webhook.webhook_id.hex,
            recorded_at=self._clock.now(),
            events=events,
            due=due,
        )
        return not isinstance(await self._log.append(append), Lost)


def _at_once(received: WebhookReceived) -> WebhookOutcome | None:
    if received.problem is not None:
        return "rejected"
    return None if received.trigger in FOLLOWED and received.uid is not None else "ignored"


def _put_off(webhook: Webhook, received: WebhookReceived, converged: Converged, policy: Policy) -> timedelta | None:
    """Return after how long it is to be looked at again, or None if that is enough."""
    waits = AGREES_AFTER[webhook.put_off] if webhook.put_off < len(AGREES_AFTER) else None
    if converged.outcome in STANDS and received.trigger in GONE and not converged.gone:
        return waits
    if converged.outcome is not None:
        return None
    if converged.detail == "not_there":
        return waits
    if webhook.put_off >= TRIES:
        return None
    return policy.retry.wait(webhook.put_off + 1, salt=str(webhook.webhook_id), asked_for=converged.retry_after)
