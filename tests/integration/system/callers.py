"""
What processes beside the test's own do.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection

import time_machine

from adapters.bootstrap import Application
from adapters.telemetry import configure
from domain.booking import Booking
from domain.errors import AppointmentDatabaseError
from domain.wish import BookAppointment
from tests.integration.system.installation import PATIENT, Installation, quiet
from tests.integration.system.processes import heard

AT_ONCE = 8
POLLS = 20
Answer = tuple[str | None, str, str]
"""The key of a wish, the booking's id, and the status that its caller was told."""


async def all_at_once(said: Connection, here: Installation, wishes: Sequence[BookAppointment]) -> None:
    """
    Say "ready", and once told to, book everything at the same moment and say all answers.
    """
    async with here.opened() as app:
        said.send("ready")
        await heard(said)
        said.send(await asyncio.gather(*(_booked(app, wish) for wish in wishes)))
        # Nobody leaves before all have their answers, as in a service that goes on running.
        await heard(said)


async def one_after_another(said: Connection, here: Installation, wishes: Sequence[BookAppointment]) -> None:
    """
    Book everything, some at a time, each until it is acknowledged, and say each answer when it comes.
    """
    async with here.opened(background=False) as app:
        gate = asyncio.Semaphore(AT_ONCE)

        async def insist(wish: BookAppointment) -> None:
            async with gate:
                while True:
                    try:
                        said.send(await _booked(app, wish, patience=1))
                    except AppointmentDatabaseError:
                        await asyncio.sleep(0.05)
                    else:
                        return

        await asyncio.gather(*(insist(wish) for wish in wishes))


async def book(said: Connection, here: Installation, wish: BookAppointment, pause_at: str) -> None:
    """
    Book once; at a crash point say so, and go on when told to. The event loop stands still meanwhile.
    """
    paused: list[str] = []

    def pause(point: str) -> None:
        if point == pause_at and not paused:
            paused.append(point)
            said.send(point)
            said.recv()

    async with here.opened(on_point=pause) as app:
        said.send(await _booked(app, wish))


async def work(said: Connection, here: Installation) -> None:
    """
    Do what is due until SIGTERM.
    """
    configure(form="console", level="error")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with here.opened():
        said.send("ready")
        await stop.wait()


async def poll(said: Connection, here: Installation, ahead: timedelta) -> None:
    """
    Ask for due work a number of times on a wall clock that is wrong by `ahead`, and say how much it got.
    """
    async with here.opened(background=False) as app:
        with time_machine.travel(datetime.now(UTC) + ahead, tick=True):
            said.send(sum([await app.worker.run_due() for _ in range(POLLS)]))


async def book_on_a_jumping_clock(
    said: Connection, here: Installation, wish: BookAppointment, ahead: timedelta
) -> None:
    """
    Book; the wall clock jumps by `ahead` just before Cal.com is asked.
    """
    clock = time_machine.travel(datetime.now(UTC) + ahead, tick=True)
    jumped: list[str] = []

    def jump(point: str) -> None:
        if point == "calcom.create.before" and not jumped:
            jumped.append(point)
            clock.start()

    async with here.opened(on_point=jump) as app:
        said.send(await _booked(app, wish))
        await quiet(app)
        said.send(abs((datetime.now(UTC) - app.store.clock.now()).total_seconds()))
    clock.stop()


async def first_start(said: Connection, here: Installation, event_type: int, wish: BookAppointment) -> None:
    """
    Say "ready", and once told to, open the application for the first time, define the service, and book.
    """
    said.send("ready")
    await heard(said)
    await here.define(event_type)
    async with here.opened() as app:
        said.send(await _booked(app, wish))
        await heard(said)


async def _booked(app: Application, wish: BookAppointment, *, patience: float = PATIENT) -> Answer:
    booking = (await app.orchestrator.book(wish, patience=patience)).booking
    return answer_to(wish, booking)


def answer_to(wish: BookAppointment, booking: Booking) -> Answer:
    return wish.idempotency_key, str(booking.booking_id), booking.status.value
