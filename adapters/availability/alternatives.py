"""Other times for somebody whose slot was gone, if that can be said at once."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import structlog

from adapters.availability.free_slots import Availability, Offers, joined
from adapters.availability.span import DAY
from domain.booking import Booking, BookingStatus
from domain.degradation import Feature
from domain.errors import AppointmentError
from domain.offer import Offer
from domain.period import Period
from domain.validation import is_time_zone
from sagas.assigning import find_team
from sagas.ports import Clock

LIMIT_SECONDS = 1.0
MOST = 3
DAYS = 3
"""The day that was wished for, and the next two."""

_log = structlog.get_logger("calsaga.availability")


class Alternatives:
    """Finds times near the one that was wished for; whatever goes wrong, it says nothing, and soon."""

    def __init__(
        self,
        *,
        availability: Availability,
        offers: Offers,
        clock: Clock,
        limit: float = LIMIT_SECONDS,
        offers_feature: Callable[[Feature], bool] = lambda _feature: True,
    ) -> None:
        self._availability = availability
        self._offers = offers
        self._clock = clock
        self._limit = limit
        self._offers_feature = offers_feature

    async def near(self, wished: datetime, booking: Booking) -> tuple[datetime, ...] | None:
        """Return up to three free starts, the nearest first, in the booking's time zone; None if nobody can say."""
        if not self._offers_feature(Feature.RECOMMENDATIONS):
            return None
        try:
            async with asyncio.timeout(self._limit):
                return await self._near(wished, booking)
        except (TimeoutError, AppointmentError) as error:
            _log.info("alternatives.unknown", booking_id=str(booking.booking_id), reason=type(error).__name__)
        except Exception:  # noqa: BLE001 - the answer that the caller waits for must not depend on this
            _log.exception("alternatives.failed", booking_id=str(booking.booking_id))
        return None

    async def _near(self, wished: datetime, booking: Booking) -> tuple[datetime, ...] | None:
        facts = booking.facts
        zone = ZoneInfo(facts.time_zone if is_time_zone(facts.time_zone) else "UTC")
        period = self._days_from(wished, zone)
        if period is None:
            return ()
        offer = await self._offers.find(company_id=facts.service.company_id, service_id=facts.service.service_id)
        free = await self._availability.within(period, offer, staff_id=facts.staff_id, zone=zone)
        # Whoever refused the wished time is not asked for it again; somebody else of the group may be.
        free = replace(free, starts=tuple(start for start in free.starts if start != wished))
        team = await self._others_of(offer, booking)
        if team:
            free = joined((free, await self._availability.of_team(period, team, zone=zone)), zone=zone)
        if free.source == "stale":
            # Whoever was just refused should not be sent to a time that may be gone as well.
            return None
        return tuple(sorted(free.starts, key=lambda start: (abs(start - wished), start))[:MOST])

    async def _others_of(self, offer: Offer, booking: Booking) -> Sequence[Offer]:
        if booking.status is not BookingStatus.FAILED:
            # One that was booked stays with whom it is booked.
            return ()
        team = await find_team(self._offers, offer, staff_group=booking.facts.staff_group)
        return [one for one in team if one.service != offer.service]

    def _days_from(self, wished: datetime, zone: ZoneInfo) -> Period | None:
        now, day = self._clock.now(), wished.astimezone(zone).date()
        first, last = (datetime.combine(day + days * DAY, time(), zone) for days in (0, DAYS))
        starts_at, ends_at = max(first.astimezone(now.tzinfo), now), last.astimezone(now.tzinfo)
        return Period(starts_at=starts_at, ends_at=ends_at) if starts_at < ends_at else None
