"""
Real sagas over a real store, against a calendar that often fails.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import cast

from sqlalchemy import insert

from adapters.database.customers import DatabaseCustomers
from adapters.database.tables import services
from adapters.log.store import Store
from domain.policy import Policy
from domain.retry import RetryPolicy
from domain.service import Service
from domain.wish import BookAppointment, CustomerWish
from sagas.assembly import assemble
from sagas.orchestrator import CancelAppointment
from tests.fakes.calcom import CancelFate, CreateFate, FakeCalCom, LookFate
from tests.fakes.calendar import FakeCalendar
from tests.fakes.hints import FakeHints
from tests.fakes.ids import FakeIds
from tests.fakes.services import FakeServices
from tests.fakes.time import FakeClock

IMPATIENT = Policy(
    send_within=timedelta(seconds=1),
    attempt_limit=timedelta(milliseconds=100),
    lease=timedelta(seconds=2),
    visibility=timedelta(milliseconds=50),
    looks=(timedelta(milliseconds=20), timedelta(milliseconds=60)),
    horizon=timedelta(seconds=2),
    retry=RetryPolicy(first_delay=0.02, cap=0.2),
    inconsistent_after=2,
    review_after=4,
)
HAIRCUT = Service(
    company_id="salon",
    service_id="cut",
    name="Haircut",
    duration_minutes=30,
    calcom_event_type_id=1,
    staff_id="ada",
)


class Salon:
    """
    One company with one member of staff, its sagas, and the Cal.com that they meet.
    """

    def __init__(self, store: Store, *, seed: int = 0) -> None:
        self.random = Random(seed)
        self.calcom = FakeCalCom(cast("FakeClock", store.clock))
        sagas = assemble(
            log=store.log,
            agenda=store.agenda,
            calendars=FakeCalendar(self.calcom),
            appointments=store.appointments,
            services=FakeServices(HAIRCUT),
            customers=DatabaseCustomers(engine=store.engine, readers=store.readers, clock=store.clock),
            hints=FakeHints(),
            clock=store.clock,
            ids=FakeIds(seed),
            policy=IMPATIENT,
        )
        self._store = store
        self._worker = sagas.worker
        self._orchestrator = sagas.orchestrator

    def open(self) -> None:
        """
        Put the service on the list.
        """
        with self._store.engine.begin() as connection:
            now = self._store.clock.now()
            row = {name: getattr(HAIRCUT, name) for name in HAIRCUT.__slots__}
            connection.execute(insert(services).values(**row, created_at=now, updated_at=now))

    async def have_a_day(self, customers: int) -> None:
        """
        Serve customers all at once, some for the same slot, some of whom change their mind.
        """
        self.calcom.creates.extend(self._create_fate() for _ in range(customers))
        self.calcom.looks.extend(self._look_fate() for _ in range(customers))
        self.calcom.cancels.extend(self._cancel_fate() for _ in range(customers))
        await asyncio.gather(*(self._serve(number) for number in range(customers)))

    async def clean_up(self) -> None:
        """
        Do all due work, whenever it is due.
        """
        while (due := await self._store.agenda.next_due()) is not None:
            await asyncio.sleep(min(due.total_seconds(), 0.2))
            await self._worker.run_due()

    async def _serve(self, number: int) -> None:
        tomorrow = self._store.clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
        wish = BookAppointment(
            company_id="salon",
            service_id="cut",
            customer=CustomerWish(name=f"Grace {number}", email=f"grace{number}@example.com"),
            starts_at=tomorrow + timedelta(minutes=15 * self.random.randrange(2 * number + 1)),
            time_zone="UTC",
            source="web",
        )
        result = await self._orchestrator.book(wish, patience=0.2)
        if self.random.random() < 0.3:
            await self._orchestrator.cancel(
                CancelAppointment(company_id="salon", booking_id=result.booking.booking_id, reason="ill"), patience=0.1
            )

    def _create_fate(self) -> CreateFate:
        return CreateFate(
            does=self.random.choice(
                ["made", "made", "made", "pending", "lost", "committed", "double", "conflict", "refused", "not_sent"]
            )
        )

    def _look_fate(self) -> LookFate:
        return LookFate(does=self.random.choice(["reads", "reads", "errs"]))

    def _cancel_fate(self) -> CancelFate:
        return CancelFate(does=self.random.choice(["cancels", "cancels", "fails", "refuses", "cancels_silently"]))
