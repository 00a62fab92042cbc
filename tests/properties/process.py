"""
A process of a simulated run, which may die or stand still between any two steps.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from domain.errors import AppointmentDatabaseError
from domain.policy import Policy
from sagas.assembly import assemble
from tests.fakes.books import FakePace
from tests.fakes.customers import FakeCustomers
from tests.fakes.ids import FakeIds
from tests.fakes.services import FakeServices
from tests.fakes.staff import FakeDiary, FakeOffering
from tests.properties.gated import GatedAgenda, GatedAppointments, GatedCalendar, GatedLog
from tests.properties.watching import CheckedRoom
from tests.properties.wishes import SERVICES

if TYPE_CHECKING:
    from tests.properties.world import World


POLICY = Policy()
MOST_GATES = 10_000


class Process:
    """
    One process: an engine, a front door and a worker, all gone when it dies.
    """

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.dead = False
        self.immortal = False
        self.callers = 0
        self.sagas = assemble(
            log=GatedLog(self),
            agenda=GatedAgenda(self),
            calendars=GatedCalendar(self),
            appointments=GatedAppointments(self),
            drain=FakePace(),
            services=FakeServices(*SERVICES),
            diary=FakeDiary(world.log),
            offering=FakeOffering(),
            customers=FakeCustomers(),
            hints=world.hints,
            webhooks=world.webhooks,
            clock=world.clock,
            ids=FakeIds(world.plan.seed * 1000 + number),
            policy=POLICY,
            at_once=8,
        )
        self.engine = self.sagas.engine
        self.engine.waiting = CheckedRoom(self.engine.load, world)
        self.orchestrator = self.sagas.orchestrator
        self.worker = self.sagas.worker

    async def gate(self) -> None:
        """
        Stand between two steps, where a process dies or stops for a while.
        """
        world = self.world
        if self.immortal:
            return
        number = world.gates
        world.gates += 1
        if number > MOST_GATES:
            world.faults.append("busy: somebody works without getting on")
            await world.for_ever()
        if number in world.plan.deaths and not self.dead:
            self.dead = True
            world.replace(self)
        seconds = 0.0 if self.dead else world.plan.pauses.get(number, 0.0)
        if seconds:
            await asyncio.sleep(seconds)
        if self.dead:
            await world.for_ever()

    async def work(self) -> None:
        """
        Take due work for as long as the process lives.
        """
        agenda = self.world.agenda
        while not self.dead:
            try:
                claimed = await self.worker.run_due()
            except AppointmentDatabaseError:
                await asyncio.sleep(0.5)
                continue
            if not claimed:
                due = await agenda.next_due()
                await agenda.changed(within=None if due is None else max(due.total_seconds(), 0.001))
