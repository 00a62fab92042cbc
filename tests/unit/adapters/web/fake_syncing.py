"""
What the API under test finds of differences and is told by Cal.com, in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from domain.errors import AppointmentError
from projections.failures import SyncFailure
from projections.sync_failure_pages import FailureFilter, FailurePage
from sagas.inbox import IncomingWebhook, Stored
from sagas.repairs import AnswerReview
from sagas.wishes import BookingResult
from tests.unit.adapters.web.given import ATTEMPTED, BOOKED, CREATED, FAILURE, booking


@dataclass
class FakeSyncFailures:
    held: list[SyncFailure] = field(default_factory=lambda: [FAILURE])
    asked: list[tuple[FailureFilter, int, str | None]] = field(default_factory=list)

    async def page(self, wanted: FailureFilter, *, limit: int, cursor: str | None) -> FailurePage:
        self.asked.append((wanted, limit, cursor))
        if cursor == "bad":
            raise ValueError(cursor)
        own = tuple(it for it in self.held if it.company_id == wanted.company_id)
        return FailurePage(failures=own, next_cursor="more")

    async def find(self, failure_id: UUID, *, company_id: str) -> SyncFailure | None:
        return next((it for it in self.held if (it.id, it.company_id) == (failure_id, company_id)), None)


@dataclass
class FakeRepairs:
    """Answers `result` after `meanwhile` has happened, or raises `error`."""

    result: BookingResult = field(default_factory=lambda: BookingResult(booking=booking(ATTEMPTED, CREATED, BOOKED)))
    error: AppointmentError | None = None
    meanwhile: Callable[[], None] = lambda: None
    answered: list[AnswerReview] = field(default_factory=list)
    patience: list[float] = field(default_factory=list)

    async def answer(self, wish: AnswerReview, *, patience: float) -> BookingResult:
        if self.error is not None:
            raise self.error
        self.answered.append(wish)
        self.patience.append(patience)
        self.meanwhile()
        return self.result


@dataclass
class FakeInbox:
    """Stores each digest once."""

    stored: list[IncomingWebhook] = field(default_factory=list)

    async def receive(self, webhook: IncomingWebhook) -> Stored:
        if any(one.digest == webhook.digest for one in self.stored):
            return "known"
        self.stored.append(webhook)
        return "stored" if webhook.problem is None else "rejected"
