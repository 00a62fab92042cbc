"""
Rebuilding a read model while everybody goes on reading it (blue/green).

A second set of tables, with a checkpoint of its own, is filled from the beginning of
the log. When it has overtaken the running read model, one transaction gives the tables
that are read the difference, and the checkpoint with it; readers see either the old
rows or the new ones. Whoever follows the log meanwhile goes on from there.

Each rebuild has tables of its own, so two at once do not meet. One that dies leaves
them behind, and a later one drops them.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, Engine, MetaData, Table, delete, exists, select, true

from projections import checkpoints
from projections.follower import Follower, Reaction, no_reaction
from projections.source import EventSource, Projection
from projections.upserting import upsert_from

ABANDONED_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild has done: `differences` is how many rows were not what the log says."""

    name: str
    position: int
    differences: int


class Rebuild:
    """One rebuild of one read model."""

    def __init__(
        self, projection: Projection, *, engine: Engine, source: EventSource, react: Reaction = no_reaction
    ) -> None:
        token = uuid4().hex[:12]
        self._projection = projection
        self._engine = engine
        self._source = source
        self._prefix = f"{projection.name}.rebuild."
        self._name = self._prefix + token
        self._shadows = _shadows(projection, token)
        # What is done about a batch changes nothing the second time, and what was never done must not be passed over.
        self._follower = Follower(
            projection, engine=engine, source=source, name=self._name, tables=self._shadows, react=react
        )

    async def run(self) -> Rebuilt:
        """Rebuild, and return what was wrong."""
        position = await asyncio.to_thread(self._begin)
        # Only a log that was restored makes a read model step back.
        restored = position > await self._source.head()
        while True:
            await self._follower.catch_up()
            rebuilt = await asyncio.to_thread(self._switch, steps_back=restored)
            if rebuilt is not None:
                return rebuilt

    def _begin(self) -> int:
        with self._engine.begin() as connection:
            # First, because SQLite begins a transaction with the first change to a row only.
            checkpoints.begin(connection, self._name)
            checkpoints.begin(connection, self._projection.name)
            self._clear_up(connection)
            for shadow in self._shadows:
                shadow.create(connection)
            return checkpoints.position_of(connection, self._projection.name) or 0

    def _clear_up(self, connection: Connection) -> None:
        before = datetime.now(UTC) - ABANDONED_AFTER
        for name in checkpoints.untouched_since(connection, before, prefix=self._prefix):
            for shadow in _shadows(self._projection, name.removeprefix(self._prefix)):
                shadow.drop(connection, checkfirst=True)
            checkpoints.forget(connection, name)

    def _switch(self, *, steps_back: bool) -> Rebuilt | None:
        live = self._projection.name
        with self._engine.begin() as connection:
            if not checkpoints.replace_checkpoint(connection, of=live, by=self._name, steps_back=steps_back):
                return None
            pairs = zip(self._projection.tables, self._shadows, strict=True)
            differences = sum(self._take_over(connection, table, shadow) for table, shadow in pairs)
            checkpoints.replace_parked(connection, of=live, by=self._name)
            checkpoints.forget(connection, self._name)
            for shadow in self._shadows:
                shadow.drop(connection)
            position = checkpoints.position_of(connection, live) or 0
        return Rebuilt(name=live, position=position, differences=differences)

    def _take_over(self, connection: Connection, live: Table, shadow: Table) -> int:
        if live in self._projection.once:
            return _add_missing(connection, live, shadow)
        return _make_equal(connection, live, shadow)


def _shadows(projection: Projection, token: str) -> tuple[Table, ...]:
    shadows = tuple(table.to_metadata(MetaData(), name=f"{table.name}_{token}") for table in projection.tables)
    for shadow in shadows:
        # It is written by key and read once, as a whole.
        shadow.indexes.clear()
    return shadows


def _add_missing(connection: Connection, live: Table, shadow: Table) -> int:
    """Add the rows that one table lacks of another, and return how many those were."""
    twin = exists().where(*(live.c[column.name] == column for column in shadow.primary_key))
    return upsert_from(connection, live, select(shadow).where(~twin))


def _make_equal(connection: Connection, live: Table, shadow: Table) -> int:
    """Make one table equal to another, and return how many rows that took."""
    twin = exists().where(*(live.c[column.name] == column for column in shadow.primary_key))
    surplus = connection.execute(delete(live).where(~twin)).rowcount
    different = select(shadow).except_(select(live)).subquery()
    return surplus + upsert_from(connection, live, select(different).where(true()))
