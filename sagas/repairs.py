"""
What a person decides about a booking that waits for one, or about a difference that was found.

A decision is an event with its actor; what follows from it the saga does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from domain import findings as f
from domain.booking import Booking, BookingStatus
from domain.composite import LegEvent
from domain.errors import CalcomBookingError, CustomerValidationError, FieldError, MadeElsewhere, NothingToDecide
from domain.events import BookingCancelled, BookingEvent, CalcomBookingCancelled, CancellationRequested
from domain.evolving import fold
from domain.ledger import Line
from domain.legs import part_with
from domain.person import Remark
from domain.text import identifier_problem
from sagas import outcomes as o
from sagas.convergence import Convergence
from sagas.leg_run import part_of
from sagas.next_of_legs import is_partly_gone
from sagas.orchestrator import Orchestrator
from sagas.ports import Agenda, Calendars, Clock
from sagas.recording import record_sighting
from sagas.run import Run
from sagas.sight import with_what_follows
from sagas.wishes import BookingResult

_SEEN_LATER = frozenset({"under_way", "changed_meanwhile", "not_there"})
"""Why nothing has come of a comparison, although Cal.com could be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReview:
    """
    Decide about one attempt, or about the booking `uid` that it has made.

    `adopt` is the uid to adopt, `actor` who decides, `note` why.
    """

    company_id: str
    booking_id: UUID
    attempt_id: str | None
    uid: str | None
    answer: f.ReviewAnswer
    adopt: str | None
    actor: str
    note: str


class Repairs:
    """Takes decisions, and has the saga go on."""

    def __init__(
        self,
        *,
        orchestrator: Orchestrator,
        convergence: Convergence,
        calendars: Calendars,
        agenda: Agenda,
        clock: Clock,
    ) -> None:
        self._orchestrator = orchestrator
        self._convergence = convergence
        self._calendars = calendars
        self._agenda = agenda
        self._clock = clock

    async def answer(self, wish: AnswerReview, *, patience: float) -> BookingResult:
        """
        Record a decision, and wait so long for what follows from it.

        A retry of what no attempt waits for wakes the saga that may be at it, and compares both sides once more.

        Raises:
            UnknownBooking: the company has no such booking.
            NothingToDecide: nobody was asked about this, or it is decided.
            MadeElsewhere: somebody else made the booking at Cal.com, and it is to be cancelled.
            CustomerValidationError: the answer is none to this, or the booking to adopt is not there, or another's.
            CalcomBookingError: Cal.com could not be read for a retry.
            AppointmentDatabaseError: the database is away.

        """
        booking = await self._orchestrator.get(wish.booking_id, company_id=wish.company_id)
        line = _asked_about(booking, wish)
        if line is None and wish.answer == "retry":
            return await self._again(booking, wish)
        adopted = await self._adopted(wish, line) if wish.answer == "adopt" and line is not None else None

        def decide(run: Run) -> bool:
            part = part_of(run, part_with(run.state, uids=(wish.uid,), attempt_id=wish.attempt_id))
            asked, now = _asked_about(part.state, wish), self._clock.now()
            if asked is None:
                rest = rest_cancelled(run.state, part.state, wish, now=now)
                part.decide(*decided_about_finding(part.state, wish, now=now))
                run.decide(*rest)
                if wish.answer == "absent":
                    part.withdraw(BookingCancelled(at=now, reason="cancelled_at_calcom"))
                return True
            gone = wish.answer == "absent" and part.state.ended is BookingStatus.BOOKED and _is_kept(part.state, asked)
            part.decide(*decided(part.state, wish, asked, adopted, now=now))
            if gone:
                part.withdraw(BookingCancelled(at=now, reason="cancelled_at_calcom"))
            return True

        return await self._orchestrator.carry_out(
            wish.booking_id, decide, company_id=wish.company_id, patience=patience
        )

    async def _again(self, booking: Booking, wish: AnswerReview) -> BookingResult:
        part = part_with(booking, uids=(wish.uid,), attempt_id=wish.attempt_id)
        found = any(one.uid == wish.uid for one in part.inconsistencies)
        if not found and booking.ended is not None:
            raise NothingToDecide(booking.booking_id)
        await self._agenda.wake(booking.booking_id)
        if not found or wish.uid is None:
            return BookingResult(booking=booking)
        compared = await self._convergence.look_into(wish.company_id, wish.uid, booking_id=booking.booking_id)
        if compared.outcome is None and compared.detail not in _SEEN_LATER:
            raise CalcomBookingError("Cal.com could not be read.", status=None, answer=compared.detail, transient=True)
        return BookingResult(booking=await self._orchestrator.get(booking.booking_id, company_id=wish.company_id))

    async def _adopted(self, wish: AnswerReview, line: Line) -> o.Standing:
        if wish.adopt is None or identifier_problem(wish.adopt) is not None:
            raise _wrong("must be the uid of a booking at Cal.com")
        if line.uid is not None:
            raise _wrong(f"cannot be adopted: the attempt has made {line.uid}")
        calendar = await self._calendars.of(wish.company_id)
        match await calendar.trace(wish.adopt):
            case o.Standing() as seen if seen.attempt_id == line.attempt_id:
                return seen
            case o.Standing():
                raise _wrong("is a booking that this attempt has not made")
            case o.Gone() | o.NotThere():
                raise _wrong("is not live at Cal.com")
            case o.TraceFailed():
                raise _wrong("could not be read at Cal.com; try again")
            case trace:
                assert_never(trace)


