"""What cancelling makes of a booking."""

from domain import events as e
from domain.booking import Booking, BookingStatus, Goal
from domain.cancel_deferred import CalcomCancelDeferred
from domain.ledger import Line, LineStatus
from domain.replacing import replace


def attempted(b: Booking, event: e.CalcomCancelAttempted) -> Booking:
    """Count the call: Cal.com is being asked."""
    cancelling = b.ledger.changed(lambda it: it.uid == event.uid, cancels=event.number, cancel_deferred_for=None)
    return replace(b, ledger=cancelling, calls=b.calls + 1, repeats=b.repeats + (event.number > 1))


def deferred(b: Booking, event: CalcomCancelDeferred) -> Booking:
    """Wait, and count nothing: Cal.com cannot be asked now."""
    waits = b.ledger.changed(
        lambda it: it.uid == event.uid, retry_cancel_at=event.until, cancel_deferred_for=event.reason
    )
    return replace(b, ledger=waits)


def cancellation_requested(b: Booking, event: e.CancellationRequested) -> Booking:
    """Undo from now on what was being made of it."""
    commands = b.cancel_commands if event.command_id is None else (*b.cancel_commands, event.command_id)
    asked = replace(b, cancellation=event, cancel_commands=commands)
    if b.goal not in {Goal.BOOK, Goal.MOVE} or b.ended in {BookingStatus.FAILED, BookingStatus.CANCELLED}:
        return asked
    return replace(asked, goal=Goal.CANCEL, ended=None, retry_at=None)


def calcom_cancelled(b: Booking, event: e.CalcomBookingCancelled) -> Booking:
    """Take it off the ledger: it is gone at Cal.com."""

    def is_it(line: Line) -> bool:
        return line.uid == event.uid or (line.uid is None and line.attempt_id == event.attempt_id)

    return replace(b, ledger=b.ledger.changed(is_it, status=LineStatus.CANCELLED, uid=event.uid, in_review=False))


def compensation_failed(b: Booking, event: e.CompensationFailed) -> Booking:
    """Ask again later: Cal.com did not cancel it."""
    line = b.ledger.holding(event.uid)
    failures = 1 if line is None else line.cancel_failures + 1
    changed = b.ledger.changed(lambda it: it.uid == event.uid, cancel_failures=failures, retry_cancel_at=event.retry_at)
    return replace(b, ledger=changed)
