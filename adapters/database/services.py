"""The services that can be booked; every process remembers one for a few seconds."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Engine, Select, select

from adapters.database.expiring import Expiring
from adapters.database.reading import Readers
from adapters.database.tables import services
from adapters.database.upserting import upsert
from domain.errors import UnknownService
from domain.service import Service
from sagas.ports import Clock

REMEMBERED_SECONDS = 5.0

_SERVICES = select(*(services.c[field.name] for field in fields(Service)))


class DatabaseServices:
    """
    Find, list and define services.

    A change made by another process is seen here after `REMEMBERED_SECONDS` at most.
    """

    def __init__(self, *, engine: Engine, readers: Readers, clock: Clock) -> None:
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._known: Expiring[tuple[str, str], Service] = Expiring(seconds=REMEMBERED_SECONDS)

    async def find(self, *, company_id: str, service_id: str) -> Service:
        """
        Return a service.

        Raises:
            UnknownService: the company has no such service.
            AppointmentDatabaseError: the database did not answer.

        """
        known = self._known.get((company_id, service_id))
        if known is None:
            known = await self._readers.run(lambda: self._find(company_id, service_id))
            self._known.put((company_id, service_id), known)
        return known

    async def list(self, *, company_id: str) -> Sequence[Service]:
        """
        Return a company's services, by their ids.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.run(lambda: self._list(company_id))

    async def all(self) -> Sequence[Service]:
        """
        Return the services of all companies.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.run(lambda: self._selected(_SERVICES))

    async def booked_as(self, *, company_id: str, event_type_id: int) -> Service | None:
        """
        Return the company's service behind an event type of Cal.com, the oldest if there are several, or None.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        query = _SERVICES.where(
            services.c.company_id == company_id, services.c.calcom_event_type_id == event_type_id
        ).order_by(services.c.created_at, services.c.service_id)
        found = await self._readers.run(lambda: self._selected(query.limit(1)))
        return next(iter(found), None)

    async def put(self, service: Service) -> None:
        """
        Define a service, or change it.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        await self._readers.run(lambda: self._put(service))
        self._known.forget((service.company_id, service.service_id))

    def _find(self, company_id: str, service_id: str) -> Service:
        query = _SERVICES.where(services.c.company_id == company_id, services.c.service_id == service_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise UnknownService(service_id)
        return Service(**row)

    def _list(self, company_id: str) -> Sequence[Service]:
        return self._selected(_SERVICES.where(services.c.company_id == company_id).order_by(services.c.service_id))

    def _selected(self, query: Select[Any]) -> Sequence[Service]:
        with self._engine.connect() as connection:
            return [Service(**row) for row in connection.execute(query).mappings()]

    def _put(self, service: Service) -> None:
        now = self._clock.now()
        row = {**asdict(service), "created_at": now, "updated_at": now}
        with self._engine.begin() as connection:
            upsert(connection, services, row, keep=frozenset({"created_at"}))
