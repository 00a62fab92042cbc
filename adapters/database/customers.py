"""The customers, for reading; they are written by the log's append alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, or_, select

from adapters.caching.cache import Cache, uncounted
from adapters.database.reading import Readers
from adapters.database.tables import customers
from adapters.database.together import Together
from adapters.metrics import CacheName, CacheOutcome
from sagas.ports import Clock

REMEMBERED = timedelta(hours=1)
MOST_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord:
    """What is known of a customer."""

    customer_id: UUID
    name: str
    email: str | None
    phone: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Whom a wish names."""

    company_id: str
    phone: str | None
    email: str | None

    def is_met_by(self, customer: CustomerRecord) -> bool:
        """Tell whether it is this customer; the order of the candidates puts the one with the phone first."""
        if self.phone is not None and customer.phone == self.phone:
            return True
        if self.email is None or customer.email is None or customer.email.casefold() != self.email.casefold():
            return False
        return self.phone is None or customer.phone is None


class DatabaseCustomers:
    """
    Find one customer again, or list those with a phone or an e-mail address.

    Whose a phone is does not change, so that it is remembered for an hour. That a phone
    is nobody's is not: another process may learn it at any moment. Redis is not told
    any of this: it would save one read by an index, and hold everybody's phone.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        readers: Readers,
        clock: Clock,
        count: Callable[[CacheName, CacheOutcome], None] = uncounted,
    ) -> None:
        self._engine = engine
        self._readers = readers
        self._together = Together(self._find_all)
        self._known: Cache[UUID] = Cache("phone", fresh=REMEMBERED, now=clock.now, count=count)

    async def find(self, *, company_id: str, phone: str | None, email: str | None) -> UUID | None:
        """
        Return the id of the company's customer with this phone, else of the one with this e-mail address.

        An address whose customer has another phone does not count: several people may
        share one. Of several customers the one who has a phone, then the oldest, is meant.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        if phone is None and email is None:
            return None
        key = f"company:{company_id}:phone:{phone}"
        known = None if phone is None else self._known.get(key)
        if known is not None:
            return known
        found = await self._together.ask(Sought(company_id=company_id, phone=phone, email=email))
        if found is None:
            return None
        if phone is not None and found.phone == phone:
            self._known.put(key, found.customer_id)
        return found.customer_id

    async def list(self, *, company_id: str, phone: str | None, email: str | None) -> Sequence[CustomerRecord]:
        """
        Return the company's customers who have what is given, `MOST_LISTED` at most, in the order of `find`.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        return await self._readers.run(lambda: self._list(company_id, phone, email))

    async def _find_all(self, sought: Sequence[Sought]) -> dict[Sought, CustomerRecord | None]:
        return await self._readers.run(lambda: self._read_all(sought))

    def _read_all(self, sought: Sequence[Sought]) -> dict[Sought, CustomerRecord | None]:
        found: dict[Sought, CustomerRecord | None] = {}
        for company_id in {one.company_id for one in sought}:
            ours = [one for one in sought if one.company_id == company_id]
            candidates = self._ask(_of(company_id).where(_is_any_of(ours)))
            found |= {one: next((it for it in candidates if one.is_met_by(it)), None) for one in ours}
        return found

    def _list(self, company_id: str, phone: str | None, email: str | None) -> Sequence[CustomerRecord]:
        query = _of(company_id).limit(MOST_LISTED)
        if phone is not None:
            query = query.where(customers.c.phone == phone)
        if email is not None:
            query = query.where(_has_email(email))
        return self._ask(query)

    def _ask(self, query: Select[tuple[object, ...]]) -> Sequence[CustomerRecord]:
        with self._engine.connect() as connection:
            return [CustomerRecord(**row) for row in connection.execute(query).mappings()]


def _of(company_id: str) -> Select[tuple[object, ...]]:
    c = customers.c
    columns = (c[field.name] for field in fields(CustomerRecord))
    return select(*columns).where(c.company_id == company_id).order_by(c.phone.is_(None), c.created_at, c.customer_id)


def _is_any_of(sought: Sequence[Sought]) -> ColumnElement[bool]:
    phones = [one.phone for one in sought if one.phone is not None]
    emails = [one.email.casefold() for one in sought if one.email is not None]
    return or_(
        *([customers.c.phone.in_(phones)] if phones else ()),
        *([customers.c.email_folded.in_(emails)] if emails else ()),
    )


def _has_email(email: str) -> ColumnElement[bool]:
    return customers.c.email_folded == email.casefold()
