"""An empty, migrated database with the two services that the callers book."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.callers import DOOMED, STEADY
from benchmarks.mock_calendar import DOOMED_EVENT_TYPE, DOOMED_UIDS
from migrations.runner import migrate
from tests.servers.postgres import PostgresServer

STEADY_EVENT_TYPE = 1

SERVICES = f"""
INSERT INTO services (company_id, service_id, name, duration_minutes, calcom_event_type_id)
VALUES ('default', '{STEADY}', 'Steady', 30, {STEADY_EVENT_TYPE}),
       ('default', '{DOOMED}', 'Doomed', 30, {DOOMED_EVENT_TYPE})
"""
# These rows hold the uids that the mock gives for the doomed service, so that its appointments are refused.
IN_THE_WAY = """
INSERT INTO appointments (id, company_id, booking_id, idempotency_key, calcom_booking_uid, service_id, customer_id,
                          starts_at, ends_at, status, source)
SELECT {id}, 'elsewhere', {id}, n, 'doomed' || n, 'none', {id}, {now}, {later}, 'cancelled', 'bench'
FROM {numbers}
"""
ON_POSTGRES = IN_THE_WAY.format(
    id="md5(n::text)::uuid",
    now="now()",
    later="now() + interval '1 hour'",
    numbers=f"generate_series(0, {DOOMED_UIDS - 1}) AS numbers(n)",
)


@contextmanager
def fresh(kind: str, server: PostgresServer) -> Iterator[str]:
    """Yield the URL of a database of this kind, `sqlite` or `postgres`."""
    with TemporaryDirectory() as folder:
        if kind == "sqlite":
            url = f"sqlite:///{folder}/bench.db"
            migrate(url)
            _fill_sqlite(Path(folder) / "bench.db")
        else:
            url = server.create_database(f"bench_{Path(folder).name.lower()}")
            migrate(url)
            with psycopg.connect(url) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
                connection.execute(SERVICES)
                connection.execute(ON_POSTGRES)
        yield url


def _fill_sqlite(path: Path) -> None:
    numbers = (
        f"(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < {DOOMED_UIDS - 1}) SELECT n FROM c)"
    )
    rows = IN_THE_WAY.format(
        id="printf('%032x', n)", now="'2020-01-01T00:00:00+00:00'", later="'2020-01-01T01:00:00+00:00'", numbers=numbers
    )
    with sqlite3.connect(path) as connection:
        connection.execute(SERVICES)
        connection.execute(rows)
