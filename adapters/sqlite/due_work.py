"""Due work in SQLite. Each statement is a transaction of its own."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from adapters.database.clock import DatabaseClock, elapsed
from adapters.sqlite.errors import database_error
from adapters.sqlite.file import DatabaseFile
from adapters.sqlite.session import BUSY_SECONDS
from adapters.sqlite.values import CLOCK_UNIT
from sagas.engine import IN_LINE, IN_TURN, NORMAL
from sagas.ports import Claimed

_LINE: Final = {"in_turn": IN_TURN, "in_line": IN_LINE}

CLAIM: Final = """
UPDATE saga_due SET
    due_at = strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now', :lease || ' seconds'),
    lease_token = lower(hex(randomblob(16))),
    attempt = saga_due.attempt + 1
FROM (
    SELECT saga_id, priority, due_at FROM saga_due
    WHERE due_at <= strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now') AND priority NOT BETWEEN :in_turn AND :in_line
    ORDER BY priority, due_at
    LIMIT :limit
) AS urgent
WHERE saga_due.saga_id = urgent.saga_id
RETURNING saga_id, lease_token, attempt, priority
"""

# In the order of the appointments. What is claimed leaves the line: if its process dies, it is in nobody's way.
CLAIM_IN_LINE: Final = """
UPDATE saga_due SET
    due_at = strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now', :lease || ' seconds'),
    priority = :normal,
    lease_token = lower(hex(randomblob(16))),
    attempt = attempt + 1
WHERE saga_id = (
    SELECT due.saga_id FROM saga_due AS due
    WHERE due.priority BETWEEN :in_turn AND :in_line AND due.due_at <= strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')
    ORDER BY
        (SELECT min(starts_at) FROM slot_claims WHERE booking_id = due.saga_id) NULLS LAST,
        due.due_at,
        due.saga_id
    LIMIT 1
)
RETURNING saga_id, lease_token, attempt
"""

RELEASE: Final = """
UPDATE saga_due SET due_at = strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now'), lease_token = NULL
WHERE saga_id = :saga_id AND lease_token = :lease_token
"""

WAKE: Final = """
UPDATE saga_due SET due_at = strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')
WHERE saga_id = :saga_id
    AND lease_token IS NULL
    AND due_at > strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')
"""

NEXT_DUE: Final = "SELECT min(due_at), strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now') FROM saga_due"
NEXT_DUE_OF: Final[Mapping[bool | None, str]] = {
    None: NEXT_DUE,
    True: NEXT_DUE + " WHERE priority BETWEEN :in_turn AND :in_line",
    False: NEXT_DUE + " WHERE priority NOT BETWEEN :in_turn AND :in_line",
}


class SQLiteDueWork:
    """Claim, give back and foresee due work; every method blocks its thread."""

    def __init__(self, path: str, clock: DatabaseClock, *, file: DatabaseFile) -> None:
        self._path = path
        self._file = file
        self._clock = clock

    def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        """Take up to `limit` sagas that are due, most urgent first, and nobody who waits in line."""
        parameters = {"limit": limit, "lease": _seconds(lease), **_LINE}
        with self._connection() as connection:
            rows = connection.execute(CLAIM, parameters).fetchall()
        return [
            Claimed(saga_id=UUID(saga_id), token=UUID(token), attempt=attempt)
            for saga_id, token, attempt, _ in sorted(rows, key=lambda row: int(row[3]))
        ]

    def claim_in_line(self, *, lease: timedelta) -> Claimed | None:
        """Take whoever is first of those who are due in line, by when their appointment starts."""
        with self._connection() as connection:
            rows = connection.execute(CLAIM_IN_LINE, {"lease": _seconds(lease), "normal": NORMAL, **_LINE}).fetchall()
        for saga_id, token, attempt in rows:
            return Claimed(saga_id=UUID(saga_id), token=UUID(token), attempt=attempt)
        return None

    def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        """Make leased work due at once."""
        rows = [{"saga_id": saga_id.hex, "lease_token": token.hex} for saga_id, token in claimed]
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(RELEASE, rows)
            connection.execute("COMMIT")

    def wake(self, saga_id: UUID) -> None:
        """Make a saga that waits due at once; one that is leased or due already is left as it is."""
        with self._connection() as connection:
            connection.execute(WAKE, {"saga_id": saga_id.hex})

    def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        """Return how long until the next work is due, not less than nothing: in line, not in line, or either."""
        with self._connection() as connection:
            asked_at = elapsed()
            due_at, read = connection.execute(NEXT_DUE_OF[in_line], _LINE).fetchone()
        now = datetime.fromisoformat(read)
        self._clock.observe(now, asked_at=asked_at, unit=CLOCK_UNIT)
        return None if due_at is None else max(datetime.fromisoformat(due_at) - now, timedelta(0))

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            self._file.check()
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_SECONDS)
            try:
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as exc:
            raise database_error(exc) from exc


def _seconds(lease: timedelta) -> str:
    return f"{lease.total_seconds():+.6f}"
