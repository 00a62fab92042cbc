"""An empty, migrated database with the two services that the callers book."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import psycopg
from sqlalchemy import Connection

from adapters.database.engine import open_engine
from adapters.database.tables import appointments, services
from benchmarks.callers import DOOMED, STEADY
from benchmarks.mock_calendar import DOOMED_EVENT_TYPE, DOOMED_UIDS
from migrations.runner import migrate
from tests.servers.postgres import PostgresServer

STEADY_EVENT_TYPE = 1
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@contextmanager
def fresh(kind: str, server: PostgresServer) -> Iterator[str]:
    """Yield the URL of a database of this kind, `sqlite` or `postgres`."""
    with TemporaryDirectory() as folder:
        if kind == "sqlite":
            url = f"sqlite:///{folder}/bench.db"
        else:
            url = server.create_database(f"bench_{Path(folder).name.lower()}")
            with psycopg.connect(url) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        migrate(url)
        engine = open_engine(url)
        with engine.begin() as connection:
            _define_services(connection)
            _stand_in_the_way(connection)
        engine.dispose()
        yield url


def _define_services(connection: Connection) -> None:
    for service_id, event_type_id in ((STEADY, STEADY_EVENT_TYPE), (DOOMED, DOOMED_EVENT_TYPE)):
        connection.execute(
            services.insert().values(
                company_id="default",
                service_id=service_id,
                name=service_id,
                duration_minutes=30,
                calcom_event_type_id=event_type_id,
                notice_minutes=0,
                sends_length=False,
                created_at=LONG_AGO,
                updated_at=LONG_AGO,
            )
        )


def _stand_in_the_way(connection: Connection) -> None:
    """Write rows with the uids that the mock gives for the doomed service, so that its appointments are refused."""
    rows = [
        {
            "id": UUID(int=number),
            "company_id": "elsewhere",
            "booking_id": UUID(int=number),
            "idempotency_key": str(number),
            "calcom_booking_uid": f"doomed{number}",
            "service_id": "none",
            "customer_id": UUID(int=0),
            "starts_at": LONG_AGO,
            "ends_at": LONG_AGO + timedelta(hours=1),
            "status": "cancelled",
            "source": "bench",
            "created_at": LONG_AGO,
            "updated_at": LONG_AGO,
        }
        for number in range(DOOMED_UIDS)
    ]
    connection.execute(appointments.insert(), rows)
