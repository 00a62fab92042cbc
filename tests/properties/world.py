"""
Processes on the fakes: they book, cancel, work, stand still and die, and leave nothing behind but the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.booking import ENDED, Booking, BookingStatus, evolve, fold, initial_state
from domain.errors import AppointmentDatabaseError, AppointmentError
from domain.events import BookingInitiated
from domain.policy import Policy
from domain.service import Service
from domain.wish import BookAppointment, CustomerWish
from sagas.appending import Append, Appended, AppendResult, InsertAppointment, Recorded
from sagas.effects import Effects
from sagas.engine import Engine
from sagas.orchestrator import BookingResult, CancelAppointment, Orchestrator
from sagas.outcomes import CancelOutcome, CreateOutcome, LookOutcome
from sagas.ports import Claimed, RowInTheWay
from sagas.steps import CancelAtCalcom, LookAtCalcom
from sagas.waiting import WaitingRoom
from sagas.worker import Worker
from tests.fakes.agenda import FakeAgenda
from tests.fakes.calcom import FakeCalCom, FakeCalendar
from tests.fakes.ids import FakeIds
from tests.fakes.log import AppointmentRow, FakeAppointments, FakeLog
from tests.fakes.services import FakeServices
from tests.fakes.time import START, FakeClock, run_virtually
from tests.properties.plan import AtCalcom, Book, Cancel, Plan, TakeOver, WishName

COMPANY = "acme"
HOSTS = {1: "ann", 2: "ann", 3: "bob", 4: "cleo", 5: "dora"}
SLOT = START + timedelta(days=1)
POLICY = Policy()
MOST_GATES = 10_000
LONGEST_RUN = timedelta(days=3).total_seconds()


def _service(name: str, event_type_id: int, staff_id: str | None, *, notice: int = 0) -> Service:
    return Service(
        company_id=COMPANY,
        service_id=name,
        name=name,
        duration_minutes=30,
        calcom_event_type_id=event_type_id,
        staff_id=staff_id,
        notice_minutes=notice,
    )


SERVICES = (
    _service("cut", 1, "ann"),
    _service("color", 2, "ann"),
    _service("shave", 3, "bob"),
    _service("talk", 4, None),
    _service("walk-in", 5, None, notice=5),
)


def wish_for(name: WishName) -> BookAppointment:
    """
    Return the wish of that name; all of them are about one person's day, so that they get into each other's way.
    """
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
        "later": ("color", 180, None, None),
        "soon": ("walk-in", 15 - 24 * 60, None, None),
    }[name]
    return BookAppointment(
        company_id=COMPANY,
        service_id=service,
        customer=CustomerWish(name="Ada Lovelace", phone="+49 170 1234567"),
        starts_at=SLOT + timedelta(minutes=minutes),
        time_zone="UTC",
        source="phone",
        staff_id=staff,
        idempotency_key=key,
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
        ids = FakeIds(world.plan.seed * 1000 + number)
        log = _Log(self)
        calendar = _Calendar(self)
        effects = Effects(
            log=log,
            calendars=calendar,
            appointments=_Appointments(self),
            clock=world.clock,
            ids=ids,
            policy=POLICY,
        )
        self.engine = Engine(log=log, effects=effects, clock=world.clock, ids=ids, policy=POLICY)
        self.engine.waiting = _CheckedRoom(self.engine.load, world)
        self.orchestrator = Orchestrator(
            engine=self.engine, services=FakeServices(*SERVICES), clock=world.clock, policy=POLICY
        )
        self.worker = Worker(engine=self.engine, agenda=_Agenda(self), policy=POLICY, at_once=8)

    async def gate(self) -> None:
        """
        Stand between two steps, where a process dies or stops for a while.
        """
        world = self.world
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
        self.calcom = FakeCalCom(self.clock, HOSTS)
        self.calcom.creates.extend(plan.creates)
        self.calcom.looks.extend(plan.looks)
        self.calcom.cancels.extend(plan.cancels)
        self.calcom.silences.extend(plan.silences)
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
        pause = 1.0
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 60.0)
            quiet = self.clock.seconds > last and not self.agenda.rows and not self.calcom.pending_commits
            if quiet and not any(process.engine.leased for process in self.processes if not process.dead):
                break
            if self.gates > MOST_GATES:
                break
            if self.clock.seconds > LONGEST_RUN:
                self.faults.append(f"never quiet: {self.agenda.rows}")
                break
        await asyncio.sleep(1000)
        for task in acting:
            if task.done() and not task.cancelled():
                task.result()

    def booking_ids(self) -> list[UUID]:
        return list(self.log.streams)

    def bookings(self) -> list[Booking]:
        return [self.log.booking(booking_id) for booking_id in self.log.streams]

    def _start(self) -> Process:
        self._started += 1
        process = Process(self, self._started)
        task = asyncio.create_task(process.work())
        self._tasks.add(task)
        return process

    async def _act(self, action: Book | Cancel | TakeOver | AtCalcom) -> None:
        await asyncio.sleep(action.at)
        match action:
            case Book():
                await self._book(action)
            case Cancel():
                await self._cancel(action)
            case TakeOver():
                await self._take_over(action)
            case AtCalcom():
                self._at_calcom(action)

    async def _book(self, action: Book) -> None:
        self.calls[action.wish] = self.calls.get(action.wish, 0) + 1
        try:
            result = await self.processes[action.process].orchestrator.book(
                wish_for(action.wish), patience=action.patience
            )
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
        except AppointmentDatabaseError:
            return
        self.told.append(Told(wish=None, result=result))

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
            if isinstance(event, BookingInitiated) and event.staff_id is not None and self._rows_to_come:
                self._stranger_with_row(self._rows_to_come.pop(), event)
        state = initial_state(booking_id)
        for event in self.log.events(booking_id):
            after = evolve(state, event)
            if after.ended in ENDED and after.ended is not state.ended:
                if after.ledger.open:
                    self.faults.append(f"{event!r} ends a saga with an open line")
                if after.surplus and after.ended is not BookingStatus.BOOKED:
                    self.faults.append(f"{event!r} ends a saga that owes a cancel")
            state = after

    def _handle(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # A caller whose patience has ended does not fetch the error of the task that goes on.
        if not isinstance(context.get("exception"), AppointmentDatabaseError):
            self.faults.append(f"left alone: {context}")


class _CheckedRoom(WaitingRoom):
    """
    A waiting room that trusts nobody: what it is told must be what a replay of the log gives (invariant 7).
    """

    def __init__(self, load: Any, world: World) -> None:  # noqa: ANN401 - the parameter of its parent
        super().__init__(load)
        self._world = world

    def told(self, booking: Booking) -> None:
        replayed = fold(
            initial_state(booking.booking_id), self._world.log.events(booking.booking_id)[: booking.version]
        )
        if replayed != booking:
            self._world.faults.append(f"live state differs from replay: {booking} {replayed}")
        super().told(booking)


class _Log:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def append(self, append: Append) -> AppendResult:
        await self._process.gate()
        result = await self._process.world.log.append(append)
        await self._process.gate()
        return result

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        await self._process.gate()
        return await self._process.world.log.read(stream_id)


class _Agenda:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        if self._process.dead:
            await self._process.gate()
        claimed = await self._process.world.agenda.claim(limit=limit, lease=lease)
        if claimed:
            await self._process.gate()
        return claimed

    async def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        await self._process.world.agenda.release(claimed)

    async def next_due(self) -> timedelta | None:
        return await self._process.world.agenda.next_due()


class _Appointments:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._inner = FakeAppointments(process.world.log)

    async def find(self, appointment_id: UUID) -> RowInTheWay | None:
        await self._process.gate()
        return await self._inner.find(appointment_id)


class _Calendar:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._inner = FakeCalendar(process.world.calcom)

    async def of(self, company_id: str) -> _Calendar:
        return self

    async def create(self, booking: Booking, *, attempt_id: str, send_by: datetime) -> CreateOutcome:
        await self._process.gate()
        outcome = await self._inner.create(booking, attempt_id=attempt_id, send_by=send_by)
        await self._process.gate()
        return outcome

    async def look(self, booking: Booking, effect: LookAtCalcom) -> LookOutcome:
        await self._process.gate()
        outcome = await self._inner.look(booking, effect)
        await self._process.gate()
        return outcome

    async def cancel(self, booking: Booking, effect: CancelAtCalcom) -> CancelOutcome:
        await self._process.gate()
        outcome = await self._inner.cancel(booking, effect)
        await self._process.gate()
        return outcome

    async def is_live(self, uid: str) -> bool | None:
        await self._process.gate()
        return await self._inner.is_live(uid)


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
