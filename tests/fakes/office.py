"""
A whole calsaga in memory: one process on the fakes, in virtual time.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID

from domain.booking import Booking, BookingStatus
from domain.events import BookingEvent
from domain.policy import Policy
from domain.service import Service
from sagas.assembly import Sagas, assemble
from sagas.engine import Engine
from sagas.inbox import WebhookNews
from sagas.ports import Agenda
from tests.fakes.agenda import FakeAgenda
from tests.fakes.appointments import FakeAppointments
from tests.fakes.books import FakePace
from tests.fakes.calcom import FakeCalCom
from tests.fakes.calendar import FakeCalendar
from tests.fakes.customers import FakeCustomers
from tests.fakes.given import BOOKING_ID, SERVICE, initiated
from tests.fakes.hints import FakeHints, FakeWebhookHints
from tests.fakes.ids import FakeIds
from tests.fakes.log import FakeLog
from tests.fakes.services import FakeServices
from tests.fakes.staff import FakeDiary, FakeOffering
from tests.fakes.time import FakeClock, run_virtually

T = TypeVar("T")


class Office:
    """
    The fakes and, on top of them, the real engine, front door and worker.
    """

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        at_once: int = 8,
        service: Service = SERVICE,
        others: Sequence[Service] = (),
    ) -> None:
        self.policy = policy or Policy()
        self.clock = FakeClock()
        self.ids = FakeIds(1)
        self.agenda = FakeAgenda(self.clock, FakeIds(2))
        self.log = FakeLog(self.agenda)
        self.calcom = FakeCalCom(self.clock)
        self.calendar = FakeCalendar(self.calcom)
        self.hints = FakeHints()
        self.webhooks = FakeWebhookHints()
        self.webhook_news: list[WebhookNews] = []
        self.moved: list[BookingStatus] = []
        self.customers = FakeCustomers()
        self.services = FakeServices(service, *others)
        self.diary = FakeDiary(self.log)
        self.offering = FakeOffering()
        self.drain = FakePace()
        self.appointments = FakeAppointments(self.log)
        self.at_once = at_once
        self.sagas = self.another_process()
        self.engine = self.sagas.engine
        self.orchestrator = self.sagas.orchestrator
        self.worker = self.sagas.worker

    def another_process(self, *, agenda: Agenda | None = None) -> Sagas:
        return assemble(
            log=self.log,
            agenda=agenda or self.agenda,
            calendars=self.calendar,
            appointments=self.appointments,
            drain=self.drain,
            services=self.services,
            diary=self.diary,
            offering=self.offering,
            customers=self.customers,
            hints=self.hints,
            webhooks=self.webhooks,
            count_webhook=self.webhook_news.append,
            moved=lambda booking: self.moved.append(booking.status),
            clock=self.clock,
            ids=self.ids,
            policy=self.policy,
            at_once=self.at_once,
        )

    def another_engine(self) -> Engine:
        return self.another_process().engine

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        return run_virtually(main, self.clock)

    def let_pass(self, seconds: float) -> None:
        """
        Let another process do what is due, and what that makes due, for so long. It need not look while nothing is.
        """
        worker = self.another_process().worker
        until = self.clock.seconds + seconds

        async def work() -> None:
            while (rest := await self._next_due()) <= until - self.clock.seconds:
                await asyncio.sleep(rest)
                await worker.run_due()

        self.run(work())
        self.clock.seconds = max(self.clock.seconds, until)

    async def _next_due(self) -> float:
        due = await self.agenda.next_due()
        return math.inf if due is None else due.total_seconds()

    def given(self, *events: BookingEvent) -> Booking:
        """
        Let the log hold the booking after these events.
        """
        self.log.write(BOOKING_ID, initiated(), *events)
        return self.booking()

    def booking(self, booking_id: UUID = BOOKING_ID) -> Booking:
        return self.log.booking(booking_id)

    def topics(self, booking_id: UUID = BOOKING_ID) -> list[str]:
        """
        Return the kinds of events of a booking, without `booking.` and version.
        """
        return [event.TOPIC.split(".")[1] for event in self.log.events(booking_id)]
