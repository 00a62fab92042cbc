"""
What the legs of a composite amount to, and which leg is meant: pure.
"""

import dataclasses
from collections.abc import Iterable
from itertools import chain

from domain.booking import Booking, BookingStatus, Goal, status_of_legs
from domain.composite import CompositeInitiated, LegEvent
from domain.events import BookingEvent, BookingInitiated
from domain.ledger import Ledger
from domain.replacing import replace

_GONE = frozenset({BookingStatus.FAILED, BookingStatus.CANCELLED})


def of_leg(leg: int, events: Iterable[BookingEvent]) -> tuple[LegEvent, ...]:
    """Return what has happened to a leg as events of its composite."""
    return tuple(LegEvent(leg=leg, event=event) for event in events)


def begun(whole: Booking, event: CompositeInitiated) -> Booking:
    """Return the composite with its legs, of which nothing is known yet."""
    legs = tuple(Booking(booking_id=whole.booking_id, leg=number) for number in range(1, len(event.services) + 1))
    return replace(whole, composite=event, legs=legs)


def with_leg(whole: Booking, leg: Booking) -> Booking:
    """Return the composite after something has happened to a leg."""
    legs = tuple(leg if one.leg == leg.leg else one for one in whole.legs)
    ended = [one.ended for one in legs if one.ended is not None]
    known = [one for one in legs if one.starts_at is not None]
    standing = [one for one in known if one.ended not in _GONE] or known
    under_way = next((one.goal for one in legs if one.ended is None and one.goal is not Goal.BOOK), Goal.BOOK)
    return replace(
        whole,
        legs=legs,
        initiated=_facts(whole, legs[0]),
        ledger=Ledger(tuple(chain.from_iterable(one.ledger.lines for one in legs))),
        goal=under_way,
        ended=status_of_legs(ended) if len(ended) == len(legs) else None,
        starts_at=min((one.starts_at for one in standing if one.starts_at is not None), default=None),
        ends_at=max((one.ends_at for one in standing if one.ends_at is not None), default=None),
        appointment_live=any(one.appointment_live for one in legs),
        undoing=next((one.undoing for one in legs if one.undoing is not None), None),
        failure=next((one.failure for one in legs if one.failure is not None), None),
        review=next((one.review for one in legs if one.review is not None), None),
        cancellation=next((one.cancellation for one in legs if one.cancellation is not None), None),
        inconsistencies=tuple(chain.from_iterable(one.inconsistencies for one in legs)),
        retry_at=max((one.retry_at for one in legs if one.retry_at is not None), default=None),
        deferred_for=next((one.deferred_for for one in legs if one.deferred_for is not None), None),
        breaker_open_at=min((one.breaker_open_at for one in legs if one.breaker_open_at is not None), default=None),
        until_switched=any(one.until_switched and one.ended is None for one in legs),
        calls=sum(one.calls for one in legs),
        repeats=sum(one.repeats for one in legs),
    )


def part_with(booking: Booking, *, uids: Iterable[str | None] = (), attempt_id: str | None = None) -> Booking:
    """Return the leg of a composite whose ledger has one of these uids, else this attempt; any other as it is."""
    wanted = set(uids) - {None}
    for leg in booking.legs:
        if any(line.uid in wanted for line in leg.ledger.lines):
            return leg
    for leg in booking.legs:
        if attempt_id is not None and leg.ledger.of(attempt_id) is not None:
            return leg
    return booking


def _facts(whole: Booking, first: Booking) -> BookingInitiated | None:
    """Return what was asked for: the first leg's, under the composite's own key."""
    if whole.composite is None or first.initiated is None:
        return None
    return dataclasses.replace(
        first.initiated,
        idempotency_key=whole.composite.idempotency_key,
        key_given=whole.composite.key_given,
        generation=whole.composite.generation,
        fingerprint=whole.composite.fingerprint,
    )
