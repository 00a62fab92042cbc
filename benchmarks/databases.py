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
from projections.catalog import PROJECTIONS
from tests.servers.postgres import PostgresServer

STEADY_EVENT_TYPE = 1
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


EVENTS_A_BOOKING = 4
# Bookings of the past: their events, their appointments, their rows in the list, as if they had been followed.
PAST = (
    """
    INSERT INTO stored_events (originator_id, originator_version, topic, state)
    SELECT md5(booking::text)::uuid, version, 'booking.past.v1', convert_to(repeat('x', 700), 'UTF8')
    FROM generate_series(1, %(bookings)s) AS bookings (booking), generate_series(1, 4) AS versions (version)
    """,
    """
    INSERT INTO appointments (id, company_id, booking_id, idempotency_key, calcom_booking_uid, service_id, customer_id,
                              staff_id, starts_at, ends_at, status, source)
    SELECT md5('a' || n)::uuid, 'default', md5(n::text)::uuid, 'past' || n, 'past' || n, 'steady', md5('c' || n)::uuid,
           'staff' || n %% 64, timestamptz '2000-01-01' + n / 64 * interval '30 minutes',
           timestamptz '2000-01-01' + (n / 64 + 1) * interval '30 minutes', 'booked', 'past'
    FROM generate_series(1, %(bookings)s) AS numbers (n)
    """,
    """
    INSERT INTO projection_checkpoints (name, position, updated_at)
    SELECT name, max(notification_id), now() FROM stored_events, unnest(%(followers)s::text[]) AS followers (name)
    GROUP BY name
    """,
    "ANALYZE",
)


@contextmanager
def fresh(kind: str, server: PostgresServer, *, past_events: int = 0) -> Iterator[str]:
    """
    Yield the URL of a database of this kind, `sqlite` or `postgres`.

    On PostgreSQL it may hold the events of past bookings, to see what a long log costs.
    """
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
        if past_events:
            with psycopg.connect(url) as past:
                values = {"bookings": past_events // EVENTS_A_BOOKING, "followers": [one.name for one in PROJECTIONS]}
                for statement in PAST:
                    past.execute(statement, values if "%(" in statement else None)
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
