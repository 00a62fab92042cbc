"""The services that can be booked; every process remembers one for a few seconds."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Engine, RowMapping, Select, select

from adapters.database.expiring import Expiring
from adapters.database.reading import Readers
from adapters.database.tables import services
from adapters.database.upserting import upsert
from domain.errors import UnknownService
from domain.offer import Offer
from domain.opening_hours import parse_opening_hours
from domain.service import Service
from sagas.ports import Clock

REMEMBERED_SECONDS = 5.0

_SERVICES = select(*(services.c[field.name] for field in fields(Service)), services.c.opening_hours)


class DatabaseServices:
    """
    Find, list and define services with their opening hours.

    A change made by another process is seen here after `REMEMBERED_SECONDS` at most.
    """

    def __init__(self, *, engine: Engine, readers: Readers, clock: Clock) -> None:
        self._engine = engine
        self._readers = readers
        self._clock = clock
        self._known: Expiring[tuple[str, str], Offer] = Expiring(seconds=REMEMBERED_SECONDS)
        self._groups: Expiring[tuple[str, str], Sequence[Offer]] = Expiring(seconds=REMEMBERED_SECONDS)

    async def find(self, *, company_id: str, service_id: str) -> Offer:
        """
        Return a service.

        Raises:
            UnknownService: the company has no such service.
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._known.read(
            (company_id, service_id), lambda: self._readers.answer(lambda: self._find(company_id, service_id))
        )

    async def list(self, *, company_id: str) -> Sequence[Offer]:
        """
        Return a company's services, by their ids.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.answer(lambda: self._list(company_id))

    async def group(self, *, company_id: str, staff_group: str) -> Sequence[Offer]:
        """
        Return the company's services that share a group, as they were a few seconds ago at most.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        query = _SERVICES.where(services.c.company_id == company_id, services.c.staff_group == staff_group)
        return await self._groups.read(
            (company_id, staff_group),
            lambda: self._readers.answer(lambda: self._selected(query.order_by(services.c.service_id))),
        )

    async def all(self) -> Sequence[Offer]:
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
        return next((offer.service for offer in found), None)

    async def put(self, offer: Offer) -> None:
        """
        Define a service, or change it.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        await self._readers.run(lambda: self._put(offer))
        self._known.forget((offer.service.company_id, offer.service.service_id))
        # It may have left one group for another.
        self._groups.clear()

    def _find(self, company_id: str, service_id: str) -> Offer:
        query = _SERVICES.where(services.c.company_id == company_id, services.c.service_id == service_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise UnknownService(service_id)
        return _offer(row)

    def _list(self, company_id: str) -> Sequence[Offer]:
        return self._selected(_SERVICES.where(services.c.company_id == company_id).order_by(services.c.service_id))

    def _selected(self, query: Select[Any]) -> Sequence[Offer]:
        with self._engine.connect() as connection:
            return [_offer(row) for row in connection.execute(query).mappings()]

    def _put(self, offer: Offer) -> None:
        now = self._clock.now()
        hours = None if offer.opening_hours is None else offer.opening_hours.as_document()
        row = {**asdict(offer.service), "opening_hours": hours, "created_at": now, "updated_at": now}
        with self._engine.begin() as connection:
            upsert(connection, services, row, keep=frozenset({"created_at"}))


def _offer(row: RowMapping) -> Offer:
    facts = dict(row)
    hours = facts.pop("opening_hours")
    return Offer(service=Service(**facts), opening_hours=None if hours is None else parse_opening_hours(hours))
