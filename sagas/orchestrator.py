"""
The front door: book, cancel, get.

A request that starts a saga drives it itself; the happy path is never queued. A caller
who goes away, or whose patience ends, cancels nothing.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import assert_never
from uuid import UUID

from domain import deciding
from domain.booking import Booking, BookingStatus
from domain.commands import RequestBooking, RequestCancellation
from domain.deciding import Repeat
from domain.errors import (
    AppointmentCreationError,
    AppointmentDatabaseError,
    AppointmentError,
    CustomerValidationError,
    FieldError,
    UnknownBooking,
)
from domain.idempotency import key_for
from domain.policy import Policy
from domain.service import Service
from domain.validation import cancellation_problem, validate
from domain.wish import BookAppointment
from sagas.engine import Engine
from sagas.ports import Clock, Services
from sagas.run import Run

log = logging.getLogger("calsaga.orchestrator")
PATIENCE_SECONDS = 10.0
DURABLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingResult:
    """
    Where the booking stands when the caller is answered.

    `replayed` says that the key was seen before. `near_duplicate` says that this is
    another, older booking which the new wish is too close to.
    """

    booking: Booking
    replayed: bool = False
    near_duplicate: bool = False

    def raise_for_failure(self) -> Booking:
        """
        Return the booking unless it failed.

        Raises:
            AppointmentCreationError: with the reason why there is no appointment.

        """
        failure = self.booking.failure
        if self.booking.status is BookingStatus.FAILED and failure is not None:
            raise AppointmentCreationError(
                failure.detail or failure.reason,
                reason=failure.reason,
                booking_id=self.booking.booking_id,
                correlation_id=self.booking.facts.correlation_id,
            )
        return self.booking


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAppointment:
    """
    Cancel a booking of the company; `idempotency_key` names the command, so that a repeat is none.

    An error carries `correlation_id`, or a new one if none is given.
    """

    company_id: str
    booking_id: UUID
    reason: str
    idempotency_key: str | None = None
    correlation_id: str = ""


class Orchestrator:
    """Turns wishes into sagas, and answers with what has become of them."""

    def __init__(self, *, engine: Engine, services: Services, clock: Clock, policy: Policy) -> None:
        self._engine = engine
        self._services = services
        self._clock = clock
        self._policy = policy
        self._driving: set[asyncio.Task[None]] = set()

    async def book(self, wish: BookAppointment, *, patience: float = PATIENCE_SECONDS) -> BookingResult:
        """
        Book an appointment in both places, and wait up to `patience` seconds for the outcome.

        Raises:
            CustomerValidationError: fields are wrong; nothing was stored.
            UnknownService: the company has no such service; nothing was stored.
            KeyReused: the idempotency key came with another payload before.
            AppointmentDatabaseError: the database is away; `booking_id` is the booking
                that may go on all the same, and the same wish asks for it again.

        """
        with self._correlated(wish.correlation_id) as correlation_id:
            return await self._book(replace(wish, correlation_id=correlation_id), patience=patience)

    async def _book(self, wish: BookAppointment, *, patience: float) -> BookingResult:
        service = await self._services.find(company_id=wish.company_id, service_id=wish.service_id)
        deadline = asyncio.get_running_loop().time() + patience
        try:
            request = validate(wish, service, now=self._clock.now())
        except CustomerValidationError as error:
            return await self._answer_old_wish(wish, service, error, deadline)
        generation = 0
        while True:
            result = await self._try_generation(request, generation, deadline)
            if result is not None:
                return result
            generation = await self._next_generation(request, generation)

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
        deadline = asyncio.get_running_loop().time() + patience
        command = RequestCancellation(reason=wish.reason, command_id=wish.idempotency_key)
        while True:
            booking = await self._get(wish.booking_id, company_id=wish.company_id)
            requested = deciding.cancel(booking, command, now=self._clock.now())
            if not requested:
                left = self._left(deadline)
                return BookingResult(booking=await self._engine.waiting.outcome(booking, seconds=left), replayed=True)
            run = self._engine.begin(booking)
            run.decide(*requested)
            reached = await self._drive(run, deadline)
            if reached.cancellation is not None:
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

    async def drain(self, *, within: timedelta) -> None:
        """Wait for the sagas that callers have started here, at most this long; then leave them to others."""
        if self._driving:
            _, late = await asyncio.wait(self._driving, timeout=within.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _answer_old_wish(
        self, wish: BookAppointment, service: Service, error: CustomerValidationError, deadline: float
    ) -> BookingResult:
        """Answer a repeat that came after the start had passed: its caller must hear what became of it."""
        if any(one.field != "starts_at" for one in error.errors):
            raise error
        request = validate(wish, service, now=None)
        booking = await self._newest(request)
        if booking.initiated is None or deciding.judge_repeat(booking, request) is not Repeat.SAME:
            raise error
        reached = await self._engine.waiting.outcome(booking, seconds=self._left(deadline))
        return BookingResult(booking=reached, replayed=True)

    async def _newest(self, request: RequestBooking) -> Booking:
        """Return the booking of the newest generation of the request's key; version 0 if there is none to repeat."""
        first = await self._engine.load(key_for(request).booking_id)
        if first.initiated is None or deciding.judge_repeat(first, request) is not Repeat.NEXT_GENERATION:
            return first
        return await self._engine.load(key_for(request, generation=await self._next_generation(request, 0)).booking_id)

    async def _next_generation(self, request: RequestBooking, spent: int) -> int:
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

    async def _try_generation(self, request: RequestBooking, generation: int, deadline: float) -> BookingResult | None:
        key = key_for(request, generation=generation)
        initiated = deciding.initiate(request, key=key, now=self._clock.now(), policy=self._policy)
        run = self._engine.open(key.booking_id, initiated)
        booking = await self._drive(run, deadline)
        if run.saved.version:
            # The wish became durable here, even if somebody else has written to its stream since.
            return BookingResult(booking=booking)
        booking = await self._engine.load(key.booking_id)
        match deciding.judge_repeat(booking, request):
            case Repeat.NEXT_GENERATION:
                return None
            case Repeat.NEAR_DUPLICATE:
                return BookingResult(booking=booking, replayed=True, near_duplicate=True)
            case Repeat.SAME:
                reached = await self._engine.waiting.outcome(booking, seconds=self._left(deadline))
                return BookingResult(booking=reached, replayed=True)
            case repeat:
                assert_never(repeat)

    async def _drive(self, run: Run, deadline: float) -> Booking:
        """Drive a run in a task of its own, and return where it got to in the caller's time."""
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        run.on_heard = lambda: None if heard.done() else heard.set_result(None)
        task = asyncio.create_task(self._engine.drive(run))
        self._driving.add(task)
        task.add_done_callback(self._driving.discard)
        try:
            if self._left(deadline) < DURABLE_SECONDS:
                # However short the caller's patience, no answer before the wish is durable.
                await asyncio.wait({task, heard}, timeout=DURABLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({task}, timeout=self._left(deadline))
        finally:
            if not task.done():
                # The caller leaves: nobody else will ask how it ended.
                task.add_done_callback(partial(_log_failure, run.state.booking_id))
        if task.done():
            await _finish(task, run)
        elif not heard.done():
            raise _slow(run)
        if run.lost and not heard.done():
            return run.saved
        return await self._engine.waiting.outcome(run.saved, seconds=self._left(deadline))

    @contextmanager
    def _correlated(self, given: str) -> Iterator[str]:
        """Have every error that leaves carry the caller's correlation id, or a new one if none was given."""
        correlation_id = given or self._engine.new_correlation_id()
        try:
            yield correlation_id
        except AppointmentError as error:
            error.correlated(correlation_id)
            raise

    @staticmethod
    def _left(deadline: float) -> float:
        return max(deadline - asyncio.get_running_loop().time(), 0.0)


def _log_failure(booking_id: UUID, task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, AppointmentDatabaseError):
        log.warning("orchestrator.saga.left", extra={"saga_id": str(booking_id), **error.as_log()})
    elif error is not None:
        log.error("orchestrator.saga.crashed", extra={"saga_id": str(booking_id)}, exc_info=error)


async def _finish(task: asyncio.Task[None], run: Run) -> None:
    try:
        await task
    except AppointmentDatabaseError as error:
        error.booking_id = run.state.booking_id
        raise


def _slow(run: Run) -> AppointmentDatabaseError:
    return AppointmentDatabaseError(
        "The database is slow to answer; the booking may go on.", kind="timeout", booking_id=run.state.booking_id
    )
