"""The door: where customers come in with their requests, some of them more than once."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from adapters.demo.circumstances import PATIENCE_SECONDS
from adapters.demo.day import Request
from adapters.demo.judging import Answer
from domain.errors import AppointmentDatabaseError
from sagas.orchestrator import Orchestrator
from sagas.wishes import BookingResult, CancelAppointment

AGAIN_AFTER_SECONDS = 0.25
HANGS_UP_AFTER_SECONDS = 1.0


class Door:
    """Hands requests to the orchestrator when they arrive, and every answer to `answered`."""

    def __init__(self, orchestrator: Orchestrator, *, answered: Callable[[Answer], None]) -> None:
        self._orchestrator = orchestrator
        self._answered = answered

    async def open(self, requests: Iterable[Request]) -> None:
        """Let all requests in, and return when everybody has an answer."""
        async with asyncio.TaskGroup() as customers:
            for request in requests:
                for time in range(request.times):
                    customers.create_task(self._let_in(request, again=time))

    async def _let_in(self, request: Request, *, again: int) -> None:
        await asyncio.sleep(request.after + again * AGAIN_AFTER_SECONDS)
        patience = HANGS_UP_AFTER_SECONDS if request.hangs_up else PATIENCE_SECONDS
        self._answer(request, await self._book(request, patience))
        if request.hangs_up:
            await self._hang_up(request)

    async def _book(self, request: Request, patience: float) -> BookingResult:
        while True:
            try:
                return await self._orchestrator.book(request.wish, patience=patience)
            except AppointmentDatabaseError as error:
                # Whoever gets no answer sends the same request again, with the same key.
                if not error.retryable:
                    raise
                await asyncio.sleep(AGAIN_AFTER_SECONDS)

    async def _hang_up(self, request: Request) -> None:
        result = await self._book(replace(request, times=1), patience=0.0)
        wish = CancelAppointment(
            company_id=request.wish.company_id, booking_id=result.booking.booking_id, reason="changed my mind"
        )
        await self._orchestrator.cancel(wish, patience=0.0)

    def _answer(self, request: Request, result: BookingResult) -> None:
        booking = result.booking
        answer = Answer(
            number=request.number,
            booking_id=booking.booking_id,
            status=booking.status.value,
            replayed=result.replayed,
        )
        self._answered(answer)
