"""
The time that a caller has, and what goes on when it is up.

A saga that a request has begun runs in a task of its own: a caller who goes away, or
whose patience ends, cancels nothing. When the process is to stop, everybody's ends.
"""

import asyncio
import logging
from datetime import timedelta
from functools import partial
from uuid import UUID

from domain.booking import Booking
from domain.errors import AppointmentDatabaseError
from sagas.engine import Engine
from sagas.run import Run

log = logging.getLogger("calsaga.orchestrator")
PATIENCE_SECONDS = 10.0
"""How long a caller waits for the outcome who says nothing else."""
DURABLE_SECONDS = 4.0
"""How long it may take until the wish is durable: whoever speaks with a customer has to say something within five."""


class Callers:
    """Drives the sagas that callers of this process have begun."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._driving: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    async def drive(self, run: Run, deadline: float) -> Booking:
        """
        Drive a run in a task of its own, and return where it got to in the caller's time.

        Raises:
            AppointmentDatabaseError: the database is away or slow, or everybody's patience
                has ended before the wish was durable; `booking_id` is the
                booking that may go on all the same.

        """
        task = asyncio.create_task(self._engine.drive(run))
        self._driving.add(task)
        task.add_done_callback(self._driving.discard)
        try:
            await self._wait(task, run, deadline)
        finally:
            if not task.done():
                # The caller leaves: nobody else will ask how it ended.
                task.add_done_callback(partial(_log_failure, run.state.booking_id))
        if task.done():
            await _finish(task, run)
        elif not run.heard:
            raise _slow(run)
        if run.lost and not run.heard:
            return run.saved
        return await self.outcome(run.saved, deadline)

    async def _wait(self, task: asyncio.Task[None], run: Run, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        enough: asyncio.Future[None] = loop.create_future()

        def end(_: object = None) -> None:
            if not enough.done():
                enough.set_result(None)

        def end_once_durable() -> None:
            # However short the caller's patience, no answer before the wish is durable.
            if run.heard:
                end()
            run.on_heard = end

        def end_unless_durable() -> None:
            if not run.heard:
                end()

        patience = 0.0 if self._closed else left(deadline)
        durable_within = patience if patience > PATIENCE_SECONDS else DURABLE_SECONDS
        timers = loop.call_later(patience, end_once_durable), loop.call_later(durable_within, end_unless_durable)
        task.add_done_callback(end)
        self._waiting.add(enough)
        try:
            await enough
        finally:
            for timer in timers:
                timer.cancel()
            self._waiting.discard(enough)

    async def outcome(self, booking: Booking, deadline: float) -> Booking:
        """Return the booking when it is over, or as it is when the caller's time is up, whoever drives it."""
        seconds = left(deadline)
        if self._engine.rests(booking, seconds):
            # Who cannot have the outcome in time is told at once that it will come later.
            return booking
        return await self._engine.waiting.outcome(booking, seconds=seconds)

    def end_patience(self) -> None:
        """Answer everybody with the booking as it stands: those who wait, and those who come from now on."""
        self._closed = True
        for enough in self._waiting:
            if not enough.done():
                enough.set_result(None)
        self._engine.waiting.close()

    async def drain(self, *, within: timedelta) -> None:
        """Wait for the sagas that callers have started here, at most this long; then leave them to others."""
        if self._driving:
            _, late = await asyncio.wait(self._driving, timeout=within.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def deadline_in(seconds: float) -> float:
    """Return when a caller's patience ends, on the loop's clock."""
    return asyncio.get_running_loop().time() + seconds


def left(deadline: float) -> float:
    """Return how many seconds are left."""
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
        "The database has not answered yet; the booking may go on.", kind="timeout", booking_id=run.state.booking_id
    )
