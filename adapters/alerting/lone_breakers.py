"""
What a process does not share with others, for whoever judges for the fleet: its breakers, and keys that are rejected.

A company's key for Cal.com is to that company what a breaker is to everybody.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine, delete, select

from adapters.breakers.policies import CALLERS
from adapters.breakers.ports import Breakers
from adapters.database.reading import Readers
from adapters.database.tables import lone_breakers
from adapters.measuring.figures import history_of
from domain.breaker_words import Snapshot
from domain.errors import AppointmentDatabaseError
from projections.upserting import upsert
from sagas.ports import Clock

LOOKED_BACK = timedelta(hours=1)
NOTED_FOR = 4
"""For how many intervals a note counts; a process that is dead has none that is younger."""
KEPT = timedelta(days=1)
KEY = "calcom key of "
"""What stands before a company in the place of a service."""
_log = structlog.get_logger("calsaga.alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Since when a breaker has not been closed, None if it is; since when it is closed again, None if it never left."""

    service: str
    unwell_since: datetime | None
    well_since: datetime | None


def rejected_since(conditions: Iterable[Condition]) -> dict[str, datetime]:
    """Return the companies whose keys are rejected by these, and since when the first process knows."""
    found: dict[str, datetime] = {}
    for one in conditions:
        if one.service.startswith(KEY) and one.unwell_since is not None:
            company = one.service.removeprefix(KEY)
            found[company] = min(one.unwell_since, found.get(company, one.unwell_since))
    return found


def condition_of(snapshot: Snapshot, *, now: datetime) -> Condition:
    """Return what a breaker's snapshot says; one that nobody uses keeps nobody back, whatever a person makes of it."""
    if snapshot.name in CALLERS and not snapshot.is_used:
        return Condition(service=snapshot.name, unwell_since=None, well_since=None)
    seen = history_of(snapshot, start=now - LOOKED_BACK, now=now)
    return Condition(service=snapshot.name, unwell_since=seen.unwell_since, well_since=seen.well_since)


class StoredLoneBreakers:
    """The table `lone_breakers`, for one process of the fleet."""

    def __init__(self, *, engine: Engine, readers: Readers, process: str) -> None:
        self._engine = engine
        self._readers = readers
        self._process = process

    async def note(self, conditions: Sequence[Condition], *, now: datetime) -> None:
        """
        Say how breakers of this process stand.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        rows = [
            {
                "process": self._process,
                "service": one.service,
                "unwell_since": one.unwell_since,
                "well_since": one.well_since,
                "seen_at": now,
            }
            for one in conditions
        ]

        def write() -> None:
            with self._engine.begin() as connection:
                connection.execute(delete(lone_breakers).where(lone_breakers.c.seen_at < now - KEPT))
                upsert(connection, lone_breakers, rows)

        await self._readers.run(write)

    async def noted(self, *, since: datetime) -> Sequence[Condition]:
        """
        Return what all processes have said since an instant.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        c = lone_breakers.c
        query = select(c.service, c.unwell_since, c.well_since).where(c.seen_at > since)

        def ask() -> Sequence[Condition]:
            with self._engine.connect() as connection:
                return [Condition(**row) for row in connection.execute(query).mappings()]

        return await self._readers.glance(ask)


class LoneBreakerNotes:
    """
    Notes every `seconds` how the breakers stand that are this process's own; `run` ends when it is cancelled.

    `rejected` tells since when this process knows companies' keys to be rejected.
    """

    def __init__(
        self,
        breakers: Breakers,
        stored: StoredLoneBreakers,
        *,
        names: Sequence[str],
        rejected: Callable[[], Mapping[str, datetime]],
        clock: Clock,
        seconds: float,
    ) -> None:
        self._breakers = breakers
        self._stored = stored
        self._names = names
        self._rejected = rejected
        self._clock = clock
        self._seconds = seconds
        self._unwell: Mapping[str, bool] = {}

    async def run(self) -> None:
        """Note, and wait."""
        while True:
            await asyncio.sleep(self._seconds)
            await self.note()

    async def note(self) -> None:
        """Note what is not closed, and once more what no longer is; as long as all is well, nothing is written."""
        now = self._clock.now()
        found = [self._own(await self._breakers.snapshot(name), now=now) for name in self._names]
        found += self._keys(now)
        news = [one for one in found if one.unwell_since is not None or self._unwell.get(one.service)]
        try:
            if news:
                await self._stored.note(news, now=now)
        except AppointmentDatabaseError as error:
            _log.warning("alert.note.left", **error.as_log())
            return
        self._unwell = {one.service: one.unwell_since is not None for one in found}

    def _keys(self, now: datetime) -> Iterator[Condition]:
        rejected = {f"{KEY}{company}": since for company, since in self._rejected().items()}
        for name, since in rejected.items():
            yield Condition(service=name, unwell_since=since, well_since=None)
        for name, unwell in self._unwell.items():
            if unwell and name.startswith(KEY) and name not in rejected:
                yield Condition(service=name, unwell_since=None, well_since=now)

    def _own(self, snapshot: Snapshot, *, now: datetime) -> Condition:
        if snapshot.shared:
            # The fleet's is for everybody to see; what this process thought by itself is over.
            return Condition(service=snapshot.name, unwell_since=None, well_since=now)
        return condition_of(snapshot, now=now)
