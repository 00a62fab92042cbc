"""
One saga in the hands of one process: its state, and what waits to be appended.

Decisions pile up until something has to be done in the world, or there is nothing to
do; only then are they written, together. That is why an undisturbed booking costs two
commits: one before Cal.com is asked, one after it has answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from uuid import UUID

from domain.booking import ENDED, Booking, BookingStatus
from domain.composite import CompositeInitiated, LegEvent, SagaEvent
from domain.events import AppointmentBooked, AppointmentPersistenceFailed, BookingEvent, BookingFailed, BookingInitiated
from domain.evolving import fold
from domain.moving import BookingRescheduled, RescheduleFailed, RescheduleRequested
from sagas.appending import (
    Append,
    Appended,
    CancelAppointment,
    Customer,
    Due,
    DueAfter,
    InsertAppointment,
    Instead,
    LegRows,
    MoveAppointment,
    NothingDue,
    Refusal,
    SlotClaim,
    only_booking_events,
)
from sagas.rows import appointment_of, claim_of, claim_of_move, customer_of, move_of

Outcome = Callable[[Booking], Sequence[BookingEvent]]
Rerecord = Callable[[Booking], Sequence[SagaEvent]]


@dataclass(slots=True, kw_only=True)
class Run:
    """
    A booking as the log has it (`saved`), and as it will be once the pending events are written (`state`).

    `rerecord` computes the events of the last outcome anew for another state: an
    outcome must reach the log even when somebody else has written in between. `due` is
    what the log says is due, if this run has written it. `refused` and `lost` tell what
    became of the last append, and `on_heard` is called once one is durable, which `heard` tells. `others` is
    how the booking may begin instead, in this order, while its staff turns out to be taken. `in_turn` is a turn to
    go on to Cal.com that was waited for already.
    """

    saved: Booking
    state: Booking
    token: UUID
    correlation_id: str
    pending: list[SagaEvent] = field(default_factory=list)
    others: Sequence[BookingInitiated] = ()
    claim: SlotClaim | None = None
    customer: Customer | None = None
    appointment: InsertAppointment | MoveAppointment | CancelAppointment | None = None
    legs: tuple[LegRows, ...] = ()
    rerecord: Rerecord | None = None
    due: Due | None = None
    refused: bool = False
    lost: bool = False
    heard: bool = False
    in_turn: bool = False
    on_heard: Callable[[], object] | None = None

    def decide(self, *events: SagaEvent) -> None:
        """Add events that follow from what is known."""
        self.pending.extend(events)
        self.state = fold(self.state, events)

    def initiate(self, initiated: BookingInitiated, *, customer_found: bool = False) -> None:
        """Begin the booking: its key and its slot are claimed with the first append, which looks for the customer."""
        self.claim = claim_of(initiated)
        self.customer = customer_of(initiated, found=customer_found)
        self.decide(initiated)

    def _begin_anew(self, initiated: BookingInitiated, *, customer_found: bool) -> None:
        # Nothing was written: what was decided before is decided again, for another beginning.
        self._forget(self.saved)
        self.refused = True
        self.initiate(initiated, customer_found=customer_found)

    def initiate_legs(self, initiated: Sequence[SagaEvent], *, customer_found: bool = False) -> None:
        """Begin a composite: its key and the slots of all its legs are claimed with the first append."""
        for event in initiated:
            if isinstance(event, LegEvent) and isinstance(event.event, BookingInitiated):
                self.beside(LegRows(leg=event.leg, claim=claim_of(event.event, leg=event.leg)))
                self.customer = customer_of(event.event, found=customer_found)
        self.decide(*initiated)

    def beside(self, rows: LegRows) -> None:
        """Add the rows of a leg, which the database may refuse with those of all others; the last ones count."""
        self.legs = (*(one for one in self.legs if one.leg != rows.leg), rows)

    def takes_turn(self) -> bool:
        """Use up the turn that was waited for already, and tell whether there was one."""
        had, self.in_turn = self.in_turn, False
        return had

    def recorded(self, outcome: Outcome) -> Rerecord:
        """Return how an outcome is recorded."""
        return outcome

    def persist(self, booked: AppointmentBooked) -> None:
        """Add the pivot, which the database may refuse."""
        self.appointment = appointment_of(self.state, booked)
        self.decide(booked)

    def reschedule(self, requested: RescheduleRequested) -> None:
        """Begin a move: the new time is claimed with the first append."""
        self.claim = claim_of_move(self.state.facts, requested)
        self.decide(requested)

    def shift(self, rescheduled: BookingRescheduled, *flags: BookingEvent) -> None:
        """Add the end of a move, which the database may refuse."""
        self.appointment = move_of(self.state, rescheduled)
        self.decide(rescheduled, *flags)

    def withdraw(self, *events: BookingEvent) -> None:
        """Add the end of a cancellation, and free the appointment's slot with it."""
        if self.state.appointment_id is not None:
            self.appointment = CancelAppointment(appointment_id=self.state.appointment_id)
        self.decide(*events)

    def of_customer(self, customer_id: UUID) -> "Run":
        """Return this run for a person who has been a customer under this id before."""
        pending = [_of_customer(event, customer_id) for event in self.pending]
        return replace(
            self,
            pending=pending,
            state=fold(self.saved, pending),
            claim=self.claim and replace(self.claim, customer_id=customer_id),
            customer=self.customer and replace(self.customer, customer_id=customer_id),
            legs=tuple(
                replace(one, claim=one.claim and replace(one.claim, customer_id=customer_id)) for one in self.legs
            ),
        )

    def append(self, *, append_id: str, now: datetime, due: Due, if_refused: Due) -> Append:
        """Return everything that waits as one append; `if_refused` is what is due when the appointment is refused."""
        return Append(
            stream_id=self.state.booking_id,
            expected_version=self.saved.version,
            append_id=append_id,
            correlation_id=self.correlation_id,
            recorded_at=now,
            events=tuple(self.pending),
            due=due,
            claim=None if self.state.ended in ENDED else self.claim,
            releases_claim=self.claim is None and self._ends_now,
            customer=self.customer,
            appointment=self.appointment,
            on_refused=self._on_refused(now, if_refused),
            legs=tuple(self._leg_rows(rows, now, if_refused) for rows in self.legs),
            for_customer=self._for_customer(append_id=append_id, now=now, due=due, if_refused=if_refused),
        )

    def written(self, appended: Appended, *, due: Due) -> None:
        """Take over what the log now holds."""
        self.refused = appended.refusal is not None
        if self._may_begin_otherwise and not appended.events:
            following, *self.others = self.others
            self._begin_anew(following, customer_found=self.customer is not None and self.customer.found)
            return
        as_decided = appended.events == tuple(self.pending)
        self.saved = self.state if as_decided else fold(self.saved, only_booking_events(appended.events))
        # A refused claim ends a new booking; a refused appointment leaves it leased.
        ended = self.refused and self.saved.ended is BookingStatus.FAILED
        self.due = NothingDue() if ended else None if self.refused else due
        self.rerecord = None
        self._forget(self.saved)
        self.heard = True
        if self.on_heard is not None:
            self.on_heard()

    def reloaded(self, saved: Booking) -> None:
        """Start again from what somebody else has written, keeping only the outcome that the log does not know yet."""
        self.saved = saved
        self._forget(saved)
        if self.rerecord is not None:
            self.decide(*self.rerecord(saved))

    @property
    def _ends_now(self) -> bool:
        return self.state.ended in ENDED and self.state.ended is not self.saved.ended

    @property
    def _may_begin_otherwise(self) -> bool:
        return bool(self.others) and not self.saved.version

    def _for_customer(
        self, *, append_id: str, now: datetime, due: Due, if_refused: Due
    ) -> Callable[[UUID], Append] | None:
        if self.customer is None or self.customer.found:
            return None
        # The writer's thread asks, rarely, and this run may have gone on by then.
        as_it_is = partial(
            replace,
            self,
            saved=self.saved,
            state=self.state,
            pending=list(self.pending),
            others=self.others,
            claim=self.claim,
            customer=self.customer,
            appointment=self.appointment,
            legs=self.legs,
        )
        return lambda customer_id: (
            as_it_is().of_customer(customer_id).append(append_id=append_id, now=now, due=due, if_refused=if_refused)
        )

    def _forget(self, state: Booking) -> None:
        self.state = state
        self.pending = []
        self.claim = self.customer = self.appointment = None
        self.legs = ()

    def _on_refused(self, now: datetime, due: Due) -> Callable[[Refusal], Instead] | None:
        events = tuple(self.pending)
        may_begin_otherwise = self._may_begin_otherwise

        def on_refused(refusal: Refusal) -> Instead:
            first = events[0]
            if may_begin_otherwise and refusal.by == "staff_overlap":
                return Instead(events=(), due=NothingDue())
            if refusal.refused == "claim" and isinstance(first, RescheduleRequested):
                # What else is due for the booking is looked up again.
                return Instead(events=(first, _move_refused(refusal, now)), due=DueAfter(delay=timedelta(0)))
            if refusal.refused == "claim":
                return Instead(events=(first, _refused_at_once(refusal, now)), due=NothingDue())
            before = tuple(takewhile(_is_no_row, events))
            return Instead(events=(*before, _not_persisted(refusal, now)), due=due)

        return None if self.claim is None and self.appointment is None else on_refused

    def _leg_rows(self, rows: LegRows, now: datetime, due: Due) -> LegRows:
        events, booking_id, legs = tuple(self.pending), self.state.booking_id, len(self.state.legs)

        def on_refused(refusal: Refusal) -> Instead:
            if refusal.refused == "claim":
                stated = tuple(takewhile(_is_stated, events))
                over = _refused_at_once(refusal, now)
                ends = tuple(LegEvent(leg=leg, event=over) for leg in range(1, legs + 1))
                return Instead(events=(*stated, *ends), due=NothingDue())
            before = tuple(takewhile(_is_no_row, events))
            failed = _not_persisted(refusal, now, but=booking_id)
            return Instead(events=(*before, LegEvent(leg=rows.leg, event=failed)), due=due)

        return replace(rows, claim=None if self.state.ended in ENDED else rows.claim, on_refused=on_refused)


