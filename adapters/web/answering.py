"""
Deciding about a sync failure: what a person answers, checked against the log, and handed to the saga.

The list may lag behind, so that what is decided, and what has become of it, is read
from the booking's own stream.
"""

from dataclasses import dataclass
from uuid import UUID

from adapters.web.ports import Repairs, Streams, SyncFailures
from domain.booking import Booking
from domain.errors import CustomerValidationError, FieldError, NothingToDecide, UnknownSyncFailure
from domain.findings import ReviewAnswer
from domain.text import identifier_problem, text_problem
from projections.failures import SyncFailure
from projections.sync_failures import evolve_recorded
from sagas.repairs import AnswerReview

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """
    What a person decides about a sync failure; `adopt` is the uid to take for `adopt`, and for nothing else.

    Raises:
        CustomerValidationError: the uid is missing, surplus or none, or the note cannot be stored.

    """

    company_id: str
    failure_id: UUID
    answer: ReviewAnswer
    actor: str
    adopt: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what nobody could act on."""
        problems = {
            "uid": uid_problem(self.adopt, answer=self.answer),
            "note": text_problem(self.note, at_most=LONGEST_NOTE, lines=True) if self.note else None,
        }
        errors = tuple(FieldError(field, problem) for field, problem in problems.items() if problem is not None)
        if errors:
            raise CustomerValidationError(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Where the booking and the sync failure stand now."""

    booking: Booking
    failure: SyncFailure


def uid_problem(uid: str | None, *, answer: ReviewAnswer) -> str | None:
    """Say what is wrong with the uid of an answer, or None."""
    if answer != "adopt":
        return None if uid is None else "belongs to the answer adopt alone"
    return "is required to adopt a booking of Cal.com's" if uid is None else identifier_problem(uid)


async def decide(
    decision: Decision, *, failures: SyncFailures, streams: Streams, repairs: Repairs, patience: float
) -> Decided:
    """
    Hand a person's decision to the saga, and return what has become of it within `patience` seconds.

    Raises:
        UnknownSyncFailure: the company has no such sync failure.
        NothingToDecide: it is resolved, or nobody has to decide about it.
        CustomerValidationError: the answer does not fit; it says which ones do.
        MadeElsewhere: somebody else made the booking at Cal.com, and it is to be cancelled.
        CalcomBookingError: Cal.com could not be read for a retry.

    """
    listed = await failures.find(decision.failure_id, company_id=decision.company_id)
    if listed is None:
        raise UnknownSyncFailure(decision.failure_id)
    failure = await _present(listed, streams)
    if not failure.is_open:
        raise NothingToDecide(failure.booking_id)
    wish = AnswerReview(
        company_id=failure.company_id,
        booking_id=failure.booking_id,
        attempt_id=failure.attempt_id,
        uid=failure.calcom_booking_id,
        answer=decision.answer,
        adopt=decision.adopt,
        actor=decision.actor,
        note=decision.note,
    )
    result = await repairs.answer(wish, patience=patience)
    return Decided(booking=result.booking, failure=await _present(failure, streams))


async def _present(failure: SyncFailure, streams: Streams) -> SyncFailure:
    recorded = await streams.read(failure.booking_id)
    if not recorded:
        return failure
    return next((it for it in evolve_recorded(None, recorded).failures if it.id == failure.id), failure)
