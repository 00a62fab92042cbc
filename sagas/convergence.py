"""
Making both sides equal about one uid of Cal.com: read it there, compare, write what follows.

Webhooks and the reconciler come here; neither is believed, the booking at Cal.com is.
Nothing is changed at Cal.com from here: what is owed there becomes due work of the
booking's own saga.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from domain.booking import Booking, BookingStatus
from domain.composite import SagaEvent
from domain.events import BookingEvent
from domain.evolving import fold
from domain.legs import of_leg, part_with
from domain.moving import BookingRescheduled
from domain.policy import Policy
from sagas import outcomes as o
from sagas.appending import (
    Append,
    Appended,
    AppendResult,
    CancelAppointment,
    Due,
    DueAfter,
    Instead,
    LegRows,
    Lost,
    MoveAppointment,
    NothingDue,
    Refusal,
)
from sagas.converged import Converged
from sagas.converging import Difference, NotNow, compare, doubled, found, missing, overlapping, repaired
from sagas.engine import Engine
from sagas.next_step import next_step
from sagas.ports import Agenda, Appointments, Calendars, Clock, Ids, Log, Pace
from sagas.recording_legs import partly_gone
from sagas.rows import move_of
from sagas.steps import Done, Wait
from sagas.walk_in import WalkIns

TRIES = 5


class Convergence:
    """Compares and converges; any number of processes may do it for the same uid at once."""

    def __init__(
        self,
        *,
        log: Log,
        engine: Engine,
        calendars: Calendars,
        appointments: Appointments,
        agenda: Agenda,
        walk_ins: WalkIns,
        clock: Clock,
        ids: Ids,
        policy: Policy,
    ) -> None:
        self._log = log
        self._engine = engine
        self._calendars = calendars
        self._appointments = appointments
        self._agenda = agenda
        self._walk_ins = walk_ins
        self._clock = clock
        self._ids = ids
        self._policy = policy

    async def converge(
        self,
        company_id: str,
        uid: str,
        *,
        webhook_id: UUID | None = None,
        finding: bool = False,
        pace: Pace | None = None,
    ) -> Converged:
        """
        Read what a uid has become, and make the local side agree with it.

        `finding` says that nobody has told us of it: a difference is then detected, and
        not only followed. With a `pace` each call to Cal.com waits for its turn.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        calendar = await self._calendars.of(company_id)
        for _ in range(TRIES):
            trace = await calendar.trace(uid, pace=pace)
            match trace:
                case o.TraceFailed():
                    return Converged(outcome=None, detail=trace.reason, retry_after=trace.retry_after)
                case o.NotThere():
                    return Converged(outcome=None, detail="not_there")
                case o.Standing() | o.Gone():
                    converged = await self._agree(company_id, trace, webhook_id, finding=finding, pace=pace)
                    if converged is not None:
                        return replace(converged, gone=isinstance(trace, o.Gone))
                case _:
                    assert_never(trace)
        return Converged(outcome=None, detail="changed_meanwhile")

    async def booking_of(self, company_id: str, trace: o.Standing | o.Gone) -> Booking | None:
        """
        Return the booking, or the leg, that what stands there belongs to, or None.

        Its attempt must stand in the booking's own ledger: what metadata says anybody
        can have written.
        """
        holders = await self._appointments.holders(company_id=company_id, uids=trace.uids)
        if trace.uid not in holders and trace.booking_id is not None and trace.attempt_id is not None:
            booking = await self._engine.load(trace.booking_id)
            ours = booking.initiated is not None and booking.facts.service.company_id == company_id
            if ours and booking.ledger.of(trace.attempt_id) is not None:
                return part_with(booking, uids=trace.uids, attempt_id=trace.attempt_id)
        holder = next((holders[uid] for uid in trace.uids if uid in holders), None)
        if holder is None:
            return None
        booking = part_with(await self._engine.load(holder), uids=trace.uids)
        return None if booking.initiated is None or booking.legs else booking

    async def kept_by_others(self, company_id: str, trace: o.Standing) -> str | None:
        """
        Return who has what stands there, in words, although none of the company's bookings does; None if nobody has.

        Companies may share an event type, and other software may write appointments: what
        they have stands here already, and a uid has one appointment.
        """
        owners = await self._appointments.companies(trace.uids)
        if any(owner != company_id for owner in owners.values()) or await self._is_made_elsewhere(company_id, trace):
            return "it is another company's, which books the same event type"
        holder = (await self._appointments.holders(company_id=company_id, uids=(trace.uid,))).get(trace.uid)
        if holder is None or (await self._engine.load(holder)).initiated is not None:
            return None
        return "an appointment has it that this log does not know"

    async def _is_made_elsewhere(self, company_id: str, trace: o.Standing) -> bool:
        """Tell whether a booking of another company has made it, and may not have its appointment yet."""
        if trace.booking_id is None or trace.attempt_id is None:
            return False
        booking = await self._engine.load(trace.booking_id)
        theirs = booking.initiated is not None and booking.facts.service.company_id != company_id
        return theirs and booking.ledger.of(trace.attempt_id) is not None

    async def look_into(
        self, company_id: str, uid: str, *, booking_id: UUID | None, pace: Pace | None = None
    ) -> Converged:
        """
        Compare about a uid that differs, or seems to; what is booked here and not there is left to a person.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        converged = await self.converge(company_id, uid, finding=True, pace=pace)
        if converged.detail == "not_there" and booking_id is not None:
            return await self.flag_missing(booking_id, uid)
        return converged

    async def is_let_stand(self, booking_id: UUID, uid: str) -> bool:
        """Tell whether a person has decided that a booked uid stands here, although Cal.com does not know it."""
        return ("ghost", uid) in part_with(await self._engine.load(booking_id), uids=(uid,)).let_stand

    async def flag_missing(self, booking_id: UUID, uid: str) -> Converged:
        """
        Have a person decide about a booked uid that Cal.com does not know at all; what they let stand is equal.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        booking, now = part_with(await self._engine.load(booking_id), uids=(uid,)), self._clock.now()
        if booking.status is not BookingStatus.BOOKED or booking.kept_uid != uid:
            return Converged(outcome=None, detail="not_there", booking_id=booking_id)
        if ("ghost", uid) in booking.let_stand:
            return Converged(outcome="equal", detail="let_stand", booking_id=booking_id)
        known = any((one.kind, one.uid) == ("ghost", uid) for one in booking.inconsistencies)
        if not known and not await self._write(booking, missing(uid, now=now), finding=True, now=now):
            return Converged(outcome=None, detail="changed_meanwhile", booking_id=booking_id)
        return Converged(outcome="flagged", detail="not_there", booking_id=booking_id)

    async def _agree(
        self, company_id: str, trace: o.Standing | o.Gone, webhook_id: UUID | None, *, finding: bool, pace: Pace | None
    ) -> Converged | None:
        """Return what came of it, or None if somebody else has written meanwhile."""
        booking = await self.booking_of(company_id, trace)
        kept = None if booking is None else await self._kept_elsewhere(booking, trace, pace)
        if isinstance(kept, o.TraceFailed | o.NotThere):
            return Converged(outcome=None, detail="kept_unknown")
        now = self._clock.now()
        compared = (
            NotNow.REBOOKED if booking is None else compare(booking, kept or trace, now=now, webhook_id=webhook_id)
        )
        if booking is None or compared is NotNow.REBOOKED:
            if isinstance(trace, o.Gone):
                return Converged(outcome="equal", detail="nobody here knows it")
            others = await self.kept_by_others(company_id, trace)
            if others is not None:
                return Converged(outcome="ignored", detail=others)
            return await self._walk_ins.take_in(company_id, trace, webhook_id=webhook_id, finding=finding)
        match compared:
            case None if (twice := await self._doubled(company_id, booking, trace, now)) is not None:
                other, ghost = twice
                written = await self._write(other, ghost, finding=finding, now=now)
                return Converged(outcome="cancelled", detail="ghost", booking_id=other.booking_id) if written else None
            case None:
                reviewed = booking.status is BookingStatus.NEEDS_REVIEW
                return Converged(outcome="flagged" if reviewed else "equal", booking_id=booking.booking_id)
            case NotNow.IN_DOUBT:
                await self._agenda.wake(booking.booking_id)
                self._engine.parked.tell()
                return Converged(outcome="woken", booking_id=booking.booking_id)
            case NotNow.UNDER_WAY:
                return Converged(outcome=None, detail="under_way", booking_id=booking.booking_id)
            case Difference():
                if not await self._write(booking, compared, finding=finding, now=now):
                    return None
                return Converged(outcome=compared.outcome, detail=compared.kind, booking_id=booking.booking_id)
            case _:
                assert_never(compared)

    async def _kept_elsewhere(self, booking: Booking, trace: o.Standing | o.Gone, pace: Pace | None) -> o.Trace | None:
        """
        Return what the booking's own uid has become, if the one that was traced may be its successor.

        Nothing is surplus before it is known that the booking itself still stands: it may
        have been moved several times, and each uid names only the one before.
        """
        kept_uid = booking.kept_uid
        booked = booking.ended is BookingStatus.BOOKED and kept_uid is not None
        if not booked or kept_uid is None or kept_uid in trace.uids or isinstance(trace, o.Gone):
            return None
        calendar = await self._calendars.of(booking.facts.service.company_id)
        kept = await calendar.trace(kept_uid, pace=pace)
        return None if isinstance(kept, o.Standing) and kept.uid == kept_uid else kept

    async def _doubled(
        self, company_id: str, booking: Booking, trace: o.Standing | o.Gone, now: datetime
    ) -> tuple[Booking, Difference] | None:
        """Return another booking that stands for what this one has become, and what makes it go."""
        if isinstance(trace, o.Gone) or not trace.origins:
            return None
        holders = await self._appointments.holders(company_id=company_id, uids=trace.origins)
        for holder in holders.values():
            other = await self._engine.load(holder)
            ghost = None if holder == booking.booking_id else doubled(other, trace, now=now)
            if ghost is not None:
                return other, ghost
        return None

    async def _write(self, booking: Booking, difference: Difference, *, finding: bool, now: datetime) -> bool:
        """Write a difference and what mends it; False if the booking has changed meanwhile."""
        result = await self._append(booking, self._told(booking, difference, finding=finding, now=now), difference)
        if isinstance(result, Appended) and result.refusal is not None:
            # The member of staff is busy then. Cal.com has it all the same: it is kept, and flagged.
            difference = overlapping(difference, now=now)
            result = await self._append(booking, self._told(booking, difference, finding=finding, now=now), difference)
        if difference.owes:
            self._engine.parked.tell()
        return isinstance(result, Appended) and result.refusal is None

    @staticmethod
    def _told(booking: Booking, difference: Difference, *, finding: bool, now: datetime) -> Sequence[BookingEvent]:
        if not finding or difference.outcome in {"equal", "flagged"}:
            return difference.events
        known = any((it.kind, it.uid) == (difference.kind, difference.uid) for it in booking.inconsistencies)
        detected = () if known else (found(difference, now=now),)
        mended = () if difference.repair == "cancel" else (repaired(difference, now=now),)
        return (*detected, *difference.events, *mended)

    async def _append(self, booking: Booking, events: Sequence[BookingEvent], difference: Difference) -> AppendResult:
        row, now = _row(fold(booking, events), events, difference), self._clock.now()
        whole, told = booking, tuple[SagaEvent, ...](events)
        if booking.leg:
            whole = await self._engine.load(booking.booking_id)
            if whole.legs[booking.leg - 1] != booking:
                return Lost()
            flags = partly_gone(whole, booking, difference.uid, now=now) if difference.cancels else ()
            told = of_leg(booking.leg, (*events, *flags))

        def on_refused(_: Refusal) -> Instead:
            return Instead(events=(), due=due_of(whole, self._clock.now(), self._policy))

        append = Append(
            stream_id=booking.booking_id,
            expected_version=whole.version,
            append_id=self._ids.attempt_id(),
            correlation_id=booking.facts.correlation_id,
            recorded_at=now,
            events=told,
            due=due_of(fold(whole, told), now, self._policy),
            appointment=None if booking.leg else row,
            on_refused=on_refused,
            legs=(LegRows(leg=booking.leg, appointment=row, on_refused=on_refused),) if booking.leg else (),
        )
        return await self._log.append(append)


def due_of(booking: Booking, now: datetime, policy: Policy) -> Due:
    """Return what is due for a booking as it stands."""
    match next_step(booking, now, policy):
        case Done():
            return NothingDue()
        case Wait(until):
            return DueAfter(delay=max(until - now, timedelta(0)))
        case _:
            return DueAfter(delay=timedelta(0), priority=1)


def _row(
    state: Booking, events: Sequence[BookingEvent], difference: Difference
) -> MoveAppointment | CancelAppointment | None:
    if state.appointment_id is None:
        return None
    if difference.cancels:
        return CancelAppointment(appointment_id=state.appointment_id)
    moved = next((event for event in events if isinstance(event, BookingRescheduled)), None)
    return None if moved is None else move_of(state, moved)
