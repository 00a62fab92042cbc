"""
What people decide about a booking whose sides differ, and how the saga goes on from there.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.errors import NothingToDecide
from domain.findings import ReviewAnswer
from sagas.orchestrator import BookingResult


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReview:
    """The answer to what was asked about an attempt, or about the booking `uid` of it; `adopt` is the uid to take."""

    company_id: str
    booking_id: UUID
    attempt_id: str | None
    uid: str | None
    answer: ReviewAnswer
    adopt: str | None
    actor: str
    note: str


class Repairs:
    """Takes people's answers."""

    async def answer(self, wish: AnswerReview, *, patience: float) -> BookingResult:  # noqa: ARG002 - nobody is asked yet
        """
        Go on as somebody has decided, and wait up to `patience` seconds for the outcome.

        Raises:
            NothingToDecide: nobody is asked about this.

        """
        raise NothingToDecide(wish.booking_id)
