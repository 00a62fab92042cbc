"""What one kind of database brings along for a store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder

from adapters.pools import PoolState
from adapters.recording.batch import WriteBatch
from adapters.recording.mapper import EventMapper
from adapters.recording.probing import Probe, ignore
from domain.errors import AppointmentDatabaseError
from sagas.ports import Claimed


class DueWork(Protocol):
    """The agenda's questions, blocking."""

    def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        """Take up to `limit` sagas that are due, most urgent first, and nobody who waits in line."""
        ...

    def claim_in_line(self, *, lease: timedelta) -> Claimed | None:
        """Take whoever is first of those who are due in line."""
        ...

    def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        """Make leased work due at once."""
        ...

    def wake(self, saga_id: UUID) -> None:
        """Make a saga that waits due at once."""
        ...

    def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        """Return how long until the next work is due: in line, not in line, or either."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    How a database is used: how many seconds to wait for what, by how few and how many readers, with which probe.

    Without a `lock_timeout` it is what suits the kind of database.
    """

    mapper: EventMapper
    probe: Probe = ignore
    connect_timeout: float = 1.0
    lock_timeout: float | None = None
    statement_timeout: float = 10.0
    readers: range = range(1, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """
    A database that is open: its recorder for reading, `append` for writing, its due work, its errors.

    `check` raises the driver's error if what was opened is no longer what its URL means.
    """

    recorder: ApplicationRecorder
    append: WriteBatch
    due_work: DueWork
    database_error: Callable[[BaseException], AppointmentDatabaseError]
    close: Callable[[], None]
    pool: Callable[[], PoolState] | None = None
    check: Callable[[], None] = lambda: None
