"""
Applying a batch of the log to a read model: rows and checkpoint in one transaction.

It counts only if the checkpoint still is where the batch begins, so whoever comes
second changes nothing. An event that cannot be applied parks its own stream.
"""

from collections.abc import Callable, Sequence
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
        self._name = name
        self._probe = probe
        self._apply = projection.apply
        self._tables = tables
        self._engine = engine

    def position(self) -> int:
        """Return the checkpoint; it is written if there is none yet."""
        with self._engine.connect() as connection:
            position = checkpoints.position_of(connection, self._name)
        if position is None:
            with self._engine.begin() as connection:
                checkpoints.begin(connection, self._name)
        return position or 0

    def progress(self) -> tuple[int, tuple[Parked, ...]]:
        """Return the checkpoint and what is parked."""
        with self._engine.connect() as connection:
            position = checkpoints.position_of(connection, self._name) or 0
            return position, checkpoints.parked_by(connection, self._name)

    def apply(self, entries: Sequence[Entry], *, after: int) -> bool:
        """Apply what follows on a position, and tell whether the checkpoint still was there."""
        self._probe(f"follower.before:{self._name}")
        with self._engine.begin() as connection:
            # First of all, so that the checkpoint's row is locked before anything is done for nothing.
            if not checkpoints.advance(connection, self._name, expected=after, to=entries[-1].position):
                return False
            left_out = {one.stream_id for one in checkpoints.parked_by(connection, self._name)}
            readable, parked = _sorted_out(entries, left_out)
            parked |= self._apply_or_park(connection, readable)
            checkpoints.park(connection, self._name, parked.values())
            self._probe(f"follower.written:{self._name}")
        self._probe(f"follower.after:{self._name}")
        return True

    def take_in(self, stream_id: UUID, missed: Sequence[Recorded], *, at: int) -> bool | None:
        """Unpark a stream; False if its events still cannot be applied, None if the checkpoint has moved meanwhile."""
        with self._engine.begin() as connection:
            if not checkpoints.advance(connection, self._name, expected=at, to=at):
                return None
            if self._problem(connection, missed) is not None:
                return False
            checkpoints.unpark(connection, self._name, stream_id)
        return True

    def _apply_or_park(self, connection: Connection, recorded: Sequence[Recorded]) -> dict[UUID, Parked]:
        parked: dict[UUID, Parked] = {}
        if self._problem(connection, recorded) is None:
            return parked
        # One of them is poison: each is tried by itself, so that the others are not lost with it.
        for one in recorded:
            if one.stream_id not in parked:
                problem = self._problem(connection, [one])
                if problem is not None:
                    parked[one.stream_id] = _parked(one, said_of(problem))
        return parked

    def _problem(self, connection: Connection, recorded: Sequence[Recorded]) -> Exception | None:
        """Apply events, all or none; return the error if one of them is to blame for it."""
        try:
            with connection.begin_nested():
                self._apply(connection, self._tables, recorded)
        except Exception as problem:
            if not is_poison(problem):
                raise
            return problem
        return None


def _sorted_out(entries: Sequence[Entry], left_out: set[UUID]) -> tuple[list[Recorded], dict[UUID, Parked]]:
    readable: list[Recorded] = []
    parked: dict[UUID, Parked] = {}
    for entry in entries:
        if entry.stream_id in left_out or entry.stream_id in parked:
            continue
        if isinstance(entry, Recorded):
            readable.append(entry)
        else:
            parked[entry.stream_id] = _parked(entry, entry.problem)
    return readable, parked


def _parked(entry: Entry, error: str) -> Parked:
    return Parked(stream_id=entry.stream_id, position=entry.position, error=error, parked_at=datetime.now(UTC))
