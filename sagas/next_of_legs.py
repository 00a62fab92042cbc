"""
What a composite does next: each leg goes its own way, held back where all must go together.

The pivot is one for all legs. Until it, the first leg that comes to nothing takes the
others back with it, from the last one on; a leg that has to wait keeps no other one back.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from domain import events as e
from domain import findings as f
from domain.booking import Booking, BookingStatus, Failure, Goal
from domain.composite import LegEvent
from sagas.steps import (
    Act,
    CreateAtCalcom,
    Done,
    LegEnd,
    OfLeg,
    Perform,
    Persist,
    RecordOfLegs,
    Step,
    Together,
    Wait,
    Withdraw,
)

_GOING_BACK = frozenset({Goal.COMPENSATE, Goal.CANCEL})
_GONE = frozenset({BookingStatus.FAILED, BookingStatus.CANCELLED})


def next_of_legs(composite: Booking, own: Sequence[Step], now: datetime) -> Step:
    """Return what a composite needs next, whose legs would need `own`, each by itself."""
    news = (*_taken_back(composite, now), *_settled(composite, now))
    if news:
        return RecordOfLegs(news)
    steps = list(zip(composite.legs, own, strict=True))
    for leg, step in reversed(steps) if any(map(_goes_back, composite.legs)) else steps:
        act = _alone(leg, step, own)
        if act is not None:
            return OfLeg(leg=leg.leg, step=act)
    together = _persisted(steps) or _withdrawn(steps)
    if together:
        return Together(together)
    waits = [step.until for step in own if isinstance(step, Wait)]
    # What is held back until then is not made any more.
    waits += [leg.facts.valid_until for leg, step in steps if _is_create(step)]
    return Wait(min(waits)) if waits else Done()


def is_partly_gone(one: f.InconsistencyDetected) -> bool:
    """Tell whether this finding says that one leg is gone while others stand."""
    return (one.kind, one.repair) == ("status_drift", "manual_review")


def _goes_back(leg: Booking) -> bool:
    return leg.ended in _GONE or leg.goal in _GOING_BACK


def _taken_back(composite: Booking, now: datetime) -> Iterator[LegEvent]:
    """Yield that the legs which are still to be booked are undone, because another one will not be."""
    blamed = next((leg for leg in composite.legs if _goes_back(leg)), None)
    if blamed is None:
        return
    why = blamed.failure or blamed.undoing or Failure(reason="leg_cancelled", detail=f"leg {blamed.leg} is cancelled")
    for leg in reversed(composite.legs):
        if leg.goal is Goal.BOOK and leg.ended is None:
            yield LegEvent(leg=leg.leg, event=e.CompensationStarted(at=now, reason=why.reason, detail=why.detail))


def _settled(composite: Booking, now: datetime) -> Iterator[LegEvent]:
    """Yield that nobody need decide any more about a leg that is gone, once all of them are."""
    if composite.ended not in _GONE:
        return
    for leg in composite.legs:
        for one in filter(is_partly_gone, leg.inconsistencies):
            over = f.InconsistencyResolved(at=now, kind=one.kind, uid=one.uid, how="all_gone", actor="calsaga")
            yield LegEvent(leg=leg.leg, event=over)


def _alone(leg: Booking, step: Step, own: Sequence[Step]) -> Act | None:
    """Return what a leg may do now without the others."""
    match step:
        case Perform() if _is_create(step):
            # Cal.com's legs are made one after the other, so that as few as possible have to be undone.
            return step if all(isinstance(before, Persist) for before in own[: leg.leg - 1]) else None
        case Withdraw() if leg.goal is Goal.CANCEL:
            return None
        case Persist() | Wait() | Done() | OfLeg() | RecordOfLegs() | Together():
            return None
        case _:
            return step


def _is_create(step: Step) -> bool:
    return isinstance(step, Perform) and isinstance(step.effect, CreateAtCalcom)


def _persisted(steps: Sequence[tuple[Booking, Step]]) -> tuple[LegEnd, ...]:
    """Return the pivot, once every leg has come to it."""
    ready = tuple(LegEnd(leg=leg.leg, decision=step) for leg, step in steps if isinstance(step, Persist))
    return ready if len(ready) == len(steps) else ()


def _withdrawn(steps: Sequence[tuple[Booking, Step]]) -> tuple[LegEnd, ...]:
    """Return the end of a cancellation, once nothing more can be done for any leg without a person."""
    ready = tuple(
        LegEnd(leg=leg.leg, decision=step)
        for leg, step in reversed(steps)
        if isinstance(step, Withdraw) and leg.goal is Goal.CANCEL
    )
    busy = any(
        leg.goal is Goal.CANCEL
        and leg.ended is None
        and leg.status is not BookingStatus.NEEDS_REVIEW
        and not isinstance(step, Withdraw)
        for leg, step in steps
    )
    return () if busy else ready
