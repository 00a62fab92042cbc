"""
A company with a log, a Cal.com and any number of processes, each with its own cache.

Ann has two event types, so that a booking of one takes time from the other as well; the third one is somebody else's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from adapters.availability.free_slots import FRESH, KEPT, Availability, Day, FreeSlots
from adapters.availability.log_watch import LogWatch
from adapters.caching.cache import Cache
from adapters.caching.entries import Entry
from adapters.calcom.calendars import CalComCalendars
from adapters.database.taken import DatabaseTaken
from domain import events as e
from domain import moving as m
from domain.degradation import Feature
from domain.errors import UnknownService
from domain.events import BookingEvent
from domain.offer import Offer
from domain.period import Period
from domain.service import Service
from sagas.appending import LogEvent, Recorded
from tests.fakes import given as g
from tests.fakes.time import START, FakeClock

HALF_HOUR = timedelta(minutes=30)
MIDNIGHT = START.replace(hour=0) + timedelta(days=1)
CUT = Service(
    company_id="acme", service_id="cut", name="Cut", duration_minutes=30, calcom_event_type_id=1, staff_id="ann"
)
COLOR = replace(CUT, service_id="color", calcom_event_type_id=2, duration_minutes=90)
ANYBODY = replace(CUT, service_id="anybody", calcom_event_type_id=3, staff_id=None)
OFFERS = {one.service_id: Offer(service=one) for one in (CUT, COLOR, ANYBODY)}
UTC_ZONE = ZoneInfo("UTC")


class ListedLog:
    """
    The log as a list; its positions begin with 1.
    """

    def __init__(self) -> None:
        self.entries: list[Recorded] = []
        self.reads: Counter[str] = Counter()
        self.versions: Counter[UUID] = Counter()

    def add(self, stream_id: UUID, *events: LogEvent) -> None:
        for event in events:
            self.versions[stream_id] += 1
            self.entries.append(
                Recorded(
                    stream_id=stream_id,
                    version=self.versions[stream_id],
                    event=event,
                    append_id="x",
                    correlation_id="c",
                    recorded_at=START,
                    position=len(self.entries) + 1,
                )
            )

    async def read_all(self, *, after: int, limit: int) -> Sequence[Recorded]:
        self.reads["read_all"] += 1
        await asyncio.sleep(0)
        return self.entries[after : after + limit]

    async def head(self) -> int:
        self.reads["head"] += 1
        return len(self.entries)

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        self.reads["read"] += 1
        return [one for one in self.entries if one.stream_id == stream_id]


def host_of(service: Service) -> str:
    return service.staff_id or "bob"


@dataclass
class Host:
    """
    What Cal.com knows of its hosts; `error` is what it answers.
    """

    taken: dict[UUID, tuple[str, Period]]
    calls: list[tuple[int, datetime, datetime]]
    offers: dict[str, Offer]
    error: Exception | None = None

    async def of(self, _company_id: str) -> Host:
        return self

    async def slots(
        self, *, event_type_id: int, starts_at: datetime, ends_at: datetime, duration_minutes: int | None
    ) -> tuple[datetime, ...]:
        self.calls.append((event_type_id, starts_at, ends_at))
        if self.error is not None:
            raise self.error
        service = next(one.service for one in self.offers.values() if one.service.calcom_event_type_id == event_type_id)
        return tuple(self.free(service, starts_at, ends_at))

    def free(self, service: Service, starts_at: datetime, ends_at: datetime) -> Sequence[datetime]:
        count = -((starts_at - ends_at) // HALF_HOUR)
        starts = (starts_at + number * HALF_HOUR for number in range(count))
        return [it for it in starts if it < ends_at and self.is_free(service, it)]

    def is_free(self, service: Service, starts_at: datetime) -> bool:
        wanted = Period(starts_at=starts_at, ends_at=starts_at + service.duration)
        return not any(host == host_of(service) and one.overlaps(wanted) for host, one in self.taken.values())


class Taken:
    """
    What is taken here.
    """

    def __init__(self) -> None:
        self.periods: dict[UUID, tuple[str, Period]] = {}
        self.asked: list[str] = []

    async def by_staff(self, staff_id: str, period: Period, *, company_id: str) -> Sequence[Period]:
        self.asked.append(f"staff {staff_id}")
        return [one for host, one in self.periods.values() if host == staff_id and one.overlaps(period)]

    async def by_service(self, service_id: str, period: Period, *, company_id: str) -> Sequence[Period]:
        self.asked.append(f"service {service_id}")
        return [one for host, one in self.periods.values() if host == "bob" and one.overlaps(period)]


class Shelf:
    """
    The cache that all processes share.
    """

    def __init__(self) -> None:
        self.entries: dict[str, Entry[Day]] = {}

    async def read(self, keys: list[str]) -> dict[str, Entry[Day]]:
        return {key: self.entries[key] for key in keys if key in self.entries}

    def write(self, key: str, entry: Entry[Day], *, seconds: float) -> None:
        self.entries[key] = entry

    def forget(self, key: str) -> None:
        self.entries.pop(key, None)


class Office:
    """
    Bookings are made, moved and cancelled at Cal.com, here and in the log at once.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.log = ListedLog()
        self.offers = dict(OFFERS)
        self.calcom = Host(taken={}, calls=[], offers=self.offers)
        self.taken = Taken()
        self.shelf = Shelf()
        self.counted: Counter[str] = Counter()
        self.off: set[Feature] = set()

    async def find(self, *, company_id: str, service_id: str) -> Offer:
        if service_id not in self.offers:
            raise UnknownService(service_id)
        return self.offers[service_id]

    async def group(self, *, company_id: str, staff_group: str) -> Sequence[Offer]:
        return [one for one in self.offers.values() if one.service.staff_group == staff_group]

    def process(self, *, shared: bool = True) -> Availability:
        cache: Cache[Day] = Cache(
            "availability",
            fresh=FRESH,
            kept=KEPT,
            now=self.clock.now,
            count=lambda _name, outcome: self.counted.update([outcome]),
            shared=self.shelf if shared else None,
        )
        return Availability(
            offers=self,
            calendars=cast("CalComCalendars", self.calcom),
            taken=cast("DatabaseTaken", self.taken),
            watch=LogWatch(self.log),
            cache=cache,
            clock=self.clock,
            offers_feature=lambda feature: feature not in self.off,
        )

    def books(self, number: int, service: Service, start: datetime) -> UUID:
        booking_id = UUID(int=number)
        self._holds(booking_id, host_of(service), start, start + service.duration)
        begun = g.initiated(
            service=service, staff_id=service.staff_id, starts_at=start, ends_at=start + service.duration
        )
        self.log.add(booking_id, begun, g.created(starts_at=start))
        return booking_id

    def moves(self, booking_id: UUID, start: datetime) -> None:
        host, held = self.calcom.taken[booking_id]
        end = start + (held.ends_at - held.starts_at)
        self._holds(booking_id, host, start, end)
        moved = m.BookingRescheduled(
            at=START, from_uid="a", to_uid="b", starts_at=start, ends_at=end, by="customer", overlaps=False
        )
        self.log.add(booking_id, moved)

    def cancels(self, booking_id: UUID) -> None:
        for taken in (self.calcom.taken, self.taken.periods):
            taken.pop(booking_id, None)
        self.log.add(booking_id, e.BookingCancelled(at=START, reason="requested"))

    def notes(self, booking_id: UUID, *events: BookingEvent) -> None:
        self.log.add(booking_id, *events)

    def truth(self, service: Service, period: Period) -> list[datetime]:
        free = self.calcom.free(service, period.starts_at, period.ends_at)
        return [it for it in free if it > self.clock.now()]

    def _holds(self, booking_id: UUID, host: str, start: datetime, end: datetime) -> None:
        for taken in (self.calcom.taken, self.taken.periods):
            taken[booking_id] = host, Period(starts_at=start, ends_at=end)


async def on(process: Availability, day: date, *, days: int = 1, service: str = "cut") -> FreeSlots:
    """
    Ask for whole days of UTC.
    """
    return await process.find(
        company_id="acme", service_id=service, since=day, until=day + timedelta(days=days - 1), time_zone="UTC"
    )
