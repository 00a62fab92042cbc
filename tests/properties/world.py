"""
Processes on the fakes: they book, cancel, work, stand still and die, and leave nothing behind but the log.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from domain.booking import ENDED, Booking, BookingStatus, initial_state
from domain.composite import LegEvent, SagaEvent
from domain.errors import (
    AlreadyOver,
    AppointmentDatabaseError,
    AppointmentError,
    CannotBeMoved,
    MadeElsewhere,
    NotBooked,
)
from domain.events import BookingInitiated, CalcomCancelAttempted
from domain.evolving import evolve, fold
from domain.moving import RescheduleRequested
from domain.policy import Policy
from domain.service import Service
from domain.wish import BookAppointment, BookComposite, CustomerWish, LegWish
from sagas.appending import Append, Appended, AppendResult, InsertAppointment, LogEvent
from sagas.assembly import assemble
from sagas.reconciling import Finding, Reconciler
from sagas.waiting import WaitingRoom
from sagas.wishes import BookingResult, CancelAppointment, RescheduleAppointment
from tests.fakes.agenda import FakeAgenda
from tests.fakes.books import FakeBooks, FakePace
from tests.fakes.calcom import FakeCalCom
from tests.fakes.customers import FakeCustomers
from tests.fakes.hints import FakeHints, FakeWebhookHints
from tests.fakes.ids import FakeIds
from tests.fakes.log import FakeLog
from tests.fakes.rows import AppointmentRow
from tests.fakes.services import FakeServices
from tests.fakes.staff import FakeDiary, FakeOffering
from tests.fakes.time import START, FakeClock, run_virtually
from tests.properties.gated import GatedAgenda, GatedAppointments, GatedCalendar, GatedLog
from tests.properties.plan import Action, AtCalcom, Book, Cancel, Plan, Reschedule, TakeOver, WishName
from tests.properties.post import Post

COMPANY = "acme"
ADA = CustomerWish(name="Ada Lovelace", phone="+49 170 1234567")
ROWS: frozenset[WishName] = frozenset({"row", "row again", "row by key", "row by key again"})
HOSTS = {1: "ann", 2: "ann", 3: "bob", 4: "cleo", 5: "dora", 6: "eve"}
SLOT = START + timedelta(days=1)
POLICY = Policy()
MOST_GATES = 10_000
LONGEST_RUN = timedelta(days=3).total_seconds()


def _service(
    service_id: str, event_type_id: int, staff_id: str | None, *, notice: int = 0, group: str | None = None
) -> Service:
    return Service(
        company_id=COMPANY,
        service_id=service_id,
        name=group or service_id,
        duration_minutes=30,
        calcom_event_type_id=event_type_id,
        staff_id=staff_id,
        staff_group=group,
        notice_minutes=notice,
    )


SERVICES = (
    _service("cut", 1, "ann"),
    _service("color", 2, "ann"),
    _service("shave", 3, "bob", group="barbers"),
    _service("shave by eve", 6, "eve", group="barbers"),
    _service("talk", 4, None),
    _service("walk-in", 5, None, notice=5),
)


def wish_for(name: WishName) -> BookAppointment | BookComposite:
    """
    Return the wish of that name; all of them are about one person's day, so that they get into each other's way.
    """
    if name in ROWS:
        return _row_for(name)
    service, minutes, staff, key = {
        "a": ("cut", 0, None, None),
        "a again": ("cut", 0, None, None),
        "a by key": ("cut", 0, None, "key-1"),
        "a by key again": ("cut", 0, None, "key-1"),
        "near a": ("cut", 5, None, None),
        "other staff": ("cut", 0, "bob", None),
        "overlaps a": ("color", 15, None, None),
        "b": ("shave", 60, None, None),
        "b without staff": ("talk", 60, None, None),
        "b of anybody": ("shave", 60, None, None),
        "b of anybody else": ("shave by eve", 60, None, "key-2"),
        "later": ("color", 180, None, None),
        "soon": ("walk-in", 15 - 24 * 60, None, None),
    }[name]
    return BookAppointment(
        company_id=COMPANY,
        service_id=service,
        customer=ADA,
        starts_at=SLOT + timedelta(minutes=minutes),
        time_zone="UTC",
        source="phone",
        staff_id=staff,
        staff_group="barbers" if "anybody" in name else None,
        idempotency_key=key,
    )


def _row_for(name: WishName) -> BookComposite:
    """
    Return the wish for a cut, after a pause a shave by somebody else, and a color at once after it.
    """
    return BookComposite(
        company_id=COMPANY,
        legs=(
            LegWish(service_id="cut", starts_at=SLOT),
            LegWish(service_id="shave", starts_at=SLOT + timedelta(minutes=60)),
            LegWish(service_id="color"),
        ),
        customer=ADA,
        time_zone="UTC",
        source="phone",
        idempotency_key="key-row" if "by key" in name else None,
    )


@dataclass(slots=True)
class Told:
    """
    What a caller was told.
    """

    wish: WishName | None
    result: BookingResult


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
        self.engine.waiting = _CheckedRoom(self.engine.load, world)
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


@dataclass
class World:
    """
    Everything that outlives a process, and what callers were told.
    """

    plan: Plan
    clock: FakeClock = field(default_factory=FakeClock)
    gates: int = 0
    deaths: int = 0
    told: list[Told] = field(default_factory=list)
    calls: dict[WishName, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)
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
        self._rows_to_come: list[int] = []
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
        acting = [asyncio.create_task(self._act(action)) for action in self.plan.actions]
        last = max(action.at for action in self.plan.actions)
        await self._until_quiet(last)
        await asyncio.sleep(1000)
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

    async def _act(self, action: Action) -> None:
        await asyncio.sleep(action.at)
        if isinstance(action, AtCalcom):
            self._at_calcom(action)
            return
        process = self.processes[action.process]
        process.callers += 1
        match action:
            case Book():
                await self._book(action)
            case Cancel():
                await self._cancel(action)
            case Reschedule():
                await self._reschedule(action)
            case TakeOver():
                await self._take_over(action)
        process.callers -= 1

    async def _book(self, action: Book) -> None:
        self.calls[action.wish] = self.calls.get(action.wish, 0) + 1
        door, wish = self.processes[action.process].orchestrator, wish_for(action.wish)
        try:
            if isinstance(wish, BookComposite):
                result = await door.book_composite(wish, patience=action.patience)
            else:
                result = await door.book(wish, patience=action.patience)
        except AppointmentDatabaseError:
            return
        except AppointmentError as error:
            self.faults.append(f"refused: {error!r}")
            return
        self.told.append(Told(wish=action.wish, result=result))

    async def _cancel(self, action: Cancel) -> None:
        ids = self.booking_ids()
        if not ids:
            return
        wish = CancelAppointment(company_id=COMPANY, booking_id=ids[action.which % len(ids)], reason="no need")
        try:
            result = await self.processes[action.process].orchestrator.cancel(wish)
        except (AppointmentDatabaseError, MadeElsewhere):
            return
        self.told.append(Told(wish=None, result=result))

    async def _reschedule(self, action: Reschedule) -> None:
        ids = self.booking_ids()
        if not ids:
            return
        booking_id = ids[action.which % len(ids)]
        starts_at = self.log.booking(booking_id).facts.starts_at + timedelta(minutes=action.minutes)
        wish = RescheduleAppointment(company_id=COMPANY, booking_id=booking_id, starts_at=starts_at)
        with suppress(AppointmentDatabaseError, CannotBeMoved, MadeElsewhere, NotBooked, AlreadyOver):
            await self.processes[action.process].orchestrator.reschedule(wish)

    async def _take_over(self, action: TakeOver) -> None:
        ids = self.booking_ids()
        if not ids:
            return
        engine = self.processes[action.process].engine
        try:
            await engine.drive(engine.begin(await engine.load(ids[action.which % len(ids)])))
        except AppointmentDatabaseError:
            return

    def _at_calcom(self, action: AtCalcom) -> None:
        ours = [one for one in self.calcom.live() if one.uid not in self.foreign]
        match action.does:
            case "cancel" if ours:
                self.calcom.person_cancels(ours[action.which % len(ours)].uid)
            case "move" if ours:
                self.calcom.person_moves(ours[action.which % len(ours)].uid, timedelta(hours=3))
            case "stranger" | "forge":
                event_type_id = 1 + action.which % 4
                made = self.calcom.commit(
                    event_type_id=event_type_id,
                    starts_at=SLOT,
                    ends_at=SLOT + timedelta(minutes=90),
                    attempt_id="f" * 32 if action.does == "forge" else None,
                )
                self.foreign.add(made.uid)
            case "row":
                self._rows_to_come.append(action.which)
            case "stranger goes":
                for uid in self.foreign:
                    self.calcom.person_cancels(uid)
            case _:
                pass

    def _stranger_with_row(self, which: int, facts: BookingInitiated) -> None:
        # At another host there, so that nothing but the row is in the way.
        made = self.calcom.commit(
            event_type_id=90 + which, starts_at=facts.starts_at, ends_at=facts.ends_at, attempt_id=None
        )
        self.foreign.add(made.uid)
        stranger = UUID(int=len(self.foreign))
        row = InsertAppointment(
            appointment_id=stranger,
            company_id=COMPANY,
            booking_id=stranger,
            idempotency_key=made.uid,
            calcom_booking_uid=made.uid,
            service_id=facts.service.service_id,
            offered_as=facts.service.offered_as,
            customer_id=stranger,
            staff_id=facts.staff_id,
            starts_at=made.starts_at,
            ends_at=made.ends_at,
            source="webhook",
            retry_count=0,
            sync_attempt_count=0,
            last_sync_attempted_at=None,
            resilience_strategy=None,
        )
        if not self.log.has_room_for(row):
            return
        self.log.appointments[stranger] = AppointmentRow(inserted=row)
        if which >= 2:
            self.calcom.silences.append(True)
        if which == 1:
            self.calcom.person_cancels(made.uid)
        elif which == 2:
            gone = AppointmentRow(inserted=row, booked=False)
            asyncio.get_running_loop().call_later(0.5, lambda: self.log.appointments.update({stranger: gone}))

    def _appended(self, append: Append, result: AppendResult) -> None:
        """
        Check what must hold at every append, not only in the end (invariant 6).
        """
        if not isinstance(result, Appended):
            return
        booking_id = append.stream_id
        for event in result.events:
            facts = self._asked_for(booking_id, event)
            if facts is not None and facts.staff_id is not None and self._rows_to_come:
                self._stranger_with_row(self._rows_to_come.pop(), facts)
        state = initial_state(booking_id)
        for event in self.log.all_events(booking_id):
            after = evolve(state, event)
            if not in_reverse(state, event):
                self.faults.append(f"{event!r} undoes a leg before the ones after it")
            if after.ended in ENDED and after.ended is not state.ended:
                if after.ledger.open:
                    self.faults.append(f"{event!r} ends a saga with an open line")
                if after.surplus and after.ended is not BookingStatus.BOOKED:
                    self.faults.append(f"{event!r} ends a saga that owes a cancel")
            state = after

    def _asked_for(self, booking_id: UUID, event: LogEvent) -> BookingInitiated | None:
        match event:
            case LegEvent(event=BookingInitiated() as of_leg):
                return of_leg
            case BookingInitiated():
                return event
            case RescheduleRequested():
                facts = self.log.booking(booking_id).facts
                return replace(facts, starts_at=event.starts_at, ends_at=event.ends_at)
            case _:
                return None

    def _handle(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # A caller whose patience has ended does not fetch the error of the task that goes on.
        if not isinstance(context.get("exception"), AppointmentDatabaseError):
            self.faults.append(f"left alone: {context}")


def in_reverse(composite: Booking, event: SagaEvent) -> bool:
    """
    Tell whether a leg is undone only after what the legs behind it have at Cal.com was seen to.
    """
    if not isinstance(event, LegEvent) or not isinstance(event.event, CalcomCancelAttempted):
        return True
    if event.event.purpose == "surplus":
        return True
    return all(line.cancels for leg in composite.legs[event.leg :] for line in leg.surplus)


class _CheckedRoom(WaitingRoom):
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


class _Crashes(logging.Handler):
    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.faults.append(f"{record.getMessage()}: {record.exc_info}")


def simulate(plan: Plan) -> World:
    """
    Return the world after everything that the plan does to it.
    """
    world = World(plan)
    logger = logging.getLogger("calsaga.worker")
    crashes, propagates = _Crashes(world), logger.propagate
    logger.addHandler(crashes)
    logger.propagate = False
    try:
        run_virtually(world.run(), world.clock)
    finally:
        logger.removeHandler(crashes)
        logger.propagate = propagates
    return world
