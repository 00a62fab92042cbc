"""
What read models need of the log, and what a read model is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, Table

from sagas.appending import Recorded


class Unreadable(Protocol):
    """An event whose stored form cannot be read."""

    @property
    def stream_id(self) -> UUID:
        """Return the stream that it belongs to."""
        ...

    @property
    def position(self) -> int:
        """Return its place in the whole log."""
        ...

    @property
    def problem(self) -> str:
        """Return why it cannot be read."""
        ...


Entry: TypeAlias = Recorded | Unreadable


class EventSource(Protocol):
    """The log, for whoever reads it from the beginning to the end."""

    async def read_all(self, *, after: int, limit: int) -> Sequence[Entry]:
        """Return up to `limit` events of all streams after a position; none is ever added in between later."""
        ...

    async def head(self) -> int:
        """Return the position of the newest event, 0 if there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """
    A read model: its name, its tables, and how recorded events change them.

    `apply` is given the tables to write, which during a rebuild are not those that are
    read, and events in the order of the log, each of them once. Rows of the tables in
    `once` ask somebody for something: a rebuild adds what is missing, and nothing else.
    """

    name: str
    tables: tuple[Table, ...]
    apply: Callable[[Connection, Sequence[Table], Sequence[Recorded]], None]
    once: tuple[Table, ...] = ()
