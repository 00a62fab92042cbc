"""
What becomes of a change at Cal.com while Cal.com is not to be asked for any: it waits, and nothing is counted.

A breaker that is open, or a rate limit that is used up, says nothing of this booking. So
nothing is announced, no attempt is spent, and whoever asked is told at once that it
will be done later.
"""

from datetime import datetime, timedelta
from typing import assert_never

from domain import events as e
from domain import moving as m
from domain.booking import Booking, BookingStatus, Goal
from domain.cancel_deferred import CalcomCancelDeferred
from domain.full_fallback import FULL_FALLBACK
from domain.moving import MoveStatus
from domain.policy import Policy
from sagas.outcomes import NotSent
from sagas.steps import CancelAtCalcom, Change, CreateAtCalcom, RescheduleAtCalcom

# A rejected key is replaced by a person, who then looks whether the bookings go on, and nothing wakes those that wait.
# Asking once a minute until then costs Cal.com one refusal for each.
LONGEST_DEFERRAL = timedelta(minutes=1)
_IN_LINE = frozenset({"breaker_open", FULL_FALLBACK})
"""Why many wait for the same moment, which may come at any time."""
_NOBODY_KNOWS_HOW_LONG = _IN_LINE | {"unauthorized"}
"""Why nobody is asked to wait: Cal.com has to become well, or a person has to see to the company's key."""


def record_held_back(
    booking: Booking, effect: Change, held_back: NotSent, *, now: datetime, policy: Policy
) -> tuple[e.BookingEvent, ...]:
    """Return what it adds to the log that a change was not even tried; nothing once there is nothing to change."""
    match effect:
        case CreateAtCalcom():
            return _create_held_back(booking, held_back, now=now, policy=policy)
        case RescheduleAtCalcom():
            return _move_held_back(booking, held_back, now=now, policy=policy)
        case CancelAtCalcom():
            return record_cancel_held_back(booking, effect.uid, held_back, now=now, policy=policy)
        case _:
            assert_never(effect)


def record_cancel_held_back(
    booking: Booking, uid: str, held_back: NotSent, *, now: datetime, policy: Policy
) -> tuple[CalcomCancelDeferred, ...]:
    """Return what it adds to the log that Cal.com was not to be asked to cancel; nothing if nobody wants that."""
    line = booking.ledger.holding(uid)
    if line is None or line not in booking.surplus:
        return ()
    wait = wait_to_send(line.cancel_failures + 1, uid, held_back, policy=policy)
    return (CalcomCancelDeferred(at=now, uid=uid, until=now + wait, reason=held_back.reason),)


def wait_to_send(failures: int, salt: str, outcome: NotSent, *, policy: Policy) -> timedelta:
    """Return how long to leave Cal.com alone with what was not sent."""
    if outcome.defer and outcome.retry_after is not None:
        if outcome.reason in _IN_LINE:
            return policy.in_line(outcome.retry_after)
        return policy.retry.queue(outcome.retry_after, salt=salt)
    wait = policy.retry.wait(failures, salt=salt, asked_for=outcome.retry_after)
    return min(wait, LONGEST_DEFERRAL) if outcome.defer else wait


def wait_to_move(booking: Booking, move: m.Move, outcome: NotSent, *, policy: Policy) -> timedelta:
    """Return how long to leave Cal.com alone with a move that was not sent."""
    salt = f"{booking.booking_id}:{move.number}"
    return wait_to_send(move.not_sent + 1, salt, outcome, policy=policy)


def stands_in_line(booking: Booking) -> bool:
    """Tell whether a booking, or its move, waits for the same moment as many others; what is taken back does not."""
    if booking.status is BookingStatus.PENDING:
        return booking.comes_in_turn
    move = booking.move
    return booking.status is BookingStatus.RESCHEDULING and move is not None and move.deferred_for in _IN_LINE


def has_stood_in_line(booking: Booking, effect: Change) -> bool:
    """Tell whether a change has waited for Cal.com to be well again, as many others have."""
    match effect:
        case CreateAtCalcom():
            return booking.comes_in_turn
        case RescheduleAtCalcom():
            return booking.move is not None and booking.move.deferred_for in _IN_LINE
        case CancelAtCalcom():
            line = booking.ledger.holding(effect.uid)
            return line is not None and line.cancel_deferred_for in _IN_LINE
        case _:
            assert_never(effect)


def rests(booking: Booking, *, now: datetime, until: datetime) -> bool:
    """
    Tell whether whoever waits until then waits for nothing: Cal.com is not to be asked before.

    While it is failing, or rejects the company's key, nobody knows how long that will be, and nobody is asked to wait
    at all.
    """
    reason, retry_at = deferral(booking)
    if reason is None or retry_at is None or booking.ledger.open:
        return False
    return retry_at > (now if reason in _NOBODY_KNOWS_HOW_LONG else until)


def deferral(booking: Booking) -> tuple[str | None, datetime | None]:
    """Return why Cal.com is not to be asked for the next change now, and until when; neither if it may be."""
    match booking.status:
        case BookingStatus.PENDING:
            return booking.deferred_for, booking.retry_at
        case BookingStatus.RESCHEDULING if booking.move is not None:
            return booking.move.deferred_for, booking.move.retry_at
        case BookingStatus.CANCELLING | BookingStatus.COMPENSATING:
            waits = [(line.cancel_deferred_for, line.retry_cancel_at) for line in booking.surplus]
            # What is in somebody's hands now is not waited for in vain.
            return next((one for one in waits if one[0] is None), waits[0]) if waits else (None, None)
        case _:
            return None, None


def _create_held_back(
    booking: Booking, held_back: NotSent, *, now: datetime, policy: Policy
) -> tuple[e.BookingDeferred, ...]:
    if booking.goal is not Goal.BOOK or booking.ended is not None or booking.kept is not None or booking.ledger.open:
        return ()
    if booking.until_switched and held_back.reason == FULL_FALLBACK and booking.retry_at and now < booking.retry_at:
        # It was woken, and full fallback holds: the log knows already that it waits for that to end.
        return ()
    wait = wait_to_send(booking.not_sent + 1, str(booking.booking_id), held_back, policy=policy)
    return (e.BookingDeferred(at=now, until=now + wait, reason=held_back.reason),)


def _move_held_back(
    booking: Booking, held_back: NotSent, *, now: datetime, policy: Policy
) -> tuple[m.CalcomRescheduleDeferred, ...]:
    move = booking.move
    if move is None or booking.goal is not Goal.MOVE or move.status is not MoveStatus.WANTED:
        return ()
    until = now + wait_to_move(booking, move, held_back, policy=policy)
    return (m.CalcomRescheduleDeferred(at=now, until=until, reason=held_back.reason),)
