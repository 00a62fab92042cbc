"""
Who is busy, asked in one statement whose cost does not grow with what was ever booked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CompoundSelect, Connection, Engine, insert, text
from sqlalchemy.dialects import postgresql, sqlite

from adapters.database.reading import Readers
from adapters.database.tables import appointments, slot_claims
from adapters.database.taken import DatabaseTaken, busy_query
from domain.errors import AppointmentDatabaseError
from domain.period import Period

TEN = datetime(2027, 3, 2, 10, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
HOUR = Period(starts_at=TEN, ends_at=TEN + 2 * HALF_HOUR)


def times(starts_at: datetime) -> dict[str, Any]:
    return {"starts_at": starts_at, "ends_at": starts_at + HALF_HOUR, "created_at": TEN}


def row(staff_id: str, starts_at: datetime, **more: object) -> dict[str, Any]:
    booking_id = uuid4()
    return {
        "id": uuid4(),
        "company_id": "acme",
        "booking_id": booking_id,
        "idempotency_key": str(booking_id),
        "service_id": "cut",
        "customer_id": UUID(int=1),
        "staff_id": staff_id,
        "status": "booked",
        "source": "test",
        "retry_count": 0,
        "sync_attempt_count": 0,
        "overlap_allowed": False,
        "updated_at": TEN,
        **times(starts_at),
        **more,
    }


def claim(staff_id: str, starts_at: datetime) -> dict[str, Any]:
    return {
        "booking_id": uuid4(),
        "company_id": "acme",
        "customer_id": uuid4(),
        "service_id": "cut",
        "staff_id": staff_id,
        "starts_epoch": int(starts_at.timestamp()),
        "allow_near_duplicate": False,
        **times(starts_at),
    }


async def test_it_is_what_is_claimed_and_what_is_booked_of_those_who_are_asked_for(engine: Engine) -> None:
    rows = [
        row("ada", TEN),
        row("ada", TEN + HALF_HOUR, status="cancelled"),
        row("ada", TEN, overlap_allowed=True),
        row("ada", TEN - HALF_HOUR),
        row("ada", TEN + 2 * HALF_HOUR),
        row("ben", TEN + HALF_HOUR, company_id="other"),
        row("cal", TEN),
    ]
    claims = [claim("ben", TEN + HALF_HOUR), claim("ben", TEN + 3 * HALF_HOUR), claim("cal", TEN + HALF_HOUR)]
    with engine.begin() as connection:
        connection.execute(insert(appointments), rows)
        connection.execute(insert(slot_claims), claims)
    readers = Readers(threads=1, limit=30, database_error=lambda _: AppointmentDatabaseError("away", kind="other"))
    taken = DatabaseTaken(engine=engine, readers=readers)

    found = await taken.busy(HOUR, company_id="acme", staff_ids=["ada", "ben", "o'hara"])
    of_ada = await taken.by_staff("ada", HOUR, company_id="acme")
    of_cut = await taken.by_service("cut", HOUR, company_id="acme")
    readers.close()

    expected = [rows[0], rows[2], claims[0]]
    assert sorted((one["booking_id"], one["staff_id"], one["starts_at"]) for one in expected) == (
        sorted((one.booking_id, one.staff_id, one.period.starts_at) for one in found)
    )
    assert [(TEN, TEN + HALF_HOUR)] * 2 == [(one.starts_at, one.ends_at) for one in of_ada]
    assert 5 == len(of_cut)


def test_it_reads_no_table_from_end_to_end(engine: Engine) -> None:
    # Of many members of staff, over a year.
    rows = [row(f"staff-{number % 40}", TEN + (number // 40) * HALF_HOUR) for number in range(8000)]
    with engine.begin() as connection:
        connection.execute(insert(appointments), rows)
        connection.execute(text("ANALYZE"))
        staff_ids = ["staff-1", "staff-2", "staff-3"]
        query = busy_query(HOUR, company_id="acme", staff_ids=staff_ids, dialect=engine.dialect.name)
        told = "\n".join(plan(connection, query))

    assert "appointments" in told
    assert "Seq Scan on appointments" not in told, told
    assert "SCAN appointments" not in told, told


def plan(connection: Connection, query: CompoundSelect[Any]) -> list[str]:
    """
    How the database would go about it.
    """
    dialect = connection.dialect.name
    compiled = query.compile(
        dialect=postgresql.dialect() if dialect == "postgresql" else sqlite.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    explain = "EXPLAIN" if dialect == "postgresql" else "EXPLAIN QUERY PLAN"
    return [str(line[-1]) for line in connection.exec_driver_sql(f"{explain} {compiled}")]
