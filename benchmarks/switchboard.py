"""
The people who call, and the keys that their calls come with, over a real database in virtual time.

A caller is known by phone: nine of ten have been customers before. Whoever takes the
call asks who it is (`GET /api/customers?phone=`), which free slots there are, and
books; each of these is a request with an API key.
"""

import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

from sqlalchemy import insert

from adapters.database.api_keys import ApiKeys
from adapters.database.customers import DatabaseCustomers
from adapters.database.tables import customers
from adapters.log.store import Store, open_store
from adapters.metrics import CacheName, CacheOutcome
from sagas.ports import Clock

COMPANY = "acme"
REGULARS = 2_000
NEW = 1 / 10
KEYS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The caches of customers and keys of one process."""

    customers: DatabaseCustomers
    keys: ApiKeys


class Switchboard:
    """Lets people call; `counted` is how often each cache had what was asked for."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, UUID] = {}
        self._keys: list[str] = []
        self.counted: dict[str, Counter[str]] = {"phone": Counter(), "user": Counter()}

    async def open(self) -> None:
        """Have customers, and keys for those who take their calls."""
        self._learn(*(f"+4930{number:07}" for number in range(REGULARS)))
        self._keys = [(await self.desk().keys.create(company_id=COMPANY, scopes=()))[1] for _ in range(KEYS)]

    def desk(self) -> Desk:
        """Return the caches of another process."""
        more = {"engine": self._store.engine, "readers": self._store.readers}
        return Desk(
            customers=DatabaseCustomers(**more, clock=self._clock, count=self._count),  # type: ignore[arg-type]
            keys=ApiKeys(**more, clock=self._clock, count=self._count),  # type: ignore[arg-type]
        )

    def caller(self, chance: Random) -> str:
        """Return the phone of somebody who calls."""
        if chance.random() < NEW:
            return f"+4940{chance.randrange(10**7):07}"
        return chance.choice(list(self._known))

    async def admits(self, desk: Desk, chance: Random) -> None:
        """Let a request in."""
        assert await desk.keys.find(chance.choice(self._keys)) is not None

    async def asks_who_calls(self, desk: Desk, phone: str) -> None:
        """Ask for the customers with a phone."""
        await desk.customers.list(company_id=COMPANY, phone=phone, email=None)

    def books(self, desk: Desk, phone: str) -> None:
        """Recall the customer as a booking does; who is not remembered is met in its append, and remembered then."""
        if desk.customers.recall(company_id=COMPANY, phone=phone) is None:
            if phone not in self._known:
                self._learn(phone)
            desk.customers.remember(company_id=COMPANY, phone=phone, customer_id=self._known[phone])

    def _learn(self, *phones: str) -> None:
        new = {phone: uuid4() for phone in phones}
        self._known |= new
        row = {"company_id": COMPANY, "name": "Ada", "created_at": self._clock.now()}
        rows = [row | {"customer_id": customer_id, "phone": phone} for phone, customer_id in new.items()]
        with self._store.engine.begin() as connection:
            connection.execute(insert(customers), rows)

    def _count(self, cache: CacheName, outcome: CacheOutcome) -> None:
        self.counted[cache][outcome] += 1


@asynccontextmanager
async def switchboard(clock: Clock) -> AsyncIterator[Switchboard]:
    """Open a switchboard over a database that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{Path(folder) / 'callers.db'}") as store:
            opened = Switchboard(store, clock)
            await opened.open()
            yield opened
