"""What the fleet's calls came to, as the database has it: by process and minute at first, by the hour later on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, func, not_, select, true
from sqlalchemy.dialects import postgresql, sqlite

from adapters.database.failure_metrics import Calls, FailureMetrics
from adapters.database.reading import Readers
from adapters.database.tables import measured_calls
from adapters.measuring.meter import CallKind, Tallies, Tally
from adapters.measuring.sketches import read_sketch
from adapters.turn import turn
from domain.alert_rules import API, CACHE
from domain.failure_detector import minute_of
from domain.service_level import Counts
from projections.upserting import upsert

HOUR = timedelta(hours=1)
KEPT_BY_PROCESS = timedelta(hours=1)
"""How long after an hour has ended its rows are folded to one; who was late until then is folded in later."""
TURN = "measuring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a process counted in a while."""

    starts_at: datetime
    ends_at: datetime
    tallies: Tallies


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """How the calls to a service ended in a while."""

    service: str
    starts_at: datetime
    ends_at: datetime
    counts: Counts


class StoredCalls:
    """The table `measured_calls`, for one process of the fleet; `failures` are made of the same."""

    def __init__(self, *, engine: Engine, readers: Readers, process: str, failures: FailureMetrics) -> None:
        self._engine = engine
        self._readers = readers
        self._process = process
        self._failures = failures

    async def store(self, measured: Measured) -> None:
        """
        Store what was counted in a while, and add it to the failures of its minute; the same again changes nothing.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        rows = [
            _row((measured.starts_at, *kind), self._process, tally, ends_at=measured.ends_at)
            for kind, tally in measured.tallies.items()
        ]

        def write() -> None:
            with self._engine.begin() as connection:
                new = _insert(connection, rows)
                self._failures.add(connection, _failures(measured, new))

        if rows:
            await self._readers.run(write)

    async def tallies(self, *, since: datetime, but_for: Sequence[datetime] = ()) -> Tallies:
        """
        Return what all processes have stored since an instant; `but_for` what this one has from these instants on.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        query = select(measured_calls).where(_since(since), self._others(but_for))

        def ask() -> Tallies:
            found: Tallies = {}
            with self._engine.connect() as connection:
                for row in connection.execute(query):
                    found.setdefault((row.service, row.operation), Tally()).add(_tally(row))
            return found

        return await self._readers.glance(ask)

    async def slices(self, *, since: datetime, but_for: Sequence[datetime] = ()) -> Sequence[Slice]:
        """
        Return how calls ended since an instant, by service and while, the oldest first.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        c = measured_calls.c
        sums = [func.sum(column).label(column.name) for column in (c.succeeded, c.failed, c.refused)]
        query = (
            select(c.service, c.starts_at, c.ends_at, *sums)
            .where(_since(since), self._others(but_for))
            .group_by(c.service, c.starts_at, c.ends_at)
            .order_by(c.starts_at, c.service)
        )

        def ask() -> Sequence[Slice]:
            with self._engine.connect() as connection:
                return [_slice(row) for row in connection.execute(query)]

        return await self._readers.glance(ask)

    async def fold(self, *, now: datetime, keep: timedelta) -> None:
        """
        Fold the hours that are over to one row for each operation, and forget what is older than `keep`.

        Raises:
            AppointmentDatabaseError: the database failed; nothing is lost.

        """
        until = _hour(now - KEPT_BY_PROCESS)

        def write() -> None:
            with self._engine.begin() as connection:
                _fold(connection, until=until)
                connection.execute(delete(measured_calls).where(measured_calls.c.starts_at < now - keep))

        async with turn(self._engine, TURN) as mine:
            # Two at once could each add to what the other one has not written yet.
            if mine:
                await self._readers.run(write)

    def _others(self, but_for: Sequence[datetime]) -> ColumnElement[bool]:
        if not but_for:
            return true()
        c = measured_calls.c
        return not_(and_(c.process == self._process, c.starts_at.in_(but_for)))


def _insert(connection: Connection, rows: Sequence[dict[str, object]]) -> set[CallKind]:
    """Insert what is not there yet, and say what that was: a write that timed out may have gone well."""
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(measured_calls)
    c = measured_calls.c
    inserted = insert.values(rows).on_conflict_do_nothing().returning(c.service, c.operation)
    return {(row.service, row.operation) for row in connection.execute(inserted)}


def _failures(measured: Measured, kinds: Iterable[CallKind]) -> dict[tuple[str, datetime], Calls]:
    found: dict[tuple[str, datetime], Calls] = {}
    for kind in kinds:
        service, tally = kind[0], measured.tallies[kind]
        if service not in {CACHE, API}:
            key = service, minute_of(measured.starts_at)
            calls = Calls(requests=tally.succeeded + tally.failed, failures=tally.failed)
            found[key] = found.get(key, Calls()).plus(calls)
    return found


def _since(since: datetime) -> ColumnElement[bool]:
    # What lasts longest, an hour, may reach into it; only where rows begin is there an index.
    return and_(measured_calls.c.starts_at > since - HOUR, measured_calls.c.ends_at > since)


def _fold(connection: Connection, *, until: datetime) -> None:
    c = measured_calls.c
    # Taken out and put back in one transaction: whoever reads meanwhile sees all of it, once.
    taken = connection.execute(
        delete(measured_calls).where(c.starts_at < until, c.process != "").returning(measured_calls)
    ).all()
    if not taken:
        return
    found: dict[tuple[datetime, str, str], Tally] = {}
    for row in taken:
        found.setdefault((_hour(row.starts_at), row.service, row.operation), Tally()).add(_tally(row))
    hours = {hour for hour, _, _ in found}
    for row in connection.execute(select(measured_calls).where(c.process == "", c.starts_at.in_(hours))):
        known = found.get((row.starts_at, row.service, row.operation))
        if known is not None:
            known.add(_tally(row))
    rows = [_row(key, "", tally, ends_at=key[0] + HOUR) for key, tally in found.items()]
    upsert(connection, measured_calls, rows)


def _row(key: tuple[datetime, str, str], process: str, tally: Tally, *, ends_at: datetime) -> dict[str, object]:
    starts_at, service, operation = key
    return {
        "starts_at": starts_at,
        "service": service,
        "operation": operation,
        "process": process,
        "ends_at": ends_at,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "refused": tally.refused,
        "ignored": tally.ignored,
        "sketch": orjson.dumps(tally.sketch.document()).decode(),
    }


def _tally(row: Row[tuple[object, ...]]) -> Tally:
    return Tally(
        succeeded=row.succeeded,
        failed=row.failed,
        refused=row.refused,
        ignored=row.ignored,
        sketch=read_sketch(orjson.loads(row.sketch)),
    )


def _slice(row: Row[tuple[object, ...]]) -> Slice:
    counts = Counts(succeeded=int(row.succeeded), failed=int(row.failed), refused=int(row.refused))
    return Slice(service=row.service, starts_at=row.starts_at, ends_at=row.ends_at, counts=counts)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def within(slices: Iterable[Slice], since: datetime) -> Counts:
    """Return what of these ended after an instant, together."""
    return sum_of(one.counts for one in slices if one.ends_at > since)


def sum_of(counts: Iterable[Counts]) -> Counts:
    """Return all together."""
    whole = Counts()
    for one in counts:
        whole = whole.plus(one)
    return whole
