"""One batch's transaction in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from psycopg.sql import SQL, Literal

from adapters.database.clock import DatabaseClock, elapsed
from adapters.postgres import statements as sql
from adapters.postgres.claiming import Claims, in_turns
from adapters.postgres.refusals import why_appointment, why_claim, why_move
from adapters.postgres.session import WriterSession
from adapters.recording.batch import Head, Share, sought
from adapters.recording.meeting import CustomerRow, folded
from sagas.appending import (
    Append,
    Customer,
    DueAfter,
    InsertAppointment,
    Lease,
    MoveAppointment,
    NothingDue,
    Refusal,
)

NORMAL_PRIORITY = 5


class PostgresTransaction:
    """Read and write by few statements, each for all rows of its kind."""

    def __init__(self, session: WriterSession, clock: DatabaseClock) -> None:
        self._session = session
        self._clock = clock

    def heads(self, appends: Sequence[Append]) -> Mapping[UUID, Head]:
        """Begin behind the writer lock, read heads, find the people who are sought, and read the database's clock."""
        asked_at = elapsed()
        self._cursor, rows = self._session.begin(_HEADS.format(*_head_columns(appends)))
        self._clock.observe(rows[0][3], asked_at=asked_at)
        return {
            stream_id: Head(version=version or 0, state=state, customer=_known(*known))
            for stream_id, version, state, _, *known in rows
        }

    def rows_after(self, stream_id: UUID, version: int) -> Sequence[StoredEvent]:
        """Read the events of a stream after a version."""
        found = self._cursor.execute(sql.ROWS_AFTER, {"stream_id": stream_id, "version": version})
        return [
            StoredEvent(originator_id=stream_id, originator_version=number, topic=topic, state=bytes(state))
            for number, topic, state in found
        ]

    def insert_claims(self, appends: Sequence[Append]) -> Mapping[UUID, Refusal]:
        """Insert customers and claims, and say who holds what was refused."""
        claims = {one.stream_id: (one, one.claim) for one in appends if one.claim is not None}
        replaced = [one.stream_id for one, _ in claims.values() if one.expected_version]
        if replaced:
            self._cursor.execute(sql.REPLACED_CLAIMS, {"booking_id": replaced})
        customers = _customer_columns([one.customer for one in appends if one.customer is not None])
        if not claims:
            self._cursor.execute(sql.CUSTOMERS, customers, prepare=True)
            return {}
        query = sql.CUSTOMERS_AND_CLAIMS if customers["customer_id"] else sql.CLAIMS
        taken: set[UUID] = set()
        for turn in in_turns([(stream_id, claim) for stream_id, (_, claim) in claims.items()]):
            rows = self._cursor.execute(query, customers | _claim_columns(turn), prepare=True)
            taken |= {row[0] for row in rows}
            query = sql.CLAIMS
        return {
            stream_id: why_claim(self._cursor, one, claim)
            for stream_id, (one, claim) in claims.items()
            if stream_id not in taken
        }

    def insert_appointments(self, appends: Sequence[Append]) -> Mapping[UUID, Refusal]:
        """Insert appointments, and say which constraint refused what was refused."""
        rows = {one.stream_id: one.appointment for one in appends if isinstance(one.appointment, InsertAppointment)}
        inserted = {
            row[0]
            for row in self._cursor.execute(sql.APPOINTMENTS, _appointment_columns(list(rows.values())), prepare=True)
        }
        return {
            stream_id: why_appointment(self._cursor, row)
            for stream_id, row in rows.items()
            if row.booking_id not in inserted
        }

    def move_appointments(self, appends: Sequence[Append]) -> Mapping[UUID, Refusal]:
        """Move appointments, and say which constraint refused what was refused; one that is not booked stays."""
        # One by one: an update knows no ON CONFLICT, and a refusal undoes its whole statement.
        return {
            one.stream_id: why_move(self._cursor, one.appointment)
            for one in appends
            if isinstance(one.appointment, MoveAppointment)
            and not self._session.attempt(self._cursor, sql.MOVED_APPOINTMENT, _move(one.appointment))
        }

    def mark(self) -> None:
        """Remember this point, to come `back` to or to go on from."""
        self._cursor.execute("SAVEPOINT legs")

    def back(self) -> None:
        """Undo all rows since the mark."""
        self._session.undo(self._cursor, "legs")

    def go_on(self) -> None:
        """Keep all rows since the mark."""
        self._cursor.execute("RELEASE SAVEPOINT legs")

    def write(self, shares: Sequence[Share]) -> None:
        """Write all the rest in one statement, made of the parts that have rows."""
        columns = _event_columns(shares) | _due_columns(shares) | _id_columns(shares)
        parts = tuple(name for name, column in _PARTS.items() if columns[column])
        if parts:
            self._cursor.execute(_combined(parts), columns, prepare=True)


_HEADS = SQL("EXECUTE calsaga_heads({}, {}, {}, {}, {})")
_PARTS = {
    # Each part, and the column that is empty when it has no rows.
    "event": "stream_id",
    "due": "due_id",
    "nothing_due": "done_id",
    "released": "released_id",
    "cancelled": "cancelled_id",
}
_STATEMENTS = {
    "event": sql.EVENTS,
    "due": sql.DUE,
    "nothing_due": sql.NOTHING_DUE,
    "released": sql.RELEASED_CLAIMS,
    "cancelled": sql.CANCELLED_APPOINTMENTS,
}


