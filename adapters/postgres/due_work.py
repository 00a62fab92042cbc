"""
Due work in PostgreSQL. Each statement is a transaction of its own.

None waits for a row that another holds, but for a wake: it must see what an append that is under way makes of the row.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
from eventsourcing.persistence import PersistenceError
from eventsourcing.postgres import PostgresDatastore

from adapters.database.clock import DatabaseClock, elapsed
from adapters.postgres.errors import database_error
from sagas.engine import IN_LINE, IN_TURN, NORMAL
from sagas.ports import Claimed

_LINE: Final = {"in_turn": IN_TURN, "in_line": IN_LINE}

# statement_timestamp(), unlike clock_timestamp(), can be looked up in an index.
CLAIM: Final = """
WITH urgent AS (
    SELECT saga_id, due_at, priority FROM saga_due
    WHERE due_at <= statement_timestamp() AND priority NOT BETWEEN %(in_turn)s AND %(in_line)s
    ORDER BY priority, due_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE saga_due SET
        due_at = clock_timestamp() + %(lease)s,
        lease_token = gen_random_uuid(),
        attempt = saga_due.attempt + 1
    FROM urgent
    WHERE saga_due.saga_id = urgent.saga_id
    RETURNING saga_due.saga_id, saga_due.lease_token, saga_due.attempt, urgent.priority, urgent.due_at AS was_due_at
)
SELECT saga_id, lease_token, attempt, clock_timestamp() AS now FROM claimed ORDER BY priority, was_due_at
"""

# In the order of the appointments. What is claimed leaves the line: if its process dies, it is in nobody's way.
CLAIM_IN_LINE: Final = """
WITH first AS (
    SELECT saga_id FROM saga_due
    WHERE priority BETWEEN %(in_turn)s AND %(in_line)s AND due_at <= statement_timestamp()
    ORDER BY (SELECT min(starts_at) FROM slot_claims WHERE booking_id = saga_due.saga_id) NULLS LAST, due_at, saga_id
    LIMIT 1
    FOR UPDATE OF saga_due SKIP LOCKED
)
UPDATE saga_due SET
    due_at = clock_timestamp() + %(lease)s,
    priority = %(normal)s,
    lease_token = gen_random_uuid(),
    attempt = saga_due.attempt + 1
FROM first
WHERE saga_due.saga_id = first.saga_id
RETURNING saga_due.saga_id, saga_due.lease_token, saga_due.attempt, clock_timestamp() AS now
"""

RELEASE: Final = """
UPDATE saga_due SET due_at = clock_timestamp(), lease_token = NULL
WHERE saga_id IN (
    SELECT saga_due.saga_id FROM saga_due
    JOIN unnest(%(saga_id)s::uuid[], %(lease_token)s::uuid[]) AS leased (saga_id, lease_token)
        USING (saga_id, lease_token)
    FOR UPDATE OF saga_due SKIP LOCKED
)
"""

WAKE: Final = """
UPDATE saga_due SET due_at = clock_timestamp()
WHERE saga_id = %(saga_id)s AND lease_token IS NULL AND due_at > clock_timestamp()
"""

NEXT_DUE: Final = "SELECT min(due_at) - clock_timestamp() AS wait, clock_timestamp() AS now FROM saga_due"
NEXT_DUE_OF: Final[Mapping[bool | None, str]] = {
    None: NEXT_DUE,
    True: NEXT_DUE + " WHERE priority BETWEEN %(in_turn)s AND %(in_line)s",
    False: NEXT_DUE + " WHERE priority NOT BETWEEN %(in_turn)s AND %(in_line)s",
}


class PostgresDueWork:
    """Claim, give back and foresee due work; every method blocks its thread."""

    def __init__(self, datastore: PostgresDatastore, clock: DatabaseClock) -> None:
        self._datastore = datastore
        self._clock = clock

    def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        """Take up to `limit` sagas that are due, most urgent first, and nobody who waits in line."""
        return [_claimed(row) for row in self._ask(CLAIM, {"limit": limit, "lease": lease, **_LINE})]

    def claim_in_line(self, *, lease: timedelta) -> Claimed | None:
        """Take whoever is first of those who are due in line, by when their appointment starts."""
        rows = self._ask(CLAIM_IN_LINE, {"lease": lease, "normal": NORMAL, **_LINE})
        return _claimed(rows[0]) if rows else None

    def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        """Make leased work due at once."""
        columns = {"saga_id": [saga_id for saga_id, _ in claimed], "lease_token": [token for _, token in claimed]}
        with self._connection() as connection:
            connection.execute(RELEASE, columns)

    def wake(self, saga_id: UUID) -> None:
        """Make a saga that waits due at once; one that is leased or due already is left as it is."""
        with self._connection() as connection:
            connection.execute(WAKE, {"saga_id": saga_id})

    def next_due(self, *, in_line: bool | None = None) -> timedelta | None:
        """Return how long until the next work is due, not less than nothing: in line, not in line, or either."""
        wait: timedelta | None = self._ask(NEXT_DUE_OF[in_line], _LINE)[0]["wait"]
        return None if wait is None else max(wait, timedelta(0))

    def _ask(self, query: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        with self._connection() as connection:
            asked_at = elapsed()
            rows = connection.execute(query, parameters, prepare=True).fetchall()
        if rows:
            self._clock.observe(rows[0]["now"], asked_at=asked_at)
        return rows

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        try:
            with self._datastore.get_connection() as connection:
                yield connection
        except PersistenceError as exc:
            raise database_error(exc.__cause__ or exc) from exc


def _claimed(row: dict[str, Any]) -> Claimed:
    return Claimed(saga_id=row["saga_id"], token=row["lease_token"], attempt=row["attempt"])
