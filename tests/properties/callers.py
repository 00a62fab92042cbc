"""
What callers and stale workers do in a simulated run, and what callers are told.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.errors import (
    AlreadyOver,
    AppointmentDatabaseError,
    AppointmentError,
    CannotBeMoved,
    MadeElsewhere,
    NotBooked,
)
from domain.wish import BookComposite
from sagas.wishes import BookingResult, CancelAppointment, RescheduleAppointment
from tests.properties.people import at_calcom
from tests.properties.plan import Action, AtCalcom, Book, Cancel, Reschedule, TakeOver, WishName
from tests.properties.wishes import COMPANY, wish_for

if TYPE_CHECKING:
    from tests.properties.world import World


@dataclass(slots=True)
class Told:
    """
    What a caller was told.
    """

    wish: WishName | None
    result: BookingResult


async def act(world: World, action: Action) -> None:
    """
    Do what the plan says, once its time has come.
    """
    await asyncio.sleep(action.at)
    if isinstance(action, AtCalcom):
        at_calcom(world, action)
        return
    process = world.processes[action.process]
    process.callers += 1
    match action:
        case Book():
            await _book(world, action)
        case Cancel():
            await _cancel(world, action)
        case Reschedule():
            await _reschedule(world, action)
        case TakeOver():
            await _take_over(world, action)
    process.callers -= 1


async def _book(world: World, action: Book) -> None:
    world.calls[action.wish] = world.calls.get(action.wish, 0) + 1
    door, wish = world.processes[action.process].orchestrator, wish_for(action.wish)
    try:
        if isinstance(wish, BookComposite):
            result = await door.book_composite(wish, patience=action.patience)
        else:
            result = await door.book(wish, patience=action.patience)
    except AppointmentDatabaseError:
        return
    except AppointmentError as error:
        world.faults.append(f"refused: {error!r}")
        return
    world.told.append(Told(wish=action.wish, result=result))


async def _cancel(world: World, action: Cancel) -> None:
    ids = world.booking_ids()
    if not ids:
        return
    wish = CancelAppointment(company_id=COMPANY, booking_id=ids[action.which % len(ids)], reason="no need")
    try:
        result = await world.processes[action.process].orchestrator.cancel(wish)
    except (AppointmentDatabaseError, MadeElsewhere):
        return
    world.told.append(Told(wish=None, result=result))


async def _reschedule(world: World, action: Reschedule) -> None:
    ids = world.booking_ids()
    if not ids:
        return
    booking_id = ids[action.which % len(ids)]
    starts_at = world.log.booking(booking_id).facts.starts_at + timedelta(minutes=action.minutes)
    wish = RescheduleAppointment(company_id=COMPANY, booking_id=booking_id, starts_at=starts_at)
    with suppress(AppointmentDatabaseError, CannotBeMoved, MadeElsewhere, NotBooked, AlreadyOver):
        await world.processes[action.process].orchestrator.reschedule(wish)


async def _take_over(world: World, action: TakeOver) -> None:
    ids = world.booking_ids()
    if not ids:
        return
    engine = world.processes[action.process].engine
    try:
        await engine.drive(engine.begin(await engine.load(ids[action.which % len(ids)])))
    except AppointmentDatabaseError:
        return
