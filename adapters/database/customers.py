"""The customers, for reading; they are written by the log's append alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, select

from adapters.caching.cache import Cache, uncounted
from adapters.database.reading import Readers
from adapters.database.tables import customers
from adapters.metrics import CacheName, CacheOutcome
from projections import engagement
from projections.engagement import Engagement
from projections.tables import customer_engagement
from sagas.ports import Clock

REMEMBERED = timedelta(hours=1)
MOST_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord:
    """What is known of a customer; `engagement` is told to `list` alone, and may be half a second old."""

    customer_id: UUID
    name: str
    email: str | None
    phone: str | None
    created_at: datetime
    engagement: Engagement | None = None


class DatabaseCustomers:
    """
    Remember whose a phone is, or list those with a phone or an e-mail address.

    Whose a phone is does not change, so that it is remembered for an hour. Redis is not told
    any of this: it would save a look into an index, and hold everybody's phone.
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

    def recall(self, *, company_id: str, phone: str) -> UUID | None:
        """Return the id of the company's customer with this phone, if this process has met them lately."""
        return self._known.get(_key(company_id, phone))

    def remember(self, *, company_id: str, phone: str, customer_id: UUID) -> None:
        """Take note of whose a phone is."""
        self._known.put(_key(company_id, phone), customer_id)

    def forget_all(self, company_id: str | None) -> int:
        """Forget whose the phones of a company are, or of all, and return how many those were."""
        return self._known.forget_all("" if company_id is None else f"company:{company_id}:phone:")

    async def list(self, *, company_id: str, phone: str | None, email: str | None) -> Sequence[CustomerRecord]:
        """
        Return the company's customers who have what is given, those with a phone and the oldest first.

        There are `MOST_LISTED` at most.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        found = await self._readers.answer(lambda: self._list(company_id, phone, email))
        if phone is not None and email is None and found:
            # Whoever asks who calls is about to book for them.
            self._known.put(_key(company_id, phone), found[0].customer_id)
        return found

    def _list(self, company_id: str, phone: str | None, email: str | None) -> Sequence[CustomerRecord]:
        query = _of(company_id).limit(MOST_LISTED)
        if phone is not None:
            query = query.where(customers.c.phone == phone)
        if email is not None:
            query = query.where(_has_email(email))
        with self._engine.connect() as connection:
            found = [CustomerRecord(**row) for row in connection.execute(query).mappings()]
            engaged = engagement.load(connection, customer_engagement, [one.customer_id for one in found])
        return [replace(one, engagement=engaged.get(one.customer_id)) for one in found]


def _of(company_id: str) -> Select[tuple[object, ...]]:
    c = customers.c
    columns = (c.customer_id, c.name, c.email, c.phone, c.created_at)
    return select(*columns).where(c.company_id == company_id).order_by(c.phone.is_(None), c.created_at, c.customer_id)


def _has_email(email: str) -> ColumnElement[bool]:
    return customers.c.email_folded == email.casefold()


def _key(company_id: str, phone: str) -> str:
    return f"company:{company_id}:phone:{phone}"
