"""
A simulated run on the fakes: processes come and go, and leave nothing behind but the log.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from domain.booking import Booking
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, Appended, AppendResult
from sagas.reconciling import Finding, Reconciler
from tests.fakes.agenda import FakeAgenda
from tests.fakes.books import FakeBooks, FakePace
from tests.fakes.calcom import FakeCalCom
from tests.fakes.hints import FakeHints, FakeWebhookHints
from tests.fakes.ids import FakeIds
from tests.fakes.log import FakeLog
from tests.fakes.time import FakeClock, run_virtually
from tests.properties.callers import Told, act
from tests.properties.gated import GatedCalendar
from tests.properties.people import bring_rows
from tests.properties.plan import Plan, WishName
from tests.properties.post import Post
from tests.properties.process import MOST_GATES, Process
from tests.properties.watching import Crashes, broken_on_the_way
from tests.properties.wishes import COMPANY, SERVICES

HOSTS = {1: "ann", 2: "ann", 3: "bob", 4: "cleo", 5: "dora", 6: "eve"}
LONGEST_RUN = timedelta(days=3).total_seconds()


@dataclass
class World:
    """
    Everything that outlives a process, and what callers were told.
    """

    plan: Plan
    reconciles: bool = True
    clock: FakeClock = field(default_factory=FakeClock)
    gates: int = 0
    deaths: int = 0
    told: list[Told] = field(default_factory=list)
    calls: dict[WishName, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)
    elsewhere: set[UUID] = field(default_factory=set)
    outcomes: dict[UUID, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plan = self.plan
        ids = FakeIds(plan.seed * 1000 + 999)
        self.agenda = FakeAgenda(self.clock, ids)
        self.log = FakeLog(self.agenda, services=[one.service_id for one in SERVICES])
        self.log.fates.extend(plan.appends)
        self.log.read_fates.extend(plan.reads)
        self.log.tells_refusal_again = plan.tells_refusal_again
        self.log.watch = self._appended
        lies = list(plan.hints)
        self.hints = FakeHints(lambda _booking_id: lies.pop(0) if lies else None)
        chance = Random(plan.seed)
        self.webhooks = FakeWebhookHints(lambda _webhook_id: chance.choice([None, True, False]))
        self.calcom = FakeCalCom(self.clock, HOSTS)
        self.calcom.creates.extend(plan.creates)
        self.calcom.looks.extend(plan.looks)
        self.calcom.cancels.extend(plan.cancels)
        self.calcom.silences.extend(plan.silences)
        self.calcom.moves.extend(plan.moves)
        self.calcom.traces.extend(plan.traces)
        self.post = Post(COMPANY, plan.webhooks, lambda: self.processes[0].sagas.inbox)
        self.calcom.announce = self.post.announce
        self.books = FakeBooks(self.log, *SERVICES)
        self.processes: list[Process] = []
        self._started = 0
        self.rows_to_come: list[int] = []
        self._graves: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def replace(self, dead: Process) -> None:
        """
        Start another process a second after one has died.
        """
        self.deaths += 1

        def start() -> None:
            self.processes[self.processes.index(dead)] = self._start()

        asyncio.get_running_loop().call_later(1.0, start)

    async def for_ever(self) -> None:
        """
        Stand still until the run is over; a task that nobody refers to would be swept away instead.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._graves.append(future)
        await future

    async def run(self) -> None:
        """
        Carry the plan out, and come back when nothing is owed, called or pending any more.
        """
        asyncio.get_running_loop().set_exception_handler(self._handle)
        self.processes = [self._start(), self._start()]
        acting = [asyncio.create_task(act(self, action)) for action in self.plan.actions]
        last = max(action.at for action in self.plan.actions)
        await self._until_quiet(last)
        await asyncio.sleep(1000)
        if self.reconciles:
            await self._reconcile()
        for task in acting:
            if task.done() and not task.cancelled():
                task.result()

    async def _until_quiet(self, last: float = 0.0) -> None:
        pause = 1.0
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 60.0)
            under_way = self.agenda.rows or self.calcom.pending_commits or self.post.pending
            quiet = self.clock.seconds > last and not under_way
            alive = [process for process in self.processes if not process.dead]
            if quiet and not any(process.engine.leased or process.callers for process in alive):
                return
            if self.gates > MOST_GATES:
                return
            if self.clock.seconds > LONGEST_RUN:
                self.faults.append(f"never quiet: {self.agenda.rows}")
                return

    async def _reconcile(self) -> None:
        """
        Compare both sides until nothing differs any more; the first pass goes back to the beginning.
        """
        differing: list[Finding] = []
        # Each failure of the database that is still to come costs a pass.
        for since in (timedelta(days=2), *[None] * 40):
            try:
                sweeps = await self._reconciler().reconcile(since=since)
            except AppointmentDatabaseError:
                continue
            await self._until_quiet()
            differing = [finding for sweep in sweeps for finding in sweep.findings]
            if not differing and not any(sweep.problem for sweep in sweeps) and since is None:
                return
        self.faults.append(f"never equal: {differing}")

    def _reconciler(self) -> Reconciler:
        # Misfortune has had its turn: this one lives.
        process = Process(self, 0)
        process.immortal = True
        return Reconciler(
            convergence=process.sagas.convergence,
            calendars=GatedCalendar(process),
            books=self.books,
            clock=self.clock,
            pace=FakePace(),
        )

    def booking_ids(self) -> list[UUID]:
        return self.log.booking_ids()

    def bookings(self) -> list[Booking]:
        return [self.log.booking(booking_id) for booking_id in self.booking_ids()]

    def _start(self) -> Process:
        self._started += 1
        process = Process(self, self._started)
        task = asyncio.create_task(process.work())
        self._tasks.add(task)
        return process

    def _appended(self, append: Append, result: AppendResult) -> None:
        if isinstance(result, Appended):
            bring_rows(self, append.stream_id, result.events)
            self.faults += broken_on_the_way(append.stream_id, self.log.all_events(append.stream_id))

    def _handle(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # A caller whose patience has ended does not fetch the error of the task that goes on.
        if not isinstance(context.get("exception"), AppointmentDatabaseError):
            self.faults.append(f"left alone: {context}")


def simulate(plan: Plan, *, reconciles: bool = True) -> World:
    """
    Return the world after everything that the plan does to it, and after both sides were compared if it `reconciles`.
    """
    world = World(plan, reconciles=reconciles)
    logger = logging.getLogger("calsaga.worker")
    crashes, propagates = Crashes(world), logger.propagate
    logger.addHandler(crashes)
    logger.propagate = False
    try:
        run_virtually(world.run(), world.clock)
    finally:
        logger.removeHandler(crashes)
        logger.propagate = propagates
    return world
