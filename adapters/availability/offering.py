"""Whom Cal.com offers, for whoever has to choose between several people."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog

from adapters.availability.free_slots import Availability
from domain.errors import AppointmentError
from domain.service import Service

LIMIT_SECONDS = 2.0

_log = structlog.get_logger("calsaga.availability")


class CalComOffering:
    """Looks into the cached days first; whatever goes wrong, it is not known, and that soon."""

    def __init__(self, availability: Availability, *, limit: float = LIMIT_SECONDS) -> None:
        self._availability = availability
        self._limit = limit

    async def not_offered(self, services: Sequence[Service], starts_at: datetime, *, as_of: int | None) -> int:
        """Count those, from the first on, that cannot be booked for a start, asking for no more than it takes."""
        passed = 0
        try:
            async with asyncio.timeout(self._limit):
                for service in services:
                    if await self._availability.offers(service, starts_at, as_of=as_of) is not False:
                        break
                    passed += 1
        except (TimeoutError, AppointmentError) as error:
            _log.info("offering.unknown", service_id=services[passed].service_id, reason=type(error).__name__)
        except Exception:  # noqa: BLE001 - a wish is taken whether or not this can be said
            _log.exception("offering.failed", service_id=services[passed].service_id)
        return passed
