"""Doing what a step asks for: announce it in the log, do it, and say what came of it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

from domain.booking import Booking, BookingStatus, fold, initial_state
from domain.events import BookingEvent
from domain.policy import Policy
from sagas import recording
from sagas.outcomes import Inspected
from sagas.ports import Appointments, Calendars, Clock, Ids, Log
from sagas.run import Rerecord, Run
from sagas.steps import CancelAtCalcom, CreateAtCalcom, Effect, InspectObstacle, LookAtCalcom

_LETTING_GO = frozenset({BookingStatus.CANCELLING, BookingStatus.COMPENSATING, BookingStatus.RESCHEDULING})


class Effects:
    """
    The hands of the saga.

    Each method adds what must be in the log beforehand to the run, has it written by
    `announce`, acts, and returns how the outcome is recorded.
    """

    def __init__(
        self, *, log: Log, calendars: Calendars, appointments: Appointments, clock: Clock, ids: Ids, policy: Policy
    ) -> None:
        self._log = log
        self._calendars = calendars
        self._appointments = appointments
        self._clock = clock
        self._ids = ids
        self._policy = policy

    async def perform(self, run: Run, effect: Effect, announce: Callable[[], Awaitable[bool]]) -> Rerecord | None:
        """Return how to record the outcome, or None if the announcement lost and nothing was done."""
        match effect:
            case CreateAtCalcom():
                return await self._create(run, effect, announce)
            case LookAtCalcom():
                return await self._look(run, effect, announce)
            case CancelAtCalcom():
                return await self._cancel(run, effect, announce)
            case InspectObstacle():
                return await self._inspect(run, effect, announce)
            case _:
                assert_never(effect)

    async def _create(
        self, run: Run, effect: CreateAtCalcom, announce: Callable[[], Awaitable[bool]]
    ) -> Rerecord | None:
        attempt_id = self._ids.attempt_id()
        (attempted,) = recording.announce_create(
            attempt_id=attempt_id, number=effect.number, now=self._clock.now(), policy=self._policy
        )
        run.decide(attempted)
        if not await announce():
            return None
        calendar = await self._calendars.of(run.state.facts.service.company_id)
        left = attempted.send_by - self._clock.now()
        outcome = await calendar.create(run.state, attempt_id=attempt_id, send_within=left)

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return recording.record_create(booking, attempt_id, outcome, now=self._clock.now(), policy=self._policy)

        return rerecord

    async def _look(self, run: Run, effect: LookAtCalcom, announce: Callable[[], Awaitable[bool]]) -> Rerecord | None:
        # Looking changes nothing, but the lease must cover it, and what waits is not left unwritten meanwhile.
        if not await announce():
            return None
        calendar = await self._calendars.of(run.state.facts.service.company_id)
        outcome = await calendar.look(run.state, effect)

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return recording.record_look(booking, effect, outcome, now=self._clock.now(), policy=self._policy)

        return rerecord

    async def _cancel(
        self, run: Run, effect: CancelAtCalcom, announce: Callable[[], Awaitable[bool]]
    ) -> Rerecord | None:
        run.decide(*recording.announce_cancel(effect, now=self._clock.now()))
        if not await announce():
            return None
        calendar = await self._calendars.of(run.state.facts.service.company_id)
        outcome = await calendar.cancel(run.state, effect)

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return recording.record_cancel(booking, effect, outcome, now=self._clock.now(), policy=self._policy)

        return rerecord

    async def _inspect(
        self, run: Run, effect: InspectObstacle, announce: Callable[[], Awaitable[bool]]
    ) -> Rerecord | None:
        if not await announce():
            return None
        outcome = await self._look_at_row(run.state, effect)

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return recording.record_inspection(booking, outcome, now=self._clock.now(), policy=self._policy)

        return rerecord

    async def _look_at_row(self, booking: Booking, effect: InspectObstacle) -> Inspected:
        row = await self._appointments.find(effect.appointment_id)
        if row is None or not row.is_booked:
            return Inspected(verdict="gone")
        recorded = await self._log.read(row.booking_id)
        other = fold(initial_state(row.booking_id), (one.event for one in recorded))
        if other.status in _LETTING_GO:
            return Inspected(verdict="moving")
        if row.calcom_booking_uid is None:
            return Inspected(verdict="stands")
        calendar = await self._calendars.of(booking.facts.service.company_id)
        live = await calendar.is_live(row.calcom_booking_uid)
        # Not to know is not to undo: a row whose booking cannot be looked up now is asked about again.
        return Inspected(verdict="stands" if live else "moving")
