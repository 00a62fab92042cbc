"""
The engine drives a saga until nothing can be done now.

It holds no truth: everything it knows is in the log, so any process can go on where
another one stopped. The stream's version is the fence; a lease only says who may
start an effect.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import assert_never
from uuid import UUID

from domain.booking import Booking, BookingStatus, initial_state
from domain.composite import SagaEvent
from domain.errors import AppointmentDatabaseError
from domain.events import BookingInitiated
from domain.evolving import fold
from domain.policy import Policy
from sagas.appending import (
    Append,
    Appended,
    AppendResult,
    Due,
    DueAfter,
    Lease,
    Lost,
    NothingDue,
    booking_events,
)
from sagas.deferring import rests, stands_in_line
from sagas.effects import Effects
from sagas.leg_run import LegRun, Part
from sagas.next_step import in_line_until, next_step
from sagas.ports import Clock, Hints, Ids, Log
from sagas.run import Run
from sagas.steps import (
    Act,
    CreateAtCalcom,
    Decision,
    Done,
    Effect,
    OfLeg,
    Perform,
    Persist,
    Record,
    RecordOfLegs,
    Shift,
    Together,
    Wait,
    Withdraw,
)
from sagas.waiting import Parked, WaitingRoom

URGENT, NORMAL = 1, 5
IN_TURN, IN_LINE = 6, 7
"""The priorities of what waits for Cal.com to be well again, and for full fallback to end; `Agenda` knows them."""
NO_NEWS_PAUSE = timedelta(seconds=1)
_UNDOING = frozenset({BookingStatus.COMPENSATING, BookingStatus.CANCELLING})


class Engine:
    """
    Takes sagas step by step, and has each decision written down before it acts on it.

    `leased` is what this process works on (saga id, lease token), so that a shutdown can
    hand it over. `parked` tells when work was left for later.
    """

    def __init__(
        self,
        *,
        log: Log,
        effects: Effects,
        hints: Hints,
        clock: Clock,
        ids: Ids,
        policy: Policy,
        moved: Callable[[Booking], None] = lambda _: None,
    ) -> None:
        self._log = log
        self._effects = effects
        self._hints = hints
        self._clock = clock
        self._ids = ids
        self._policy = policy
        self._moved = moved
        self.waiting = WaitingRoom(self.load)
        self.leased: set[tuple[UUID, UUID]] = set()
        self.parked = Parked()

    def new_correlation_id(self) -> str:
        """Return an id for what a caller has not given one for."""
        return self._ids.token().hex

    async def load(self, booking_id: UUID) -> Booking:
        """Return a booking as the log has it; version 0 if nobody has asked for it."""
        recorded = await self._log.read(booking_id)
        return fold(initial_state(booking_id), booking_events(recorded))

    def begin(
        self, booking: Booking, *, token: UUID | None = None, correlation_id: str = "", in_turn: bool = False
    ) -> Run:
        """
        Return a run over a booking; `token` is the lease that its due work was claimed with.

        One that is `in_turn` was claimed from the line when its turn had come.
        """
        if not correlation_id and booking.initiated is not None:
            correlation_id = booking.initiated.correlation_id
        return Run(
            saved=booking,
            state=booking,
            token=token or self._ids.token(),
            correlation_id=correlation_id,
            in_turn=in_turn,
        )

    def open(
        self, booking_id: UUID, initiated: BookingInitiated, *others: BookingInitiated, customer_found: bool = False
    ) -> Run:
        """
        Return the run of a new booking, to be driven; unless its customer was found, its first append looks.

        It begins as one of `others` if the staff is taken.
        """
        run = self.begin(initial_state(booking_id), correlation_id=initiated.correlation_id)
        run.others = others
        run.initiate(initiated, customer_found=customer_found)
        return run

    def open_composite(
        self, booking_id: UUID, initiated: Sequence[SagaEvent], *, correlation_id: str, customer_found: bool = False
    ) -> Run:
        """Return the run of a new composite, to be driven."""
        run = self.begin(initial_state(booking_id), correlation_id=correlation_id)
        run.initiate_legs(initiated, customer_found=customer_found)
        return run

    def rests(self, booking: Booking, seconds: float) -> bool:
        """Tell whether nothing is to happen to a booking for so long, because it was deferred."""
        now = self._clock.now()
        return rests(booking, now=now, until=now + timedelta(seconds=seconds))

    async def drive(self, run: Run) -> None:
        """
        Take the saga as far as it goes now; what is left is due work in the log.

        Raises:
            AppointmentDatabaseError: a decision may or may not be in the log. Nothing
                was done that is not announced there.

        """
        lease = (run.state.booking_id, run.token)
        self.leased.add(lease)
        try:
            while await self._step(run):
                pass
        except asyncio.CancelledError:
            # Left in the middle of an effect: the lease stays listed, to be handed over.
            raise
        except BaseException:
            self.leased.discard(lease)
            raise
        self.leased.discard(lease)

    async def _step(self, run: Run) -> bool:
        """Take one step, and tell whether there is another one now."""
        now = self._clock.now()
        step = next_step(run.state, now, self._policy)
        match step:
            case RecordOfLegs(events):
                run.decide(*events)
                return True
            case OfLeg(leg=leg, step=act):
                return await self._act(run, LegRun(run, leg), act)
            case Together(ends):
                for one in ends:
                    _decide(LegRun(run, one.leg), one.decision)
                return True
            case Wait(until):
                await self._flush(run, DueAfter(delay=max(until - now, timedelta(0)), priority=_priority(run.state)))
                self.parked.tell()
                return run.refused
            case Done():
                await self._flush(run, NothingDue())
                return run.refused
            case _:
                return await self._act(run, run, step)

    async def _act(self, run: Run, part: Part, act: Act) -> bool:
        if isinstance(act, Perform):
            return await self._perform(run, part, act.effect)
        _decide(part, act)
        return True

    async def _perform(self, run: Run, part: Part, effect: Effect) -> bool:
        async def announce() -> bool:
            # A run without news holds a lease that covers one effect already.
            if run.pending:
                await self._flush(run, Lease(token=run.token, lasts=self._policy.lease))
            return not run.lost and not run.refused

        run.refused = False
        outcome = await self._effects.perform(part, effect, announce)
        if outcome is None:
            return not run.lost
        rerecord = part.recorded(outcome)
        news = rerecord(run.state)
        if not news:
            # The log knows it already. Not at once again, or a defect would make this a loop without end.
            await self._flush(run, self._without_news(run.state, effect))
            return run.refused
        run.rerecord = rerecord
        run.decide(*news)
        return True

    def _without_news(self, booking: Booking, effect: Effect) -> DueAfter:
        until = in_line_until(booking) if isinstance(effect, CreateAtCalcom) else None
        if until is None:
            return DueAfter(delay=NO_NEWS_PAUSE)
        return DueAfter(delay=max(until - self._clock.now(), NO_NEWS_PAUSE), priority=_priority(booking))

    async def _flush(self, run: Run, due: Due) -> None:
        """Write what waits; `run` says afterwards whether it was taken, refused in part, or lost."""
        run.refused = False
        if not run.pending and due == run.due:
            return
        lease = Lease(token=run.token, lasts=self._policy.lease)
        append = run.append(append_id=self._ids.attempt_id(), now=self._clock.now(), due=due, if_refused=lease)
        match await self._append(append, insist=run.rerecord is not None):
            case Appended() as appended:
                before = run.saved
                run.written(appended, due=due)
                if run.saved.version:
                    self._tell(run.saved, before=before)
            case Lost():
                await self._lost(run)
            case result:
                assert_never(result)

    async def _lost(self, run: Run) -> None:
        """
        Give way to whoever has written meanwhile.

        Only an outcome that the log does not know is added to theirs; then it is due
        for anybody, since it may change what the saga owes.
        """
        run.lost = True
        while run.rerecord is not None:
            run.reloaded(await self._insist_on_loading(run.state.booking_id))
            if not run.pending:
                return
            append = run.append(
                append_id=self._ids.attempt_id(),
                now=self._clock.now(),
                due=DueAfter(delay=timedelta(0), priority=URGENT),
                if_refused=NothingDue(),
            )
            result = await self._append(append, insist=True)
            if isinstance(result, Appended):
                before = run.saved
                run.written(result, due=append.due)
                self._tell(run.saved, before=before)
                self.parked.tell()

    def _tell(self, booking: Booking, *, before: Booking) -> None:
        self.waiting.told(booking)
        self._hints.told(booking)
        if booking.status is not before.status:
            self._moved(booking)

    async def _append(self, append: Append, *, insist: bool) -> AppendResult:
        failures = 0
        while True:
            try:
                return await self._log.append(append)
            except AppointmentDatabaseError as error:
                # An outcome is known to this process alone: it is kept until the database takes it.
                if not insist or not error.retryable:
                    raise
                failures += 1
                await self._pause(failures, append.append_id)

    async def _insist_on_loading(self, booking_id: UUID) -> Booking:
        failures = 0
        while True:
            try:
                return await self.load(booking_id)
            except AppointmentDatabaseError as error:
                if not error.retryable:
                    raise
                failures += 1
                await self._pause(failures, str(booking_id))

    async def _pause(self, failures: int, salt: str) -> None:
        wait = self._policy.retry.delay(failures, salt=salt)
        await asyncio.sleep(min(wait, timedelta(seconds=5)).total_seconds())


def _decide(part: Part, decision: Decision) -> None:
    match decision:
        case Record(events):
            part.decide(*events)
        case Persist(booked=booked):
            part.persist(booked)
        case Shift(rescheduled=rescheduled, flags=flags):
            part.shift(rescheduled, *flags)
        case Withdraw(events=events):
            part.withdraw(*events)
        case _:
            assert_never(decision)


def _priority(booking: Booking) -> int:
    urgent = booking.status in _UNDOING or bool(booking.surplus) or bool(booking.ledger.open)
    if urgent:
        return URGENT
    if booking.until_switched and booking.status is BookingStatus.PENDING:
        return IN_LINE
    return IN_TURN if stands_in_line(booking) else NORMAL
