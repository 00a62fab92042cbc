"""
The processes of a crash test: one that does the work and may die, one that cleans up after it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from unittest import mock
from uuid import UUID, uuid4

import sqlalchemy as sa

from adapters.bootstrap import Application, application
from adapters.crash_points import crash_points
from adapters.database.engine import open_engine
from adapters.database.tables import appointments
from adapters.directory.services import ServiceWish
from adapters.settings import Settings
from adapters.telemetry import configure
from domain.booking import Booking, BookingStatus
from domain.errors import AppointmentDatabaseError
from domain.wish import BookAppointment, BookComposite, CustomerWish, LegWish
from sagas.wishes import CancelAppointment, RescheduleAppointment
from tests import day
from tests.crash.judge import WALK_IN
from tests.crash.scenarios import Scenario

START = day.after(3, hour=10)
MOVED_TO = START + timedelta(hours=2)
STAFF = "dr-ada"
SERVICE = "consultation"
QUIET_SECONDS = 20


def work(settings: Settings, scenario: Scenario, at_once: bool, said: Connection) -> None:
    """
    Book, and cancel if the scenario says so; every answer that a caller gets is sent to `said`.
    """
    if not at_once:
        # In a process of its own, which ends here.
        mock.patch("adapters.postgres.at_once.can_be_tried", return_value=False).start()
    configure(form="console", level=settings.log_level)
    asyncio.run(_work(settings, scenario, said))
    _leave()


def recover(settings: Settings, said: Connection) -> None:
    """
    Do what the dead process left, and say when nothing is due any more.
    """
    configure(form="console", level=settings.log_level)
    asyncio.run(_recover(settings, said))
    _leave()


def _leave() -> None:
    # A forked child must not run the exit handlers of the test run.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _work(settings: Settings, scenario: Scenario, said: Connection) -> None:
    probe = WalkIn(settings).probe if scenario.walk_in else None
    # A caller who hears that the database is slow was promised nothing; a process that slept through it all says so.
    with suppress(AppointmentDatabaseError):
        async with application(settings, background=True, on_point=probe) as app:
            await _play(app, scenario, said)


async def _play(app: Application, scenario: Scenario, said: Connection) -> None:
    patience = 0.0 if scenario.cancels == "at_once" else 15.0
    if scenario.composite:
        booked = await app.orchestrator.book_composite(_row(), patience=patience)
    else:
        booked = await app.orchestrator.book(_wish(), patience=patience)
    said.send(_answer(booked.booking))
    # Whoever slept through the booking was told that it is pending, and what is pending cannot be moved.
    if scenario.moves and booked.booking.status is BookingStatus.BOOKED:
        move = RescheduleAppointment(company_id="default", booking_id=booked.booking.booking_id, starts_at=MOVED_TO)
        moved = await app.orchestrator.reschedule(move, patience=15)
        said.send((_whether_moved(moved.booking), str(moved.booking.booking_id)))
    if scenario.cancels != "no":
        wish = CancelAppointment(company_id="default", booking_id=booked.booking.booking_id, reason="changed my mind")
        cancelled = await app.orchestrator.cancel(wish, patience=15)
        said.send(_answer(cancelled.booking))


async def _recover(settings: Settings, said: Connection) -> None:
    try:
        await _until_quiet(settings, said)
    except AppointmentDatabaseError:
        said.send("no database")


async def _until_quiet(settings: Settings, said: Connection) -> None:
    async with application(settings, background=True) as app:
        deadline = asyncio.get_running_loop().time() + QUIET_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            with suppress(AppointmentDatabaseError):
                if await app.store.agenda.next_due() is None:
                    said.send("quiet")
                    return
            await asyncio.sleep(0.05)
        said.send("still due")


def _answer(booking: Booking) -> tuple[str, str]:
    return booking.status.value, str(booking.booking_id)


def _whether_moved(booking: Booking) -> str:
    return "moved" if booking.status.value == "booked" and booking.starts_at == MOVED_TO else booking.status.value


def _wish() -> BookAppointment:
    return BookAppointment(
        company_id="default",
        service_id=SERVICE,
        customer=CustomerWish(name="Ada Lovelace", phone="+491701234567"),
        starts_at=START,
        time_zone="UTC",
        source="crash",
        staff_id=STAFF,
        idempotency_key="the one",
    )


def _row() -> BookComposite:
    """
    Return a wish for two services in a row, the second of which has whom a walk-in takes.
    """
    return BookComposite(
        company_id="default",
        legs=(
            LegWish(service_id=SERVICE, starts_at=START - timedelta(hours=1)),
            LegWish(service_id=SERVICE, starts_at=START, staff_id=STAFF),
        ),
        customer=CustomerWish(name="Ada Lovelace", phone="+491701234567"),
        time_zone="UTC",
        source="crash",
        idempotency_key="the one",
    )


class WalkIn:
    """
    Somebody at the front desk, whose software knows nothing of calsaga, books the same member of staff meanwhile.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._crash = crash_points(
            crash_at=settings.crash_at, crash_signal=settings.crash_signal, trace=settings.crash_trace
        )
        self._done = False

    def probe(self, point: str) -> None:
        """
        Write the row once Cal.com has answered.
        """
        if point == "calcom.create.after" and not self._done:
            self._done = True
            insert_walk_in(self._settings.database_url)
        self._crash(point)


def insert_walk_in(database_url: str) -> None:
    """
    Write an appointment of the same member of staff at the same time.
    """
    engine = open_engine(database_url)
    with engine.begin() as connection, suppress(sa.exc.IntegrityError):
        connection.execute(
            appointments.insert().values(
                id=uuid4(),
                company_id="default",
                booking_id=uuid4(),
                idempotency_key=f"walk-in-{uuid4()}",
                service_id=SERVICE,
                customer_id=UUID(int=0),
                staff_id=STAFF,
                starts_at=START + timedelta(minutes=10),
                ends_at=START + timedelta(minutes=20),
                status="booked",
                source=WALK_IN,
                created_at=datetime.now(UTC),
                updated_at=datetime.now(UTC),
            )
        )
    engine.dispose()


async def define_service(settings: Settings, *, event_type_id: int) -> None:
    """
    Define the one service, as a company would.
    """
    async with application(settings, background=False) as app:
        wish = ServiceWish(
            company_id="default",
            service_id=SERVICE,
            name="Consultation",
            duration_minutes=30,
            calcom_event_type_id=event_type_id,
        )
        await app.directory.services.define(wish)
