"""
Due work in PostgreSQL. Each statement is a transaction of its own.

None waits for a row that another holds, but for a wake: it must see what an append that is under way makes of the row.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
from eventsourcing.persistence import PersistenceError
from eventsourcing.postgres import PostgresDatastore

from adapters.database.clock import DatabaseClock, elapsed
from adapters.postgres.errors import database_error
from sagas.ports import Claimed

# statement_timestamp(), unlike clock_timestamp(), can be looked up in an index.
CLAIM: Final = """
WITH urgent AS (
    SELECT saga_id, due_at, priority FROM saga_due
    WHERE due_at <= statement_timestamp()
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


class PostgresDueWork:
    """Claim, give back and foresee due work; every method blocks its thread."""

    def __init__(self, datastore: PostgresDatastore, clock: DatabaseClock) -> None:
        self._datastore = datastore
        self._clock = clock

    def claim(self, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        """Take up to `limit` sagas that are due, most urgent first."""
        return [
            Claimed(saga_id=row["saga_id"], token=row["lease_token"], attempt=row["attempt"])
            for row in self._ask(CLAIM, {"limit": limit, "lease": lease})
        ]

    def release(self, claimed: Sequence[tuple[UUID, UUID]]) -> None:
        """Make leased work due at once."""
        columns = {"saga_id": [saga_id for saga_id, _ in claimed], "lease_token": [token for _, token in claimed]}
        with self._connection() as connection:
            connection.execute(RELEASE, columns)

    def wake(self, saga_id: UUID) -> None:
        """Make a saga that waits due at once; one that is leased or due already is left as it is."""
        with self._connection() as connection:
            connection.execute(WAKE, {"saga_id": saga_id})

    def next_due(self) -> timedelta | None:
        """Return how long until the next work is due, not less than nothing."""
        wait: timedelta | None = self._ask(NEXT_DUE, {})[0]["wait"]
        return None if wait is None else max(wait, timedelta(0))

    def _ask(self, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
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
