"""
The free slots of a service: Cal.com's, by days that are cached one by one, less what is taken here.

What is taken here is read anew for every answer, since it can be had at once and counts.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from adapters.availability.booked_days import tags_of
from adapters.availability.log_watch import LogWatch
from adapters.availability.span import DAY, days_of, key_of, midnight, read_span
from adapters.availability.taken import TakenTime
from adapters.caching.cache import Cache, Found, Unloadable
from adapters.calcom.calendars import CalComCalendars
from adapters.database.taken import DatabaseTaken
from domain.degradation import Feature
from domain.errors import CalcomBookingError
from domain.fallback import OLDEST, READ, Rung, Ways, rung_of
from domain.offer import Offer
from domain.period import Period
from domain.service import Service
from sagas.assigning import find_team
from sagas.ports import Clock, Groups

FRESH = timedelta(minutes=10)
KEPT = OLDEST
WEEK = 8
"""How many UTC days are asked for at once although only some are missing: seven days of another time zone."""

Day: TypeAlias = tuple[datetime, ...]
"""What is cached of a day: the starts that Cal.com offers, UTC."""
Source: TypeAlias = Literal["calcom", "cache", "stale"]

_CERTAINTY: tuple[Source, ...] = ("calcom", "cache", "stale")
_NOT_FOUND = 404


class Offers(Groups, Protocol):
    """What can be booked."""

    async def find(self, *, company_id: str, service_id: str) -> Offer:
        """Return a service with its opening hours."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeSlots:
    """
    Starts in the time zone that was asked for.

    `source` is the least certain one of all days, `age_seconds` the age of the oldest.
    """

    starts: tuple[datetime, ...]
    source: Source
    age_seconds: float

    @property
    def rung(self) -> Rung:
        """Return the rung of the chain that has answered."""
        is_stale = self.source == "stale"
        return rung_of(READ, Ways(primary=not is_stale, stale=timedelta(seconds=self.age_seconds)))