def _of_customer(event: SagaEvent, customer_id: UUID) -> SagaEvent:
    match event:
        case BookingInitiated() | CompositeInitiated():
            return replace(event, customer_id=customer_id)
        case LegEvent(event=BookingInitiated() as of_leg):
            return replace(event, event=replace(of_leg, customer_id=customer_id))
        case _:
            return event


def _is_stated(event: SagaEvent) -> bool:
    happened = event.event if isinstance(event, LegEvent) else event
    return isinstance(happened, BookingInitiated | CompositeInitiated)


def _is_no_row(event: SagaEvent) -> bool:
    # What is decided after the row's event is decided because of it.
    happened = event.event if isinstance(event, LegEvent) else event
    return not isinstance(happened, AppointmentBooked | BookingRescheduled)


def _move_refused(refusal: Refusal, now: datetime) -> RescheduleFailed:
    failed = _refused_at_once(refusal, now)
    return RescheduleFailed(
        at=now,
        reason=failed.reason,
        detail=failed.detail,
        conflicting_booking_id=failed.conflicting_booking_id,
    )


def _refused_at_once(refusal: Refusal, now: datetime) -> BookingFailed:
    known = refusal.booking_id
    if refusal.by == "near_duplicate":
        detail = "the customer already has a booking of this service within 5 minutes of this start"
        return BookingFailed(at=now, reason="near_duplicate", detail=detail, conflicting_booking_id=known)
    detail = "the member of staff is already booked at that time"
    return BookingFailed(at=now, reason="slot_taken", detail=detail, conflicting_booking_id=known)


def _not_persisted(refusal: Refusal, now: datetime, *, but: UUID | None = None) -> AppointmentPersistenceFailed:
    # A leg that is in another one's way is written with it, or not at all: there is no row to look at.
    looked_at = refusal.by == "staff_overlap" and (but is None or refusal.booking_id != but)
    obstacle_id = refusal.appointment_id if looked_at else None
    return AppointmentPersistenceFailed(at=now, reason=refusal.by, obstacle_id=obstacle_id)
