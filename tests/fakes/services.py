"""
What can be booked in tests.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import UnknownService
from domain.offer import Offer
from domain.opening_hours import OpeningHours
from domain.service import Service


class FakeServices:
    """
    The services it was given, each found in its own company only.

    `opening_hours` are those of all that have none in `hours_of`.
    """

    def __init__(self, *services: Service) -> None:
        self._services = {(one.company_id, one.service_id): one for one in services}
        self.opening_hours: OpeningHours | None = None
        self.hours_of: dict[str, OpeningHours] = {}

    def define(self, service: Service) -> None:
        self._services[service.company_id, service.service_id] = service

    async def find(self, *, company_id: str, service_id: str) -> Offer:
        try:
            service = self._services[company_id, service_id]
        except KeyError:
            raise UnknownService(service_id) from None
        return Offer(service=service, opening_hours=self.hours_of.get(service_id, self.opening_hours))

    async def group(self, *, company_id: str, staff_group: str) -> Sequence[Offer]:
        mine = (one for (company, _), one in self._services.items() if company == company_id)
        return [
            Offer(service=one, opening_hours=self.hours_of.get(one.service_id, self.opening_hours))
            for one in mine
            if one.staff_group == staff_group
        ]

    async def booked_as(self, *, company_id: str, event_type_id: int) -> Service | None:
        mine = (one for (company, _), one in self._services.items() if company == company_id)
        return next((one for one in mine if one.calcom_event_type_id == event_type_id), None)
