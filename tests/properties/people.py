"""
What people do at Cal.com and at the front desk in a simulated run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from domain.composite import LegEvent
from domain.events import BookingInitiated
from domain.moving import RescheduleRequested
from sagas.appending import InsertAppointment, LogEvent
from tests.fakes.rows import AppointmentRow
from tests.properties.plan import AtCalcom
from tests.properties.wishes import COMPANY, SLOT

if TYPE_CHECKING:
    from tests.properties.world import World

ELSEWHERE = 4
"""What stands beside the numbers of rows for one that Cal.com does not find, see `AtCalcom`."""


def at_calcom(world: World, action: AtCalcom) -> None:
    """
    Let a person do something at Cal.com; what is not there cannot be cancelled or moved.
    """
    ours = [one for one in world.calcom.live() if one.uid not in world.foreign]
    match action.does:
        case "cancel" if ours:
            world.calcom.person_cancels(ours[action.which % len(ours)].uid)
        case "move" if ours:
            world.calcom.person_moves(ours[action.which % len(ours)].uid, timedelta(hours=3))
        case "stranger" | "forge":
            event_type_id = 1 + action.which % 4
            made = world.calcom.commit(
                event_type_id=event_type_id,
                starts_at=SLOT,
                ends_at=SLOT + timedelta(minutes=90),
                attempt_id="f" * 32 if action.does == "forge" else None,
            )
            world.foreign.add(made.uid)
        case "row" | "row elsewhere":
            world.rows_to_come.append(ELSEWHERE if action.does == "row elsewhere" else action.which)
        case "stranger goes":
            for uid in world.foreign:
                world.calcom.person_cancels(uid)
        case _:
            pass


def bring_rows(world: World, booking_id: UUID, events: Sequence[LogEvent]) -> None:
    """
    Let strangers with rows come right after a booking has begun, or has begun to move.
    """
    for event in events:
        facts = _asked_for(world, booking_id, event)
        if facts is not None and facts.staff_id is not None and world.rows_to_come:
            _stranger_with_row(world, world.rows_to_come.pop(), facts)


def _asked_for(world: World, booking_id: UUID, event: LogEvent) -> BookingInitiated | None:
    match event:
        case LegEvent(event=BookingInitiated() as of_leg):
            return of_leg
        case BookingInitiated():
            return event
        case RescheduleRequested():
            facts = world.log.booking(booking_id).facts
            return replace(facts, starts_at=event.starts_at, ends_at=event.ends_at)
        case _:
            return None


def _stranger_with_row(world: World, which: int, facts: BookingInitiated) -> None:
    stranger = UUID(int=1 + len(world.foreign) + len(world.elsewhere))
    uid = f"elsewhere-{len(world.elsewhere)}"
    if which == ELSEWHERE:
        world.elsewhere.add(stranger)
    else:
        # At another host there, so that nothing but the row is in the way.
        uid = world.calcom.commit(
            event_type_id=90 + which, starts_at=facts.starts_at, ends_at=facts.ends_at, attempt_id=None
        ).uid
        world.foreign.add(uid)
    row = InsertAppointment(
        appointment_id=stranger,
        company_id=COMPANY,
        booking_id=stranger,
        idempotency_key=uid,
        calcom_booking_uid=uid,
        service_id=facts.service.service_id,
        offered_as=facts.service.offered_as,
        customer_id=stranger,
        staff_id=facts.staff_id,
        starts_at=facts.starts_at,
        ends_at=facts.ends_at,
        source="webhook",
        retry_count=0,
        sync_attempt_count=0,
        last_sync_attempted_at=None,
        resilience_strategy=None,
    )
    if not world.log.has_room_for(row):
        return
    world.log.appointments[stranger] = AppointmentRow(inserted=row)
    if which in {2, 3}:
        world.calcom.silences.append(True)
    if which == 1:
        world.calcom.person_cancels(uid)
    elif which == 2:
        gone = AppointmentRow(inserted=row, booked=False)
        asyncio.get_running_loop().call_later(0.5, lambda: world.log.appointments.update({stranger: gone}))
