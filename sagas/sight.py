"""
What was found or asked while Cal.com could not be looked at is over once it shows itself: pure.

Nobody need decide about an attempt whose outcome has come to light, and a finding that
says only that nothing could be seen says nothing any more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain import findings as f
from domain.booking import Booking
from domain.events import BookingEvent
from domain.evolving import evolve, fold
from domain.ledger import LineStatus
from domain.person import Remark


def with_sight(
    booking: Booking, news: Sequence[BookingEvent], *, now: datetime, clear: bool = False
) -> tuple[BookingEvent, ...]:
    """Return the news with what they answer and settle; `clear` if they come from a look that saw everything."""
    blind = any((one.kind, one.uid) == ("orphan", None) for one in booking.inconsistencies)
    if not news or not (blind or booking.ledger.in_review):
        return tuple(news)
    after = fold(booking, news)
    in_sight = clear or not any(line.is_open for line in after.ledger.lines)
    resolved = f.InconsistencyResolved(at=now, kind="orphan", uid=None, how="seen", actor="calsaga")
    return (*_answers(booking, after, now=now), *news, *((resolved,) if blind and in_sight else ()))


def with_what_follows(booking: Booking, answered: f.ManualReviewAnswered) -> f.ManualReviewAnswered:
    """Return an answer with how the booking stands after it."""
    after = evolve(booking, answered)
    blame = after.review or after.failure or after.undoing
    return replace(
        answered,
        status_after=after.status.value,
        reason_after=None if blame is None else blame.reason,
        detail_after=None if blame is None else blame.detail,
    )


def _answers(booking: Booking, after: Booking, *, now: datetime) -> tuple[f.ManualReviewAnswered, ...]:
    """Answer for the people who were asked about an attempt that is no longer in doubt."""
    answers: list[f.ManualReviewAnswered] = []
    for line in booking.ledger.in_review:
        seen = after.ledger.of(line.attempt_id)
        if line.uid is not None or seen is None or seen.is_open:
            continue
        answered = f.ManualReviewAnswered(
            at=now,
            answer="adopt" if seen.status is LineStatus.LIVE else "absent",
            actor="calsaga",
            person=Remark(reason="it has come to light"),
            attempt_id=line.attempt_id,
            uid=None,
            status_after="",
            reason_after=None,
            detail_after=None,
        )
        answers.append(with_what_follows(fold(booking, answers), answered))
    return tuple(answers)
