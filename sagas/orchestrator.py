"""
The front door: book, cancel, get.

A request that starts a saga drives it itself; the happy path is never queued. A caller
who goes away, or whose patience ends, cancels nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

from domain import deciding
from domain.booking import Booking
from domain.commands import Request, RequestCancellation, RequestReschedule
from domain.composing import cancel_legs
from domain.composite import MOST_LEGS
from domain.confidence import DEFAULT_RULE, VoiceRule
from domain.errors import (
    AppointmentError,
    CannotBeMoved,
    CustomerValidationError,
    FieldError,
    UnknownBooking,
    UnknownService,
)
from domain.offer import Offer
from domain.validating_legs import validate_composite
from domain.validation import cancellation_problem, validate, validate_move
from domain.wish import BookAppointment, BookComposite
from sagas.assigning import Assigning, find_team
from sagas.beginning import Beginning
from sagas.callers import PATIENCE_SECONDS, Callers, deadline_in, left
from sagas.engine import Engine
from sagas.ports import Clock, Customers, Hints, Services
from sagas.run import Run
from sagas.wishes import BookingResult, CancelAppointment, RescheduleAppointment


class Orchestrator:
    """Turns wishes into sagas, and answers with what has become of them."""

    def __init__(
        self,
        *,
        engine: Engine,
        assigning: Assigning,
        services: Services,
        customers: Customers,
        hints: Hints,
        clock: Clock,
        voice: VoiceRule = DEFAULT_RULE,
    ) -> None:
        self._engine = engine
        self._services = services
        self._clock = clock
        self._voice = voice
        self._callers = Callers(engine)
        self._beginning = Beginning(
            engine=engine, callers=self._callers, assigning=assigning, customers=customers, hints=hints
        )

    async def book(self, wish: BookAppointment, *, patience: float = PATIENCE_SECONDS) -> BookingResult:
        """
        Book an appointment in both places, and wait up to `patience` seconds for the outcome.

        Raises:
            CustomerValidationError: fields are wrong, or nobody of the group can be chosen; nothing was stored.
            UnknownService: the company has no such service; nothing was stored.
            KeyReused: the idempotency key came with another payload before.
            AppointmentDatabaseError: the database is away; `booking_id` is the booking
                that may go on all the same, and the same wish asks for it again.

        """
        with self._correlated(wish.correlation_id) as correlation_id:
            if wish.correlation_id != correlation_id:
                wish = replace(wish, correlation_id=correlation_id)
            return await self._book(wish, patience=patience)

    async def _book(self, wish: BookAppointment, *, patience: float) -> BookingResult:
        deadline = deadline_in(patience)
        offer = await self._services.find(company_id=wish.company_id, service_id=wish.service_id)
        try:
            team = await find_team(self._services, offer, staff_group=wish.staff_group, staff_id=wish.staff_id)
            request = validate(wish, offer, now=self._clock.now(), voice=self._voice, team=team)
        except CustomerValidationError as error:
            return await self._answer_old_wish(partial(validate, wish, offer), error, deadline)
        return await self._beginning.begin(request, deadline, team=team)

    async def book_composite(self, wish: BookComposite, *, patience: float = PATIENCE_SECONDS) -> BookingResult:
        """
        Book several services in both places, all or none, and wait up to `patience` seconds for the outcome.

        Raises:
            CustomerValidationError: fields are wrong, or a service is unknown; nothing was stored.
            KeyReused: the idempotency key came with another payload before.
            AppointmentDatabaseError: the database is away; `booking_id` is the booking
                that may go on all the same, and the same wish asks for it again.

        """
        with self._correlated(wish.correlation_id) as correlation_id:
            return await self._book_composite(replace(wish, correlation_id=correlation_id), patience=patience)

    async def _book_composite(self, wish: BookComposite, *, patience: float) -> BookingResult:
        deadline = deadline_in(patience)
        offers = [await self._offer(wish.company_id, leg.service_id) for leg in wish.legs[: MOST_LEGS + 1]]
        try:
            request = validate_composite(wish, offers, now=self._clock.now(), voice=self._voice)
        except CustomerValidationError as error:
            return await self._answer_old_wish(partial(validate_composite, wish, offers), error, deadline)
        return await self._beginning.begin(request, deadline)

    async def _answer_old_wish(
        self, read: Callable[..., Request], error: CustomerValidationError, deadline: float
    ) -> BookingResult:
        """Answer a repeat of a wish that would not be taken any more, if its form at least is right."""
        try:
            request = read(now=None)
        except CustomerValidationError:
            raise error from None
        return await self._beginning.answer_old(request, error, deadline)

    async def _offer(self, company_id: str, service_id: str) -> Offer | None:
        try:
            return await self._services.find(company_id=company_id, service_id=service_id)
        except UnknownService:
            return None

    async def cancel(self, wish: CancelAppointment, *, patience: float = PATIENCE_SECONDS) -> BookingResult:
        """
        Cancel a booking, whatever state it is in: a doubt is settled first, then it is cancelled.

        Raises:
            UnknownBooking: the company has no such booking.
            KeyReused: the idempotency key came with another reason before.
            AlreadyOver: the appointment has taken place.
            CustomerValidationError: the reason cannot be stored.
            AppointmentDatabaseError: the database is away, and the request may be stored.

        """
        with self._correlated(wish.correlation_id):
            return await self._cancel(wish, patience=patience)

    async def _cancel(self, wish: CancelAppointment, *, patience: float) -> BookingResult:
        problem = cancellation_problem(wish.reason)
        if problem is not None:
            raise CustomerValidationError((FieldError("reason", problem),))
        deadline = deadline_in(patience)
        command = RequestCancellation(reason=wish.reason, command_id=wish.idempotency_key)
        while True:
            booking = await self._get(wish.booking_id, company_id=wish.company_id)
            cancel = cancel_legs if booking.legs else deciding.cancel
            requested = cancel(booking, command, now=self._clock.now())
            if not requested:
                return BookingResult(booking=await self._callers.outcome(booking, deadline), replayed=True)
            run = self._engine.begin(booking)
            run.decide(*requested)
            reached = await self._callers.drive(run, deadline)
            # Somebody may have written first, and then the wish is in nobody's events yet.
            if run.heard:
                return BookingResult(booking=reached)

    async def reschedule(self, wish: RescheduleAppointment, *, patience: float = PATIENCE_SECONDS) -> BookingResult:
        """
        Move a booking to another time in both places; until Cal.com has moved it, it stays where it is.

        Where the move came to nothing, the booking is still booked, and the result says why as `not_moved`.

        Raises:
            UnknownBooking: the company has no such booking.
            CannotBeMoved: it is a composite.
            CustomerValidationError: the start or the reason cannot be.
            NotBooked: the booking does not stand; it may be under way.
            MadeElsewhere: somebody else made the booking at Cal.com.
            AlreadyOver: the appointment has taken place.
            KeyReused: the idempotency key came with another start before.
            AppointmentDatabaseError: the database is away, and the request may be stored.

        """
        deadline = deadline_in(patience)
        booking = await self.get(wish.booking_id, company_id=wish.company_id)
        if booking.legs:
            raise CannotBeMoved(wish.booking_id)
        offer = await self._services.find(company_id=wish.company_id, service_id=booking.facts.service.service_id)
        zone = booking.facts.time_zone
        starts_at = validate_move(wish.starts_at, wish.reason, offer, time_zone=zone, now=self._clock.now())
        command = RequestReschedule(starts_at=starts_at, reason=wish.reason, command_id=wish.idempotency_key)

        def request(run: Run) -> bool:
            requested = deciding.reschedule(run.state, command, now=self._clock.now())
            if requested is not None:
                run.reschedule(requested)
            return requested is not None

        result = await self.carry_out(wish.booking_id, request, company_id=wish.company_id, patience=left(deadline))
        return replace(result, not_moved=deciding.move_refused(result.booking, command))

    async def carry_out(
        self,
        booking_id: UUID,
        command: Callable[[Run], bool],
        *,
        company_id: str,
        patience: float = PATIENCE_SECONDS,
    ) -> BookingResult:
        """
        Have `command` decide about a booking, take the saga on from there, and wait up to `patience` seconds.

        It returns whether there was anything to decide, and is asked again if somebody
        else has written meanwhile.

        Raises:
            UnknownBooking: the company has no such booking.
            AppointmentDatabaseError: the database is away, and the decision may be stored.

        """
        deadline = deadline_in(patience)
        while True:
            booking = await self.get(booking_id, company_id=company_id)
            run = self._engine.begin(booking)
            if not command(run):
                reached = await self._callers.outcome(booking, deadline)
                return BookingResult(booking=reached, replayed=True)
            reached = await self._callers.drive(run, deadline)
            if run.heard:
                return BookingResult(booking=reached)

    async def get(self, booking_id: UUID, *, company_id: str) -> Booking:
        """
        Return a booking of the company.

        Raises:
            UnknownBooking: there is none, or it is another company's.

        """
        with self._correlated(""):
            return await self._get(booking_id, company_id=company_id)

    async def _get(self, booking_id: UUID, *, company_id: str) -> Booking:
        booking = await self._engine.load(booking_id)
        if booking.initiated is None or booking.facts.service.company_id != company_id:
            raise UnknownBooking(booking_id)
        return booking

    def end_patience(self) -> None:
        """Answer everybody with the booking as it stands: those who wait, and those who come from now on."""
        self._callers.end_patience()

    async def drain(self, *, within: timedelta) -> None:
        """Wait for the sagas that callers have started here, at most this long; then leave them to others."""
        await self._callers.drain(within=within)

    @contextmanager
    def _correlated(self, given: str) -> Iterator[str]:
        """Have every error that leaves carry the caller's correlation id, or a new one if none was given."""
        correlation_id = given or self._engine.new_correlation_id()
        try:
            yield correlation_id
        except AppointmentError as error:
            error.correlated(correlation_id)
            raise
