"""
Applying a batch of the log to read models: rows and checkpoints in one transaction.

It counts only if the checkpoints still are where the batch begins, so whoever comes
second changes nothing. An event that cannot be applied parks its own stream.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Engine, Table

from projections import checkpoints
from projections.checkpoints import Parked
from projections.poison import is_poison, said_of
from projections.source import Entry, Projection
from sagas.appending import Recorded

Probe: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch: the events that can be read, and where a stream cannot be read any further."""

    readable: Sequence[Recorded]
    unreadable: Mapping[UUID, Parked]


class Applier:
    """
    Writes one read model; blocking. The name is that of its checkpoint.

    `probe` is told where a test can make a batch die: before it, when all is written, and once it is committed.
    """

    def __init__(
        self,
        projection: Projection,
        *,
        engine: Engine,
        name: str,
        tables: Sequence[Table],
        probe: Probe = lambda _: None,
    ) -> None:
        self.name = name
        self.probe = probe
        self.engine = engine
        self._apply = projection.apply
        self._tables = tables

    def progress(self) -> tuple[int, tuple[Parked, ...]]:
        """Return the checkpoint and what is parked."""
        with self.engine.connect() as connection:
            position = checkpoints.position_of(connection, self.name) or 0
            return position, checkpoints.parked_by(connection, self.name)

    def write(self, connection: Connection, batch: Sorted) -> None:
        """Apply what can be read of a batch, and park the streams that cannot be applied."""
        self.park(connection, {**batch.unreadable, **self._apply_or_park(connection, batch.readable)})

    def apply(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        """Apply events."""
        self._apply(connection, self._tables, recorded)

    def park(self, connection: Connection, streams: Mapping[UUID, Parked]) -> None:
        """Leave these streams out from now on."""
        checkpoints.park(connection, self.name, streams.values())

    def take_in(self, stream_id: UUID, missed: Sequence[Recorded], *, at: int) -> bool | None:
        """Unpark a stream; False if its events still cannot be applied, None if the checkpoint has moved meanwhile."""
        with self.engine.begin() as connection:
            if not checkpoints.advance(connection, [self.name], expected=at, to=at):
                return None
            if self.problem(connection, missed) is not None:
                return False
            checkpoints.unpark(connection, self.name, stream_id)
        return True

    def problem(self, connection: Connection, recorded: Sequence[Recorded]) -> Exception | None:
        """Apply events, all or none; return the error if one of them is to blame for it."""
        return _problem(connection, lambda: self.apply(connection, recorded))

    def _apply_or_park(self, connection: Connection, recorded: Sequence[Recorded]) -> dict[UUID, Parked]:
        parked: dict[UUID, Parked] = {}
        if self.problem(connection, recorded) is None:
            return parked
        # One of them is poison: each is tried by itself, so that the others are not lost with it.
        for one in recorded:
            if one.stream_id not in parked:
                problem = self.problem(connection, [one])
                if problem is not None:
                    parked[one.stream_id] = _parked(one, said_of(problem))
        return parked


def positions(appliers: Sequence[Applier]) -> dict[str, int]:
    """Return the checkpoint of each; those that are not there yet are written."""
    names = [one.name for one in appliers]
    with appliers[0].engine.connect() as connection:
        found = checkpoints.positions_of(connection, names)
    missing = [name for name in names if name not in found]
    if missing:
        with appliers[0].engine.begin() as connection:
            for name in missing:
                checkpoints.begin(connection, name)
    return {name: found.get(name, 0) for name in names}


def apply_together(appliers: Sequence[Applier], entries: Sequence[Entry], *, after: int) -> bool:
    """Apply what follows on a position, and tell whether all checkpoints still were there; if not, nothing changes."""
    in_order = sorted(appliers, key=lambda one: one.name)
    _tell(in_order, "before")
    with in_order[0].engine.connect() as connection, connection.begin() as transaction:
        # First of all, so that the rows are locked before anything is done for nothing.
        names = [one.name for one in in_order]
        if not checkpoints.advance(connection, names, expected=after, to=entries[-1].position):
            transaction.rollback()
            return False
        left_out = checkpoints.parked_streams(connection, names)
        # Those that have nothing parked, which is all of them nearly always, share one.
        whole = sorted_out(entries, left_out=set())
        _write_all(
            connection,
            {
                one: sorted_out(entries, left_out=left_out[one.name]) if one.name in left_out else whole
                for one in in_order
            },
        )
        _tell(in_order, "written")
    _tell(in_order, "after")
    return True


def _write_all(connection: Connection, batches: Mapping[Applier, Sorted]) -> None:
    """Write all with one savepoint; only if one of them cannot be applied, each with its own."""

    def apply() -> None:
        for one, batch in batches.items():
            one.apply(connection, batch.readable)

    if _problem(connection, apply) is None:
        for one, batch in batches.items():
            one.park(connection, batch.unreadable)
    else:
        for one, batch in batches.items():
            one.write(connection, batch)


def _problem(connection: Connection, apply: Callable[[], None]) -> Exception | None:
    """Do it, all or nothing; return the error if an event is to blame for it."""
    try:
        with connection.begin_nested():
            apply()
    except Exception as problem:
        if not is_poison(problem):
            raise
        return problem
    return None


def _tell(appliers: Sequence[Applier], point: str) -> None:
    for one in appliers:
        one.probe(f"follower.{point}:{one.name}")


def sorted_out(entries: Sequence[Entry], *, left_out: set[UUID]) -> Sorted:
    """Sort a batch, without the streams that are parked already."""
    readable: list[Recorded] = []
    unreadable: dict[UUID, Parked] = {}
    for entry in entries:
        if (left_out and entry.stream_id in left_out) or (unreadable and entry.stream_id in unreadable):
            continue
        if isinstance(entry, Recorded):
            readable.append(entry)
        else:
            unreadable[entry.stream_id] = _parked(entry, entry.problem)
    return Sorted(readable, unreadable)


def _parked(entry: Entry, error: str) -> Parked:
    return Parked(stream_id=entry.stream_id, position=entry.position, error=error, parked_at=datetime.now(UTC))
