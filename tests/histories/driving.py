"""
Real sagas over a real store, against a calendar that often fails.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import cast
from uuid import UUID

from sqlalchemy import insert

from adapters.availability.diary import DatabaseDiary
from adapters.availability.log_watch import LogWatch
from adapters.database.customers import DatabaseCustomers
from adapters.database.tables import services
from adapters.log.store import Store
from domain.errors import NotBooked
from domain.policy import Policy
from domain.retry import RetryPolicy
from domain.service import Service
from domain.webhook import webhook_id_of
from domain.wish import BookAppointment, CustomerWish
from sagas.assembly import assemble
from sagas.inbox import IncomingWebhook
from sagas.wishes import CancelAppointment, RescheduleAppointment
from tests.fakes.books import FakePace
from tests.fakes.calcom import CancelFate, CreateFate, FakeCalCom, LookFate, MoveFate
from tests.fakes.calendar import FakeCalendar
from tests.fakes.hints import FakeHints, FakeWebhookHints
from tests.fakes.ids import FakeIds
from tests.fakes.services import FakeServices
from tests.fakes.staff import FakeOffering
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
    expiry=timedelta(seconds=10),
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
            drain=FakePace(),
            services=FakeServices(HAIRCUT),
            diary=DatabaseDiary(engine=store.engine, readers=store.readers, log=store.log, watch=LogWatch(store.log)),
            offering=FakeOffering(),
            customers=DatabaseCustomers(engine=store.engine, readers=store.readers, clock=store.clock),
            hints=FakeHints(),
            webhooks=FakeWebhookHints(),
            clock=store.clock,
            ids=FakeIds(seed),
            policy=IMPATIENT,
        )
        self.store = store
        self.sagas = sagas

    def open(self) -> None:
        """
        Put the service on the list.
        """
        with self.store.engine.begin() as connection:
            now = self.store.clock.now()
            row = {name: getattr(HAIRCUT, name) for name in HAIRCUT.__slots__}
            connection.execute(insert(services).values(**row, created_at=now, updated_at=now))

    async def have_a_day(self, customers: int) -> None:
        """
        Serve customers all at once, some for the same slot, some of whom change their mind.
        """
        self.calcom.creates.extend(self._create_fate() for _ in range(customers))
        self.calcom.looks.extend(self._look_fate() for _ in range(customers))
        self.calcom.cancels.extend(self._cancel_fate() for _ in range(customers))
        self.calcom.moves.extend(self._move_fate() for _ in range(customers))
        await asyncio.gather(*(self._serve(number) for number in range(customers)))

    async def clean_up(self) -> None:
        """
        Do all due work, whenever it is due.
        """
        while (due := await self.store.agenda.next_due()) is not None:
            await asyncio.sleep(min(due.total_seconds(), 0.2))
            await self.sagas.worker.run_due()

    async def hears_of(self, uid: str, trigger: str) -> UUID:
        """
        Take a webhook in, and return its id.
        """
        digest = f"{trigger} {uid}"
        await self.sagas.inbox.receive(
            IncomingWebhook(company_id="salon", digest=digest, trigger=f"BOOKING_{trigger}", uid=uid)
        )
        return webhook_id_of("salon", digest)

    def time(self, slot: int) -> datetime:
        """
        Return a time in two days; slots are a quarter of an hour apart.
        """
        today = self.store.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return today + timedelta(days=2, minutes=15 * slot)

    async def _serve(self, number: int) -> None:
        wish = BookAppointment(
            company_id="salon",
            service_id="cut",
            customer=CustomerWish(name=f"Grace {number}", email=f"grace{number}@example.com"),
            starts_at=self.time(self.random.randrange(4 * number + 1)),
            time_zone="UTC",
            source="web",
        )
        result = await self.sagas.orchestrator.book(wish, patience=0.2)
        if self.random.random() < 0.2:
            with suppress(NotBooked):
                await self.sagas.orchestrator.reschedule(
                    RescheduleAppointment(
                        company_id="salon",
                        booking_id=result.booking.booking_id,
                        starts_at=self.time(self.random.randrange(8 * number + 1)),
                    ),
                    patience=0.1,
                )
        if self.random.random() < 0.3:
            await self._somebody_works_at_calcom(number)
        if self.random.random() < 0.3:
            await self.sagas.orchestrator.cancel(
                CancelAppointment(company_id="salon", booking_id=result.booking.booking_id, reason="ill"), patience=0.1
            )

    async def _somebody_works_at_calcom(self, number: int) -> None:
        # Most sagas are over by then.
        await asyncio.sleep(self.random.random())
        live = [one.uid for one in self.calcom.live()]
        does = self.random.choice(["books", "moves", "moves", "cancels"])
        if does == "books" or not live:
            starts_at = self.time(self.random.randrange(4 * number + 1))
            made = self.calcom.commit(
                event_type_id=HAIRCUT.calcom_event_type_id,
                starts_at=starts_at,
                ends_at=starts_at + HAIRCUT.duration,
                attempt_id=None,
            )
            await self.hears_of(made.uid, "CREATED")
        elif does == "moves":
            moved = self.calcom.person_moves(
                self.random.choice(live), timedelta(minutes=15 * self.random.randint(1, 9))
            )
            await self.hears_of(moved.uid, "RESCHEDULED")
        else:
            uid = self.random.choice(live)
            self.calcom.person_cancels(uid)
            await self.hears_of(uid, "CANCELLED")

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

    def _move_fate(self) -> MoveFate:
        return MoveFate(
            does=self.random.choice(["moved", "moved", "committed", "lost", "late", "conflict", "refused", "not_sent"]),
            late_by=0.3,
        )
