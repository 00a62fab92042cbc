"""What a company offers, each service checked against its event type at Cal.com before it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.calcom.calendars import CalComCalendars
from adapters.database.services import DatabaseServices
from domain.errors import CustomerValidationError, UnknownService
from domain.offer import Offer
from domain.opening_hours import OpeningHours
from domain.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWish:
    """A service as its company defines it."""

    company_id: str
    service_id: str
    name: str
    duration_minutes: int
    calcom_event_type_id: int
    staff_id: str | None = None
    staff_group: str | None = None
    time_zone: str | None = None
    opening_hours: OpeningHours | None = None


class ServiceDirectory:
    """Defines services; finding and listing them is the database's."""

    def __init__(self, *, stored: DatabaseServices, calendars: CalComCalendars) -> None:
        self._stored = stored
        self._calendars = calendars

    async def find(self, *, company_id: str, service_id: str) -> Offer:
        """
        Return a service, as it was a few seconds ago at most.

        Raises:
            UnknownService: the company has no such service.

        """
        return await self._stored.find(company_id=company_id, service_id=service_id)

    async def group(self, *, company_id: str, staff_group: str) -> Sequence[Offer]:
        """Return the company's services that share a group, as they were a few seconds ago at most."""
        return await self._stored.group(company_id=company_id, staff_group=staff_group)

    async def booked_as(self, *, company_id: str, event_type_id: int) -> Service | None:
        """Return the company's service behind an event type of Cal.com, the oldest if there are several, or None."""
        return await self._stored.booked_as(company_id=company_id, event_type_id=event_type_id)

    async def list(self, *, company_id: str) -> Sequence[Offer]:
        """Return the company's services, by id."""
        return await self._stored.list(company_id=company_id)

    async def define(self, wish: ServiceWish) -> tuple[Offer, bool]:
        """
        Check the event type at Cal.com and store the service; True if it is new.

        Raises:
            CustomerValidationError: what could not be compensated, or is no ordinary
                booking; nothing was stored.
            CalcomBookingError: Cal.com could not be asked.

        """
        calendar = await self._calendars.of(wish.company_id)
        seen = await calendar.preflight(wish.calcom_event_type_id, duration_minutes=wish.duration_minutes)
        if seen.errors:
            raise CustomerValidationError(seen.errors)
        service = Service(
            company_id=wish.company_id,
            service_id=wish.service_id,
            name=wish.name,
            duration_minutes=wish.duration_minutes,
            calcom_event_type_id=wish.calcom_event_type_id,
            staff_id=wish.staff_id,
            staff_group=wish.staff_group,
            time_zone=wish.time_zone,
            notice_minutes=seen.notice_minutes,
            sends_length=seen.sends_length,
        )
        offer = Offer(service=service, opening_hours=wish.opening_hours)
        is_new = not await self._is_stored(service)
        await self._stored.put(offer)
        return offer, is_new

    async def _is_stored(self, service: Service) -> bool:
        try:
            await self._stored.find(company_id=service.company_id, service_id=service.service_id)
        except UnknownService:
            return False
        return True
