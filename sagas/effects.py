"""Doing what a step asks for: announce it in the log, do it, and say what came of it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import assert_never

from domain.booking import Booking, BookingStatus, initial_state
from domain.errors import AppointmentDatabaseError
from domain.events import BookingEvent, ObstacleVerdict
from domain.evolving import fold
from domain.legs import part_with
from domain.policy import Policy
from sagas import recording
from sagas.appending import Append, CancelAppointment, DueAfter, Lost, NothingDue, booking_events
from sagas.deferring import has_stood_in_line, record_held_back
from sagas.leg_run import Part
from sagas.obstacles import record_inspection
from sagas.outcomes import Inspected, NotSent
from sagas.ports import Appointments, Calendar, Calendars, Clock, Ids, Log, Pace, RowInTheWay
from sagas.recording_legs import record_part_gone
from sagas.recording_moves import announce_reschedule, record_reschedule, record_trace
from sagas.run import Outcome
from sagas.steps import (
    CancelAtCalcom,
    Change,
    CreateAtCalcom,
    Effect,
    InspectObstacle,
    LookAtCalcom,
    RescheduleAtCalcom,
    TraceMove,
)

Announce = Callable[[], Awaitable[bool]]
_LETTING_GO = frozenset({BookingStatus.CANCELLING, BookingStatus.COMPENSATING, BookingStatus.RESCHEDULING})


class Effects:
    """
    The hands of the saga.

    Each method adds what must be in the log beforehand to the run, has it written by
    `announce`, acts, and returns how the outcome is recorded.
    """

    def __init__(
        self,
        *,
        log: Log,
        calendars: Calendars,
        appointments: Appointments,
        drain: Pace,
        clock: Clock,
        ids: Ids,
        policy: Policy,
    ) -> None:
        self._log = log
        self._calendars = calendars
        self._appointments = appointments
        self._drain = drain
        self._clock = clock
        self._ids = ids
        self._policy = policy

    async def perform(self, part: Part, effect: Effect, announce: Announce) -> Outcome | None:
        """Return how to record the outcome, or None if the announcement lost and nothing was done."""
        match effect:
            case CreateAtCalcom():
                return await self._create(part, effect, announce)
            case LookAtCalcom():
                return await self._look(part, effect, announce)
            case CancelAtCalcom():
                return await self._cancel(part, effect, announce)
            case InspectObstacle():
                return await self._inspect(part, effect, announce)
            case RescheduleAtCalcom():
                return await self._reschedule(part, effect, announce)
            case TraceMove():
                return await self._trace(part, effect, announce)
            case _:
                assert_never(effect)

    async def _calendar(self, part: Part, announce: Announce) -> Calendar:
        try:
            return await self._calendars.of(part.state.facts.service.company_id)
        except AppointmentDatabaseError:
            if part.rerecord is not None:
                # The outcome before this effect is known to nobody else: it is written down before the saga is left.
                await announce()
            raise

    async def _create(self, part: Part, effect: CreateAtCalcom, announce: Announce) -> Outcome | None:
        # Found before anything is announced: what fails until then has not been promised to the ledger.
        calendar = await self._calendar(part, announce)
        held_back = await self._held_back(part, effect, calendar)
        if held_back is None:
            held_back = calendar.count_attempt(again=part.state.ledger.was_tried)
        if held_back is not None:
            return await self._defer(part, effect, held_back, announce)
        attempt_id = self._ids.attempt_id()
        (attempted,) = recording.announce_create(
            attempt_id=attempt_id, number=effect.number, now=self._clock.now(), policy=self._policy
        )
        part.decide(attempted)
        if not await announce():
            return None
        outcome = await calendar.create(part.state, attempt_id=attempt_id, send_by=attempted.send_by)
        answered_at = self._clock.now()

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return recording.record_create(
                booking, attempt_id, outcome, answered_at=answered_at, now=self._clock.now(), policy=self._policy
            )

        return rerecord

    async def _held_back(self, part: Part, effect: Change, calendar: Calendar) -> NotSent | None:
        held_back = calendar.held_back(effect)
        if held_back is None and has_stood_in_line(part.state, effect):
            # Whoever has waited for Cal.com to be well again comes in turn, not in a crowd that makes it ill.
            if not part.takes_turn():
                await self._drain.wait()
            held_back = calendar.held_back(effect)
        return held_back

    async def _defer(self, part: Part, effect: Change, held_back: NotSent, announce: Announce) -> Outcome | None:
        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return record_held_back(booking, effect, held_back, now=self._clock.now(), policy=self._policy)

        # Nothing is announced, since nothing is done; but an outcome before this one is written down first.
        if part.rerecord is not None and rerecord(part.state) and not await announce():
            return None
        return rerecord

    async def _look(self, part: Part, effect: LookAtCalcom, announce: Announce) -> Outcome | None:
        # Looking changes nothing, but the lease must cover it, and what waits is not left unwritten meanwhile.
        calendar = await self._calendar(part, announce)
        if not await announce():
            return None
        outcome = await calendar.look(part.state, effect)

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return recording.record_look(booking, effect, outcome, now=self._clock.now(), policy=self._policy)

        return rerecord

    async def _cancel(self, part: Part, effect: CancelAtCalcom, announce: Announce) -> Outcome | None:
        calendar = await self._calendar(part, announce)
        held_back = await self._held_back(part, effect, calendar)
        if held_back is not None:
            return await self._defer(part, effect, held_back, announce)
        part.decide(*recording.announce_cancel(effect, now=self._clock.now()))
        if not await announce():
            return None
        outcome = await calendar.cancel(part.state, effect)

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return recording.record_cancel(booking, effect, outcome, now=self._clock.now(), policy=self._policy)

        return rerecord

    async def _reschedule(self, part: Part, effect: RescheduleAtCalcom, announce: Announce) -> Outcome | None:
        calendar = await self._calendar(part, announce)
        held_back = await self._held_back(part, effect, calendar)
        if held_back is not None:
            return await self._defer(part, effect, held_back, announce)
        (attempted,) = announce_reschedule(effect, now=self._clock.now(), policy=self._policy)
        part.decide(attempted)
        if not await announce():
            return None
        outcome = await calendar.reschedule(effect, send_by=attempted.send_by)
        answered_at = self._clock.now()

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return record_reschedule(
                booking, effect, outcome, answered_at=answered_at, now=self._clock.now(), policy=self._policy
            )

        return rerecord

    async def _trace(self, part: Part, effect: TraceMove, announce: Announce) -> Outcome | None:
        calendar = await self._calendar(part, announce)
        if not await announce():
            return None
        started_at = self._clock.now()
        trace = await calendar.trace(effect.uid)

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return record_trace(
                booking, effect, trace, started_at=started_at, now=self._clock.now(), policy=self._policy
            )

        return rerecord

    async def _inspect(self, part: Part, effect: InspectObstacle, announce: Announce) -> Outcome | None:
        if not await announce():
            return None
        verdict = await self._judge_row(part.state, effect)
        outcome = Inspected(verdict=verdict)

        def rerecord(booking: Booking) -> Sequence[BookingEvent]:
            return record_inspection(booking, effect, outcome, now=self._clock.now(), policy=self._policy)

        return rerecord

    async def _judge_row(self, booking: Booking, effect: InspectObstacle) -> ObstacleVerdict:
        row = await self._appointments.find(effect.appointment_id)
        if row is None or not row.is_booked:
            return "gone"
        recorded = await self._log.read(row.booking_id)
        other = fold(initial_state(row.booking_id), booking_events(recorded))
        part = part_with(other, uids=(row.calcom_booking_uid,))
        if part.status in _LETTING_GO:
            return "moving"
        if row.calcom_booking_uid is None or ("ghost", row.calcom_booking_uid) in part.let_stand:
            return "stands"
        calendar = await self._calendars.of(booking.facts.service.company_id)
        match await calendar.liveness(row.calcom_booking_uid):
            case "live":
                return "stands"
            case "unknown":
                # Not to know is not to undo: it is asked again.
                return "moving"
            case "not_found":
                return "missing"
            case "dead":
                return await self._clear_away(row, other)
            case liveness:
                assert_never(liveness)

    async def _clear_away(self, row: RowInTheWay, other: Booking) -> ObstacleVerdict:
        """Cancel a row whose booking is no longer live at Cal.com, on its own booking's stream."""
        now = self._clock.now()
        uid = row.calcom_booking_uid or ""
        gone = record_part_gone(other, part_with(other, uids=(uid,)), uid, now=now)
        if other.version and not gone:
            # The booking's stream says something else about this uid than the row does: its own saga settles that.
            return "moving"
        append = Append(
            stream_id=row.booking_id,
            expected_version=other.version,
            append_id=self._ids.attempt_id(),
            correlation_id="" if other.initiated is None else other.initiated.correlation_id,
            recorded_at=now,
            events=gone,
            due=DueAfter(delay=timedelta(0)) if other.version else NothingDue(),
            appointment=CancelAppointment(appointment_id=row.appointment_id),
        )
        return "moving" if isinstance(await self._log.append(append), Lost) else "gone"
