"""
From a request to its booking: a new one, or the one that the same request has begun before.

The first of a key's bookings that is not over is meant; it is begun if there is none.
"""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

from domain import deciding
from domain.booking import Booking
from domain.commands import Request, RequestComposite
from domain.deciding import Repeat
from domain.errors import AppointmentDatabaseError, CustomerValidationError
from domain.idempotency import IdempotencyKey, key_for
from domain.offer import Offer
from sagas.assigning import Assigning
from sagas.callers import Callers
from sagas.engine import Engine
from sagas.ports import Customers, Hints
from sagas.run import Run
from sagas.wishes import BookingResult


class Beginning:
    """Begins bookings, each once only."""

    def __init__(
        self, *, engine: Engine, callers: Callers, assigning: Assigning, customers: Customers, hints: Hints
    ) -> None:
        self._engine = engine
        self._callers = callers
        self._assigning = assigning
        self._customers = customers
        self._hints = hints

    async def begin(self, request: Request, deadline: float, *, team: Sequence[Offer] = ()) -> BookingResult:
        """
        Return where the request's booking stands at the deadline, or sooner if it is over.

        Any offer of the `team` will do for it, if there is one.

        Raises:
            KeyReused: the idempotency key came with another payload before.
            AppointmentDatabaseError: the database is away; `booking_id` is the booking
                that may go on all the same.

        """
        generation = 0
        while True:
            result = await self._try_generation(request, generation, deadline, team=team)
            if result is not None:
                return result
            generation = await self._next_generation(request, generation)

    async def answer_old(self, request: Request, error: CustomerValidationError, deadline: float) -> BookingResult:
        """
        Answer a repeat of a wish that would not be taken any more: its caller must hear what became of it.

        Raises:
            CustomerValidationError: it is no repeat.

        """
        booking = await self._newest(request)
        if booking.initiated is None or deciding.judge_repeat(booking, request) is not Repeat.SAME:
            raise error
        reached = await self._callers.outcome(booking, deadline)
        return BookingResult(booking=reached, replayed=True)

    async def _newest(self, request: Request) -> Booking:
        """Return the booking of the newest generation of the request's key; version 0 if there is none to repeat."""
        first = await self._engine.load(key_for(request).booking_id)
        if first.initiated is None or deciding.judge_repeat(first, request) is not Repeat.NEXT_GENERATION:
            return first
        return await self._engine.load(key_for(request, generation=await self._next_generation(request, 0)).booking_id)

    async def _next_generation(self, request: Request, spent: int) -> int:
        """
        Return the newest generation of a derived key that there is, or the next one if that is spent.

        A generation begins only when the one before is spent, so they are searched by
        doubling steps instead of one by one.
        """
        newest, step = spent, 1
        while step:
            ahead = await self._engine.load(key_for(request, generation=newest + step).booking_id)
            if ahead.initiated is None:
                step //= 2
            else:
                newest, step = newest + step, step * 2
        return newest + 1 if newest == spent else newest

    async def _try_generation(
        self, request: Request, generation: int, deadline: float, *, team: Sequence[Offer]
    ) -> BookingResult | None:
        key = key_for(request, generation=generation)
        known = await self._begun(key.booking_id)
        if known is not None:
            return await self._answer_repeat(known, request, deadline)
        company_id, phone = request.service.company_id, request.person.phone
        customer_id = None if phone is None else self._customers.recall(company_id=company_id, phone=phone)
        try:
            run = await self._opened(request, key, customer_id, team)
            booking = await self._callers.drive(run, deadline)
        finally:
            self._assigning.forget(key.booking_id)
        if run.saved.version:
            # The wish became durable here, even if somebody else has written to its stream since.
            self._hints.judged(booking, repeated=False)
            if phone is not None and customer_id is None:
                customer_id = run.saved.facts.customer_id
                self._customers.remember(company_id=company_id, phone=phone, customer_id=customer_id)
            return BookingResult(booking=booking)
        return await self._answer_repeat(await self._engine.load(key.booking_id), request, deadline)

    async def _opened(
        self, request: Request, key: IdempotencyKey, customer_id: UUID | None, team: Sequence[Offer]
    ) -> Run:
        if isinstance(request, RequestComposite):
            return self._assigning.begin_composite(request, key=key, customer_id=customer_id)
        return await self._assigning.begin(request, key=key, team=team, customer_id=customer_id)

    async def _begun(self, booking_id: UUID) -> Booking | None:
        """
        Return the booking if a hint says that it is there, and the log does, too.

        A repeat then costs one read instead of an append that loses. A hint that was wrong
        has cost one read, and the request goes its way as if there had been none.
        """
        if not await self._hints.seen(booking_id):
            return None
        try:
            booking = await self._engine.load(booking_id)
        except AppointmentDatabaseError as error:
            error.booking_id = booking_id
            raise
        return None if booking.initiated is None else booking

    async def _answer_repeat(self, booking: Booking, request: Request, deadline: float) -> BookingResult | None:
        """Answer a request whose booking is in the log already, or return None if it is to begin the next one."""
        self._hints.judged(booking, repeated=True)
        match deciding.judge_repeat(booking, request):
            case Repeat.NEXT_GENERATION:
                return None
            case Repeat.NEAR_DUPLICATE:
                return BookingResult(booking=booking, replayed=True, near_duplicate=True)
            case Repeat.SAME:
                reached = await self._callers.outcome(booking, deadline)
                return BookingResult(booking=reached, replayed=True)
            case repeat:
                assert_never(repeat)
