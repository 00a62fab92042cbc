"""The customers, for reading; they are written by the log's append alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, and_, or_, select

from adapters.caching.cache import Cache, uncounted
from adapters.database.reading import Readers
from adapters.database.tables import customers
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
        found = await self._readers.run(lambda: self._find(company_id, phone, email))
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

    def _find(self, company_id: str, phone: str | None, email: str | None) -> CustomerRecord | None:
        found = self._ask(_of(company_id).where(_known_by(phone, email)).limit(1))
        return found[0] if found else None

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


def _known_by(phone: str | None, email: str | None) -> ColumnElement[bool]:
    has_phone = customers.c.phone == phone
    if email is None:
        return has_phone
    if phone is None:
        return _has_email(email)
    # The order puts the customer with the phone first.
    return or_(has_phone, and_(_has_email(email), customers.c.phone.is_(None)))


def _has_email(email: str) -> ColumnElement[bool]:
    return customers.c.email_folded == email.casefold()