def decided(
    booking: Booking, wish: AnswerReview, line: Line, adopted: o.Standing | None, *, now: datetime
) -> Sequence[BookingEvent]:
    """Return what a decision about a line adds to the log: pure."""
    answered = f.ManualReviewAnswered(
        at=now,
        answer=wish.answer,
        actor=wish.actor,
        person=Remark(reason=wish.note),
        attempt_id=line.attempt_id,
        uid=line.uid,
        status_after="",
        reason_after=None,
        detail_after=None,
    )
    resolved = [
        f.InconsistencyResolved(at=now, kind=one.kind, uid=one.uid, how=wish.answer, actor=wish.actor)
        for one in booking.inconsistencies
        if wish.answer != "retry" and one.uid in {line.uid, None}
    ]
    followed: list[BookingEvent] = [with_what_follows(booking, answered), *resolved]
    if adopted is not None:
        followed += record_sighting(fold(booking, followed), adopted, now=now)
    if wish.answer == "cancel" and (line.uid is None or _is_kept(booking, line)):
        followed += _cancellation(booking, wish, now=now)
    return followed


def decided_about_finding(booking: Booking, wish: AnswerReview, *, now: datetime) -> Sequence[BookingEvent]:
    """
    Return what a decision adds to the log about a finding that no attempt waits for: pure.

    Raises:
        NothingToDecide: there is no such finding.
        CustomerValidationError: this is no answer to it.
        MadeElsewhere: somebody else made the booking at Cal.com, and it is to be cancelled.

    """
    found = [it for it in booking.inconsistencies if it.uid == wish.uid]
    if not found:
        raise NothingToDecide(wish.booking_id)
    about = [it for it in found if it.repair == "manual_review"]
    foreign = any(line.foreign for line in booking.ledger.lines)
    fitting = _fitting(about, foreign=foreign)
    if wish.answer == "cancel" and foreign and "absent" not in fitting:
        raise MadeElsewhere(wish.booking_id)
    if wish.answer not in fitting:
        raise CustomerValidationError((FieldError("answer", _what_fits(fitting)),))
    why = Remark(reason=wish.note) if wish.note else None
    return (
        *(
            f.InconsistencyResolved(at=now, kind=one.kind, uid=one.uid, how=wish.answer, actor=wish.actor, person=why)
            for one in about
        ),
        *(_cancellation(booking, wish, now=now) if wish.answer == "cancel" else ()),
        *(_gone(booking, wish, now=now) if wish.answer == "absent" else ()),
    )


def _fitting(about: Sequence[f.InconsistencyDetected], *, foreign: bool) -> tuple[f.ReviewAnswer, ...]:
    """Return what can be answered besides a retry; nothing while no person is asked."""
    if not about:
        return ()
    if any(one.kind == "ghost" for one in about):
        return ("keep_local", "absent")
    return ("keep_local",) if foreign else ("keep_local", "cancel")


def _what_fits(fitting: tuple[f.ReviewAnswer, ...]) -> str:
    if not fitting:
        return "does not fit: no person is asked about this yet, so that all there is to do is a retry"
    return f"does not fit: {' or '.join(fitting)} fits, and so does a retry"


def rest_cancelled(whole: Booking, part: Booking, wish: AnswerReview, *, now: datetime) -> tuple[LegEvent, ...]:
    """Return that the legs which are still to take place are cancelled, too: the answer to one that is gone."""
    partly = any(one.uid == wish.uid and is_partly_gone(one) for one in part.inconsistencies)
    if wish.answer != "cancel" or not partly:
        return ()
    return tuple(
        LegEvent(leg=leg.leg, event=event)
        for leg in whole.legs
        if leg.ended is BookingStatus.BOOKED and (leg.ends_at is None or now < leg.ends_at)
        for event in _cancellation(leg, wish, now=now)
    )


def _gone(booking: Booking, wish: AnswerReview, *, now: datetime) -> tuple[CalcomBookingCancelled, ...]:
    lines = (line for line in booking.ledger.live if line.uid is not None and line.uid == wish.uid)
    return tuple(
        CalcomBookingCancelled(at=now, attempt_id=line.attempt_id, uid=line.uid or "", how="gone") for line in lines
    )


def _cancellation(booking: Booking, wish: AnswerReview, *, now: datetime) -> tuple[CancellationRequested, ...]:
    wanted = booking.cancellation is None and booking.ended in {None, BookingStatus.BOOKED}
    asked = CancellationRequested(at=now, person=Remark(reason=wish.note), command_id=None)
    return (asked,) if wanted else ()


def _is_kept(booking: Booking, line: Line) -> bool:
    return line.uid is not None and line.uid == booking.kept_uid


def _asked_about(booking: Booking, wish: AnswerReview) -> Line | None:
    asked = booking.ledger.in_review
    exact = (line for line in asked if line.attempt_id == wish.attempt_id and line.uid == wish.uid)
    by_uid = (line for line in asked if wish.uid is not None and line.uid == wish.uid)
    return next(exact, None) or next(by_uid, None)


def _wrong(problem: str) -> CustomerValidationError:
    return CustomerValidationError((FieldError("uid", problem),))