class Availability:
    """Finds free slots."""

    def __init__(
        self,
        *,
        offers: Offers,
        calendars: CalComCalendars,
        taken: DatabaseTaken,
        watch: LogWatch,
        cache: Cache[Day],
        clock: Clock,
        offers_feature: Callable[[Feature], bool] = lambda _feature: True,
    ) -> None:
        self._offers = offers
        self._calendars = calendars
        self._taken = taken
        self._watch = watch
        self._cache = cache
        self._clock = clock
        self._offers_feature = offers_feature

    async def find(
        self,
        *,
        company_id: str,
        service_id: str,
        since: date,
        until: date,
        time_zone: str | None = None,
        staff_id: str | None = None,
        staff_group: str | None = None,
    ) -> FreeSlots:
        """
        Return the free slots of a service; dates mean whole days of the time zone, which by default is the service's.

        With a `staff_group`, that is what anybody of it has free who offers the same.

        Raises:
            UnknownService: the company has no such service.
            CustomerValidationError: the span is none, or too long, or nobody of the group can be chosen.
            CalcomBookingError: Cal.com did not say, and what is cached is too old.
            AppointmentDatabaseError: the database did not answer.

        """
        offer = await self._offers.find(company_id=company_id, service_id=service_id)
        zone = ZoneInfo(time_zone or offer.service.time_zone or "UTC")
        period = read_span(since, until, zone=zone, now=self._clock.now())
        team = await find_team(self._offers, offer, staff_group=staff_group, staff_id=staff_id)
        if team:
            return await self.of_team(period, team, zone=zone)
        return await self.within(period, offer, staff_id=staff_id or offer.service.staff_id, zone=zone)

    async def of_team(self, period: Period, team: Sequence[Offer], *, zone: ZoneInfo) -> FreeSlots:
        """
        Return the free slots of anybody of a team; whose slots cannot be known is left out.

        Raises:
            CalcomBookingError: Cal.com did not say of anybody.
            AppointmentDatabaseError: the database did not answer.

        """
        asked = (self.within(period, one, staff_id=one.service.staff_id, zone=zone) for one in team)
        found = await asyncio.gather(*asked, return_exceptions=True)
        known = [one for one in found if isinstance(one, FreeSlots)]
        problems = [one for one in found if isinstance(one, BaseException)]
        for problem in problems:
            if not known or not isinstance(problem, CalcomBookingError):
                raise problem
        return joined(known, zone=zone)

    async def offers(self, service: Service, starts_at: datetime, *, as_of: int | None = None) -> bool | None:
        """
        Tell whether Cal.com offers a start, whatever is taken here; None if what is known is old.

        What is cached is held against the log up to `as_of`, or against all of it.

        Raises:
            CalcomBookingError: Cal.com did not say, and what is cached is too old.
            AppointmentDatabaseError: the database did not answer.

        """
        await self._watch.catch_up(as_of)
        instant = Period(starts_at=starts_at, ends_at=starts_at + timedelta.resolution)
        found = await self._days(instant, service, service.staff_id)
        if _source_of(found) == "stale":
            return None
        return any(starts_at in one.entry.value for one in found.values())

    def forget_all(self, company_id: str | None) -> int:
        """Forget the cached days of a company, or of all, and return how many those were."""
        return self._cache.forget_all("" if company_id is None else f"company:{company_id}:availability:")

    async def within(self, period: Period, offer: Offer, *, staff_id: str | None, zone: ZoneInfo) -> FreeSlots:
        """
        Return the free slots that start in a period, for a service with one member of staff, or whoever Cal.com picks.

        Raises:
            CalcomBookingError: Cal.com did not say, and what is cached is too old.
            AppointmentDatabaseError: the database did not answer.

        """
        await self._watch.catch_up()
        found = await self._days(period, offer.service, staff_id)
        source = _source_of(found)
        # Longer than the period, since the last slots end after it.
        around = Period(starts_at=period.starts_at, ends_at=period.ends_at + offer.service.duration)
        taken = await self._taken_of(around, offer.service, staff_id, is_stale=source == "stale")
        offered = (start for one in found.values() for start in one.entry.value)
        starts = self._left(offered, period, offer, taken, zone)
        told = tuple(it.astimezone(zone) for it in sorted(starts))
        free = FreeSlots(starts=told, source=source, age_seconds=self._age_of(found))
        if free.rung == "refused":
            # It has grown too old while the database was asked.
            raise CalcomBookingError("What is known of the free slots is too old.", status=None, transient=True)
        return free

    async def _days(self, period: Period, service: Service, staff_id: str | None) -> Mapping[str, Found[Day]]:
        days = {key_of(service, day): day for day in days_of(period)}
        tags = tags_of(service.calcom_event_type_id, {staff_id, service.staff_id})

        async def load(keys: Sequence[str]) -> Mapping[str, Day]:
            # The other days of a short span are had in the same call, and are then as fresh.
            return await self._load(service, days if len(days) <= WEEK else {key: days[key] for key in keys})

        try:
            return await self._cache.fetch(
                list(days),
                load,
                seen=self._watch.position,
                current=lambda key, seen: self._watch.is_current(
                    seen, company_id=service.company_id, tags=tags, day=days[key]
                ),
            )
        except Unloadable as error:
            raise error.reason from error

    async def _load(self, service: Service, days: Mapping[str, date]) -> Mapping[str, Day]:
        """Ask Cal.com once, from the first of the days to the last, unless it is not to be asked."""
        if not self._offers_feature(Feature.REAL_TIME_SLOTS):
            raise Unloadable(CalcomBookingError("Cal.com is not asked now.", status=None, transient=True))
        calendar = await self._calendars.of(service.company_id)
        try:
            starts = await calendar.slots(
                event_type_id=service.calcom_event_type_id,
                starts_at=midnight(min(days.values())),
                ends_at=midnight(max(days.values()) + DAY) - timedelta(milliseconds=1),
                duration_minutes=service.duration_minutes if service.sends_length else None,
            )
        except CalcomBookingError as error:
            if error.status == _NOT_FOUND:
                # Nothing that is kept of an event type which is gone can be booked.
                raise
            raise Unloadable(error) from error
        return {key: tuple(start for start in starts if start.date() == day) for key, day in days.items()}

    async def _taken_of(self, period: Period, service: Service, staff_id: str | None, *, is_stale: bool) -> TakenTime:
        if staff_id is not None:
            return TakenTime(await self._taken.by_staff(staff_id, period, company_id=service.company_id))
        if is_stale:
            # Cal.com cannot say who else is free, so that nobody is taken to be.
            return TakenTime(await self._taken.by_service(service.service_id, period, company_id=service.company_id))
        return TakenTime(())

    def _left(
        self, offered: Iterator[datetime], period: Period, offer: Offer, taken: TakenTime, zone: ZoneInfo
    ) -> Iterator[datetime]:
        """Leave out what is taken, and what would be refused."""
        service = offer.service
        after = self._clock.now() + timedelta(minutes=service.notice_minutes)
        hours, clock = offer.opening_hours, ZoneInfo(service.time_zone) if service.time_zone else zone
        for start in offered:
            end = start + service.duration
            is_asked_for = period.starts_at <= start < period.ends_at and start > after
            if is_asked_for and not taken.overlaps(start, end):
                closed = hours is not None and hours.first_closed(start, end, zone=clock)
                if not closed:
                    yield start

    def _age_of(self, found: Mapping[str, Found[Day]]) -> float:
        oldest = min(one.entry.read_at for one in found.values())
        return max((self._clock.now() - oldest).total_seconds(), 0.0)


def joined(free: Sequence[FreeSlots], *, zone: ZoneInfo) -> FreeSlots:
    """Return what is free for any of several, one at least."""
    # In UTC, since a clock that is put back shows two instants alike.
    starts = {start.astimezone(UTC) for one in free for start in one.starts}
    return FreeSlots(
        starts=tuple(start.astimezone(zone) for start in sorted(starts)),
        source=max((one.source for one in free), key=_CERTAINTY.index),
        age_seconds=max(one.age_seconds for one in free),
    )


def read_day(value: object) -> Day:
    """
    Return a day as `write_day` has written it.

    Raises:
        ValueError: it has not.

    """
    match value:
        case list() if all(type(one) is int for one in value):
            return tuple(_EPOCH + timedelta(milliseconds=one) for one in value)
        case _:
            raise ValueError("no day")


def write_day(day: Day) -> list[int]:
    """Return a day as whole milliseconds since 1970."""
    return [(start - _EPOCH) // timedelta(milliseconds=1) for start in day]


def _source_of(found: Mapping[str, Found[Day]]) -> Source:
    ways = {one.how for one in found.values()}
    return "stale" if "stale" in ways else "cache" if "hit" in ways else "calcom"


_EPOCH = midnight(date(1970, 1, 1))
