"""
What is checked while a simulated run goes on, and who listens.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.booking import ENDED, Booking, BookingStatus, initial_state
from domain.composite import LegEvent, SagaEvent
from domain.events import CalcomCancelAttempted
from domain.evolving import evolve, fold
from sagas.waiting import WaitingRoom

if TYPE_CHECKING:
    from tests.properties.world import World


def broken_on_the_way(booking_id: UUID, events: Iterable[SagaEvent]) -> Iterator[str]:
    """
    Yield what must hold at every append, not only in the end, and does not (invariant 6).
    """
    state = initial_state(booking_id)
    over: set[int] = set()
    for event in events:
        after = evolve(state, event)
        if not in_reverse(state, event):
            yield f"{event!r} undoes a leg before the ones after it"
        # A leg ends by itself; one that has ended already may owe what came too late for it.
        before, now = (_leg(state, event), _leg(after, event)) if isinstance(event, LegEvent) else (state, after)
        if now.ended in ENDED and now.ended is not before.ended:
            # What was settled when it ended may be in doubt again when it ends otherwise.
            if now.ledger.open and now.leg not in over:
                yield f"{event!r} ends a saga with an open line"
            # What is booked may still owe the cancel of a surplus, and be ended meanwhile by people at Cal.com.
            if now.surplus and BookingStatus.BOOKED not in {before.ended, now.ended}:
                yield f"{event!r} ends a saga that owes a cancel"
            over.add(now.leg)
        state = after


def _leg(composite: Booking, event: LegEvent) -> Booking:
    return composite.legs[event.leg - 1]


def in_reverse(composite: Booking, event: SagaEvent) -> bool:
    """
    Tell whether a leg is undone only after what the legs behind it have at Cal.com was seen to.
    """
    if not isinstance(event, LegEvent) or not isinstance(event.event, CalcomCancelAttempted):
        return True
    if event.event.purpose == "surplus":
        return True
    later = (line for leg in composite.legs[event.leg :] for line in leg.surplus)
    # What Cal.com cannot be asked for now was seen to as well.
    return all(line.cancels or line.cancel_deferred_for is not None for line in later)


class CheckedRoom(WaitingRoom):
    """
    A waiting room that trusts nobody: what it is told must be what a replay of the log gives (invariant 7).
    """

    def __init__(self, load: Any, world: World) -> None:  # noqa: ANN401 - the parameter of its parent
        super().__init__(load)
        self._world = world

    def told(self, booking: Booking) -> None:
        replayed = fold(
            initial_state(booking.booking_id), self._world.log.all_events(booking.booking_id)[: booking.version]
        )
        if replayed != booking:
            self._world.faults.append(f"live state differs from replay: {booking} {replayed}")
        super().told(booking)


class Crashes(logging.Handler):
    """
    Takes what a worker says of a crash for a fault.
    """

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.faults.append(f"{record.getMessage()}: {record.exc_info}")
