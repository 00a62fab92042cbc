"""
One calsaga: its settings, its services, what its users wish, and whether all is well with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from adapters.bootstrap import Application, application
from adapters.directory.services import ServiceWish
from adapters.log.store import Store
from adapters.settings import Settings
from domain.booking import Booking
from domain.composite import LegEvent, SagaEvent
from domain.errors import AppointmentDatabaseError
from domain.wish import BookAppointment, CustomerWish
from sagas.appending import booking_events
from sagas.wishes import CancelAppointment
from tests import day
from tests.crash.judge import faults_of
from tests.crash.timing import short_settings
from tests.integration.system.account import Account

START = day.after(3, hour=10)
HALF_HOUR = timedelta(minutes=30)
PATIENT = 60.0
"""How long a caller waits who wants to know the end, however slow the machine is."""


def quick(database_url: str, account: Account, **more: object) -> Settings:
    """
    Return settings under which everything is over within seconds, and a busy machine still gets its answers in time.
    """
    roomy = {
        "calcom_send_seconds": 2,
        "calcom_attempt_seconds": 2,
        "calcom_total_seconds": 6,
        "calcom_horizon_seconds": 5,
        "lease_seconds": 5,
        "reconcile_calls_per_minute": 60_000,
        "calcom_api_key": account.key,
    }
    return short_settings(database_url=database_url, calcom_url=account.url, **{**roomy, **more})


def a_wish(number: int = 0, *, key: str | None = "the one", **more: object) -> BookAppointment:
    """
    Return the wish of one customer for one half hour; every number is another customer and another time.
    """
    given: dict[str, Any] = {
        "company_id": "default",
        "service_id": "consultation",
        "customer": CustomerWish(name=f"Customer {number}", phone=f"+49170{1_000_000 + number}"),
        "starts_at": START + number * HALF_HOUR,
        "time_zone": "UTC",
        "source": "test",
        "idempotency_key": key if number == 0 or key is None else f"{key} {number}",
        **more,
    }
    return BookAppointment(**given)


def a_cancellation(booking_id: UUID, *, key: str | None = None) -> CancelAppointment:
    return CancelAppointment(company_id="default", booking_id=booking_id, reason="ill", idempotency_key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """
    Settings that can be opened as often as one likes, in any process.
    """

    settings: Settings

    async def define(
        self,
        event_type: int,
        *,
        service_id: str = "consultation",
        staff_id: str | None = None,
        name: str | None = None,
        staff_group: str | None = None,
        time_zone: str | None = None,
    ) -> None:
        """
        Define a service, as the company would.
        """
        wish = ServiceWish(
            company_id="default",
            service_id=service_id,
            name=name or service_id.title(),
            duration_minutes=30,
            calcom_event_type_id=event_type,
            staff_id=staff_id,
            staff_group=staff_group,
            time_zone=time_zone,
        )
        async with self.opened(background=False) as app:
            await app.directory.services.define(wish)

    @asynccontextmanager
    async def opened(
        self, *, background: bool = True, on_point: Callable[[str], None] | None = None
    ) -> AsyncIterator[Application]:
        async with application(self.settings, background=background, on_point=on_point) as app:
            yield app

    async def recovers(self, *, within: float = 60) -> None:
        """
        Do whatever is due, in an application of its own, until nothing is.
        """
        async with self.opened() as app:
            await quiet(app, within=within)

    async def is_quiet(self, *, within: float = 60) -> None:
        """
        Return once nothing is due any more, leaving all work to others.
        """
        async with self.opened(background=False) as app:
            await quiet(app, within=within)

    async def faults(self, ledger: Iterable[Mapping[str, Any]]) -> list[str]:
        """
        Return every way in which the two places differ.
        """
        async with self.opened(background=False) as app:
            return await faults_of(app.store, ledger)


async def quiet(app: Application, *, within: float = 60) -> None:
    """
    Return once nothing is due any more.
    """

    async def nothing_due() -> bool:
        with suppress(AppointmentDatabaseError):
            return await app.store.agenda.next_due() is None
        return False

    await eventually(nothing_due, "nothing is due", within=within)


async def eventually(
    condition: Callable[[], Awaitable[bool]] | Sequence[object], what: str, *, within: float = 60
) -> None:
    """
    Return once a condition holds, or a list is not empty; the deadline is for what never comes, not for what is slow.
    """
    deadline = time.monotonic() + within
    while not (await condition() if callable(condition) else condition):
        assert time.monotonic() < deadline, f"it never came to pass: {what}"
        await asyncio.sleep(0.02)


async def reaches(app: Application, booking_id: UUID, status: str, *, within: float = 60) -> Booking:
    """
    Return the booking once it has a status.
    """

    async def there() -> bool:
        return (await app.engine.load(booking_id)).status.value == status

    await eventually(there, f"{booking_id} is {status}", within=within)
    return await app.engine.load(booking_id)


async def story(store: Store, booking_id: UUID) -> list[SagaEvent]:
    """
    Return what happened to a booking.
    """
    return list(booking_events(await store.log.read(booking_id)))


def named(story: Iterable[SagaEvent]) -> list[str]:
    """
    Return what happened by name.
    """
    return [
        f"{event.leg} {type(event.event).__name__}" if isinstance(event, LegEvent) else type(event).__name__
        for event in story
    ]
