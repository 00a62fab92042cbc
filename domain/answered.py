"""What an answer to a question makes of a booking that a person was asked about."""

from domain import findings as f
from domain.booking import Booking, BookingStatus, Goal
from domain.ledger import LineStatus
from domain.replacing import replace


def answered(b: Booking, event: f.ManualReviewAnswered) -> Booking:
    """Return the booking after the answer."""
    # Beside the appointment that is kept, what else stands at Cal.com is set aside.
    stays = event.answer == "keep_local" and b.appointment_live and event.uid in {None, b.kept_uid}
    facts: dict[str, object] = {"in_review": False}
    if event.answer == "absent":
        facts["status"] = LineStatus.ABSENT_FOR_GOOD if event.uid is None else LineStatus.CANCELLED
    elif event.answer in {"retry", "cancel"}:
        facts |= {"cancel_failures": 0, "retry_cancel_at": None, "failed_looks": 0, "refused_looks": 0}
    elif event.answer == "keep_local" and not stays:
        facts["status"] = LineStatus.SET_ASIDE
    ledger = b.ledger.changed(
        lambda line: line.in_review and line.attempt_id == event.attempt_id and line.uid == event.uid, **facts
    )
    answered = replace(b, ledger=ledger, review=b.review if ledger.in_review else None)
    if stays:
        # The appointment is kept, and what was to undo it is forgotten.
        return replace(answered, goal=Goal.BOOK, ended=BookingStatus.BOOKED, cancellation=None, undoing=None, move=None)
    if event.answer == "retry":
        move = None if b.move is None else replace(b.move, failed_looks=0, refused_looks=0)
        return replace(answered, persistence_failure=None, move=move)
    return answered