@cache
def _combined(parts: tuple[str, ...]) -> str:
    *aside, main = parts
    if not aside:
        return _STATEMENTS[main]
    asides = ", ".join(f"{name} AS ({_STATEMENTS[name]})" for name in aside)
    return f"WITH {asides} {_STATEMENTS[main]}"


def _head_columns(appends: Sequence[Append]) -> list[Literal]:
    people = [sought(one) for one in appends]
    columns: tuple[list[Any], ...] = (
        [one.stream_id for one in appends],
        [one.expected_version for one in appends],
        [one and one.company_id for one in people],
        [one and one.phone for one in people],
        [one and folded(one) for one in people],
    )
    return [Literal(column) for column in columns]


def _known(customer_id: UUID | None, phone: str | None, email: str | None) -> CustomerRow | None:
    return None if customer_id is None else CustomerRow(customer_id=customer_id, phone=phone, email=email)


def _customer_columns(given: Sequence[Customer]) -> dict[str, list[Any]]:
    customers = _each_once(given)
    return {
        "customer_id": [one.customer_id for one in customers],
        "customer_company_id": [one.company_id for one in customers],
        "name": [one.name for one in customers],
        "email": [one.email for one in customers],
        "email_folded": [folded(one) for one in customers],
        "phone": [one.phone for one in customers],
    }


def _each_once(customers: Sequence[Customer]) -> Sequence[Customer]:
    """Return each customer once, with everything that the rows say together; the first one to say it is right."""
    found: dict[UUID, Customer] = {}
    for one in customers:
        known = found.setdefault(one.customer_id, one)
        if known is not one:
            found[one.customer_id] = replace(known, email=known.email or one.email, phone=known.phone or one.phone)
    return list(found.values())


def _claim_columns(claims: Claims) -> dict[str, list[Any]]:
    return {
        "booking_id": [booking_id for booking_id, _ in claims],
        "company_id": [one.company_id for _, one in claims],
        "claimant_id": [one.customer_id for _, one in claims],
        "service_id": [one.service_id for _, one in claims],
        "offered_as": [one.offered_as for _, one in claims],
        "staff_id": [one.staff_id for _, one in claims],
        "starts_at": [one.starts_at for _, one in claims],
        "ends_at": [one.ends_at for _, one in claims],
        "starts_epoch": [int(one.starts_at.timestamp()) for _, one in claims],
        "allow_near_duplicate": [one.allow_near_duplicate for _, one in claims],
        "leg": [one.leg for _, one in claims],
    }


def _appointment_columns(rows: Sequence[InsertAppointment]) -> dict[str, list[Any]]:
    return {
        "id": [one.appointment_id for one in rows],
        "company_id": [one.company_id for one in rows],
        "booking_id": [one.booking_id for one in rows],
        "idempotency_key": [one.idempotency_key for one in rows],
        "calcom_booking_uid": [one.calcom_booking_uid for one in rows],
        "service_id": [one.service_id for one in rows],
        "offered_as": [one.offered_as for one in rows],
        "customer_id": [one.customer_id for one in rows],
        "staff_id": [one.staff_id for one in rows],
        "starts_at": [one.starts_at for one in rows],
        "ends_at": [one.ends_at for one in rows],
        "source": [one.source for one in rows],
        "retry_count": [one.retry_count for one in rows],
        "sync_attempt_count": [one.sync_attempt_count for one in rows],
        "last_sync_attempted_at": [one.last_sync_attempted_at for one in rows],
        "resilience_strategy": [one.resilience_strategy for one in rows],
        "circuit_breaker_open_at_booking": [one.circuit_breaker_open_at_booking for one in rows],
        "webhook_id": [one.webhook_id for one in rows],
        "overlap_allowed": [one.overlap_allowed for one in rows],
        "leg": [one.leg for one in rows],
    }


def _move(row: MoveAppointment) -> dict[str, Any]:
    return {
        "id": row.appointment_id,
        "calcom_booking_uid": row.calcom_booking_uid,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "webhook_id": row.webhook_id,
        "overlap_allowed": row.overlap_allowed,
    }


def _event_columns(shares: Sequence[Share]) -> dict[str, list[Any]]:
    rows = [row for share in shares for row in share.rows]
    return {
        "stream_id": [row.originator_id for row in rows],
        "version": [row.originator_version for row in rows],
        "topic": [row.topic for row in rows],
        "state": [row.state for row in rows],
    }


def _due_columns(shares: Sequence[Share]) -> dict[str, list[Any]]:
    due = [(one.stream_id, *_when(one.due)) for one in shares if not isinstance(one.due, NothingDue)]
    return {
        "due_id": [saga_id for saga_id, _, _, _ in due],
        "seconds": [seconds for _, seconds, _, _ in due],
        "priority": [priority for _, _, priority, _ in due],
        "lease_token": [token for _, _, _, token in due],
    }


def _when(due: Lease | DueAfter) -> tuple[float, int, UUID | None]:
    match due:
        case Lease():
            return due.lasts.total_seconds(), NORMAL_PRIORITY, due.token
        case DueAfter():
            return due.delay.total_seconds(), due.priority, None


def _id_columns(shares: Sequence[Share]) -> dict[str, list[Any]]:
    return {
        "done_id": [one.stream_id for one in shares if isinstance(one.due, NothingDue)],
        "released_id": [one.stream_id for one in shares if one.releases_claim],
        "cancelled_id": [cancelled for one in shares for cancelled in one.cancels],
    }
