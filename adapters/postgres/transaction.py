"""One batch's transaction in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent
from psycopg.sql import SQL
from psycopg.types.json import Json

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
        self._cursor, rows = self._session.begin(_HEADS.format(_wanted_heads(appends)))
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

    def insert(self, holding: Sequence[Append], booking: Sequence[Append]) -> Mapping[UUID, Refusal]:
        """Insert customers, claims and appointments, and say what stands in the way of what was refused."""
        claims = {one.stream_id: (one, one.claim) for one in holding if one.claim is not None}
        rows = {one.stream_id: one.appointment for one in booking if isinstance(one.appointment, InsertAppointment)}
        replaced = [one.stream_id for one, _ in claims.values() if one.expected_version]
        if replaced:
            self._cursor.execute(sql.REPLACED_CLAIMS, {"booking_id": replaced})
        first, *turns = in_turns([(stream_id, claim) for stream_id, (_, claim) in claims.items()])
        written = self._inserted(
            customers=_customer_rows([one.customer for one in holding if one.customer is not None]),
            claims=_claim_rows(first),
            appointments=[*rows.values()],
        )
        for turn in turns:
            written |= self._inserted(claims=_claim_rows(turn))
        refused = {one: why_claim(self._cursor, *held) for one, held in claims.items() if one not in written}
        return refused | {one: why_appointment(self._cursor, row) for one, row in rows.items() if one not in written}

    def _inserted(self, **rows: Sequence[Any]) -> set[UUID]:
        """Insert all of these in one statement, and return the bookings whose claim or appointment is written."""
        given = {name: _document(some) for name, some in rows.items() if some}
        return {row[0] for row in self._cursor.execute(_inserting(tuple(given)), given, prepare=True)}

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
        due = _due_rows(shares)
        given = {"due": due} | _event_columns(shares) | _id_columns(shares)
        parts = tuple(name for name, rows in _PARTS.items() if given[rows])
        if parts:
            self._cursor.execute(_combined(parts), given | {"due": _document(due)}, prepare=True)


_HEADS = SQL("EXECUTE calsaga_heads({})")
_PARTS = {
    # Each part, and what is empty when it has no rows.
    "event": "stream_id",
    "due": "due",
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


_INSERTS = {"customers": sql.CUSTOMERS, "claims": sql.CLAIMS, "appointments": sql.APPOINTMENTS}


@cache
def _inserting(kinds: tuple[str, ...]) -> str:
    asides = ", ".join(f"new_{kind} AS ({_INSERTS[kind]})" for kind in kinds)
    told = [f"SELECT booking_id FROM new_{kind}" for kind in kinds if kind != "customers"]  # noqa: S608 - our own names
    return f"WITH {asides} {' UNION ALL '.join(told) or 'SELECT NULL WHERE false'}"


@cache
def _combined(parts: tuple[str, ...]) -> str:
    *aside, main = parts
    if not aside:
        return _STATEMENTS[main]
    asides = ", ".join(f"{name} AS ({_STATEMENTS[name]})" for name in aside)
    return f"WITH {asides} {_STATEMENTS[main]}"


def _wanted_heads(appends: Sequence[Append]) -> str:
    wanted = [{"stream_id": one.stream_id, "version": one.expected_version, **_sought(one)} for one in appends]
    return orjson.dumps(wanted).decode()


def _sought(append: Append) -> dict[str, str | None]:
    person = sought(append)
    if person is None:
        return {}
    return {"company_id": person.company_id, "phone": person.phone, "email_folded": folded(person)}


def _document(rows: Sequence[Any]) -> Json:
    return Json(rows, dumps=orjson.dumps)


def _known(customer_id: UUID | None, phone: str | None, email: str | None) -> CustomerRow | None:
    return None if customer_id is None else CustomerRow(customer_id=customer_id, phone=phone, email=email)


def _customer_rows(given: Sequence[Customer]) -> list[dict[str, Any]]:
    return [
        {
            "customer_id": one.customer_id,
            "company_id": one.company_id,
            "name": one.name,
            "email": one.email,
            "email_folded": folded(one),
            "phone": one.phone,
        }
        for one in _each_once(given)
    ]


def _each_once(customers: Sequence[Customer]) -> Sequence[Customer]:
    """Return each customer once, with everything that the rows say together; the first one to say it is right."""
    found: dict[UUID, Customer] = {}
    for one in customers:
        known = found.setdefault(one.customer_id, one)
        if known is not one:
            found[one.customer_id] = replace(known, email=known.email or one.email, phone=known.phone or one.phone)
    return list(found.values())


def _claim_rows(claims: Claims) -> list[dict[str, Any]]:
    return [
        {
            "booking_id": booking_id,
            "company_id": one.company_id,
            "customer_id": one.customer_id,
            "service_id": one.service_id,
            "offered_as": one.offered_as,
            "staff_id": one.staff_id,
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "starts_epoch": int(one.starts_at.timestamp()),
            "allow_near_duplicate": one.allow_near_duplicate,
            "leg": one.leg,
        }
        for booking_id, one in claims
    ]


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


def _due_rows(shares: Sequence[Share]) -> list[dict[str, Any]]:
    return [{"saga_id": one.stream_id, **_when(one.due)} for one in shares if not isinstance(one.due, NothingDue)]


def _when(due: Lease | DueAfter) -> dict[str, Any]:
    match due:
        case Lease():
            return {"seconds": due.lasts.total_seconds(), "priority": NORMAL_PRIORITY, "lease_token": due.token}
        case DueAfter():
            return {"seconds": due.delay.total_seconds(), "priority": due.priority}


def _id_columns(shares: Sequence[Share]) -> dict[str, list[Any]]:
    return {
        "done_id": [one.stream_id for one in shares if isinstance(one.due, NothingDue)],
        "released_id": [one.stream_id for one in shares if one.releases_claim],
        "cancelled_id": [cancelled for one in shares for cancelled in one.cancels],
    }
