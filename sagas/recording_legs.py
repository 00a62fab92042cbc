"""
What is recorded about one leg that goes while others stand: pure.

A salon would rather talk to its customer than lose the hour, so the other legs stay,
and a person is told.
"""

from datetime import datetime

from domain import findings as f
from domain.booking import Booking, BookingStatus
from domain.composite import SagaEvent
from domain.legs import of_leg
from sagas.recording import record_gone


def record_part_gone(whole: Booking, part: Booking, uid: str, *, now: datetime) -> tuple[SagaEvent, ...]:
    """Return what it adds to a booking's log that Cal.com does not hold it, or this leg of it, any more."""
    gone = record_gone(part, uid, now=now)
    return of_leg(part.leg, (*gone, *partly_gone(whole, part, uid, now=now))) if part.leg and gone else gone


def partly_gone(whole: Booking, part: Booking, uid: str, *, now: datetime) -> tuple[f.InconsistencyDetected, ...]:
    """Return that a person should look, if other legs stand."""
    left = [leg.leg for leg in whole.legs if leg.leg != part.leg and leg.ended is BookingStatus.BOOKED]
    if not left:
        return ()
    evidence = f"leg {part.leg} was cancelled at Cal.com; still booked: {', '.join(map(str, left))}"
    return (f.InconsistencyDetected(at=now, kind="status_drift", uid=uid, evidence=evidence, repair="manual_review"),)
