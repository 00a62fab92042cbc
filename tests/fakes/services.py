"""
What can be booked in tests.
"""

from __future__ import annotations

from domain.errors import UnknownService
from domain.offer import Offer
from domain.opening_hours import OpeningHours
from domain.service import Service


class FakeServices:
    """
    The services it was given, each found in its own company only; `opening_hours` are those of all.
    """

    def __init__(self, *services: Service) -> None:
        self._services = {(one.company_id, one.service_id): one for one in services}
        self.opening_hours: OpeningHours | None = None

    async def find(self, *, company_id: str, service_id: str) -> Offer:
        try:
            service = self._services[company_id, service_id]
        except KeyError:
            raise UnknownService(service_id) from None
        return Offer(service=service, opening_hours=self.opening_hours)

    async def booked_as(self, *, company_id: str, event_type_id: int) -> Service | None:
        mine = (one for (company, _), one in self._services.items() if company == company_id)
        return next((one for one in mine if one.calcom_event_type_id == event_type_id), None)
