"""One batch's transaction in SQLite."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from adapters.database.clock import DatabaseClock, elapsed
from adapters.recording.batch import Draft, Head, Share, sought
from adapters.recording.meeting import CustomerRow, folded
from adapters.sqlite import statements as sql
from adapters.sqlite.values import CLOCK_UNIT, instant, optional_instant
from sagas.appending import (
    Append,
    Customer,
    DueAfter,
    InsertAppointment,
    Lease,
    MoveAppointment,
    NothingDue,
    Refusal,
    SlotClaim,
)

NEAR = timedelta(seconds=300)
NORMAL_PRIORITY = 5


class SQLiteTransaction:
    """Read and write row by row."""

    def __init__(self, connection: sqlite3.Connection, clock: DatabaseClock) -> None:
        self._connection = connection
        self._clock = clock

    def write_at_once(self, drafts: Sequence[Draft]) -> Mapping[UUID, Refusal | None]:  # noqa: ARG002 - as asked
        """Write none of them: row by row nothing is saved."""
        return {}

    def heads(self, appends: Sequence[Append]) -> Mapping[UUID, Head]:
        """Read the heads, find the people who are sought, and read by the way the database's clock."""
        return {one.stream_id: self._head(one) for one in appends}

    def _head(self, append: Append) -> Head:
        wanted = {"stream_id": append.stream_id.hex, "version": append.expected_version, **_sought(append)}
        asked_at = elapsed()
        version, state, now, *known = self._connection.execute(sql.HEAD, wanted).fetchone()
        self._clock.observe(datetime.fromisoformat(now), asked_at=asked_at, unit=CLOCK_UNIT)
        return Head(version=version or 0, state=state, customer=_known(*known))

    def rows_after(self, stream_id: UUID, version: int) -> Sequence[StoredEvent]:
        """Read the events of a stream after a version."""
        found = self._connection.execute(sql.ROWS_AFTER, {"stream_id": stream_id.hex, "version": version})
        return [
            StoredEvent(originator_id=stream_id, originator_version=number, topic=topic, state=state)
            for number, topic, state in found
        ]

    def insert(self, holding: Sequence[Append], booking: Sequence[Append]) -> Mapping[UUID, Refusal]:
        """Insert customers, claims and appointments, and say what stands in the way of what was refused."""
        return {**self._insert_claims(holding), **self._insert_appointments(booking)}

    def _insert_claims(self, appends: Sequence[Append]) -> Mapping[UUID, Refusal]:
        self._connection.executemany(
            sql.CUSTOMER, [_customer(one.customer) for one in appends if one.customer is not None]
        )
        refusals = {}
        for one in appends:
            if one.claim is None:
                continue
            row = _claim(one.stream_id, one.claim)
            if one.expected_version:
                self._connection.execute(sql.REPLACED_CLAIM, row)
            if not self._changed(sql.CLAIM, row):
                refusals[one.stream_id] = self._refusal("claim", sql.CLAIM_OBSTACLE, row)
        return refusals

    def _insert_appointments(self, appends: Sequence[Append]) -> Mapping[UUID, Refusal]:
        refusals = {}
        for one in appends:
            if not isinstance(one.appointment, InsertAppointment):
                continue
            row = _appointment(one.appointment)
            if not self._changed(sql.APPOINTMENT, row):
                refusals[one.stream_id] = self._refusal("appointment", sql.APPOINTMENT_OBSTACLE, row)
        return refusals

    def move_appointments(self, appends: Sequence[Append]) -> Mapping[UUID, Refusal]:
        """Move appointments, and say which constraint refused what was refused; one that is not booked stays."""
        refusals = {}
        for one in appends:
            if not isinstance(one.appointment, MoveAppointment):
                continue
            row = _move(one.appointment)
            if self._changed(sql.MOVED_APPOINTMENT, row) is None:
                refusals[one.stream_id] = self._refusal("appointment", sql.MOVE_OBSTACLE, row)
        return refusals

    def mark(self) -> None:
        """Remember this point, to come `back` to or to go on from."""
        self._connection.execute("SAVEPOINT legs")

    def back(self) -> None:
        """Undo all rows since the mark."""
        self._connection.execute("ROLLBACK TO SAVEPOINT legs")

    def go_on(self) -> None:
        """Keep all rows since the mark."""
        self._connection.execute("RELEASE SAVEPOINT legs")

    def write(self, shares: Sequence[Share]) -> None:
        """Write all the rest."""
        self._connection.executemany(sql.EVENT, [_event(row) for share in shares for row in share.rows])
        for one in shares:
            match one.due:
                case NothingDue():
                    self._connection.execute(sql.NOTHING_DUE, {"saga_id": one.stream_id.hex})
                case Lease() | DueAfter():
                    self._connection.execute(sql.DUE, _due(one.stream_id, one.due))
            if one.releases_claim:
                self._connection.execute(sql.RELEASED_CLAIM, {"booking_id": one.stream_id.hex})
            for cancelled in one.cancels:
                self._connection.execute(sql.CANCELLED_APPOINTMENT, {"id": cancelled.hex})

    def _changed(self, statement: str, row: Mapping[str, Any]) -> int | None:
        """Return how many rows a statement has written, or None if a constraint has refused it."""
        # A constraint undoes its statement alone; the transaction goes on.
        try:
            return self._connection.execute(statement, row).rowcount
        except sqlite3.IntegrityError:
            return None

    def _refusal(self, refused: Literal["claim", "appointment"], query: str, row: Mapping[str, Any]) -> Refusal:
        found = self._connection.execute(query, row).fetchone()
        if found is None:
            raise sqlite3.IntegrityError("a row was refused, and nothing is in its way")
        by, booking_id, appointment_id = found
        return Refusal(
            refused=refused,
            by=by,
            booking_id=booking_id and UUID(booking_id),
            appointment_id=appointment_id and UUID(appointment_id),
        )


def _sought(append: Append) -> dict[str, str | None]:
    one = sought(append)
    if one is None:
        return {"company_id": None, "phone": None, "email_folded": None}
    return {"company_id": one.company_id, "phone": one.phone, "email_folded": folded(one)}


def _known(customer_id: str | None, phone: str | None, email: str | None) -> CustomerRow | None:
    return None if customer_id is None else CustomerRow(customer_id=UUID(customer_id), phone=phone, email=email)


def _customer(one: Customer) -> dict[str, Any]:
    return {
        "customer_id": one.customer_id.hex,
        "company_id": one.company_id,
        "name": one.name,
        "email": one.email,
        "email_folded": folded(one),
        "phone": one.phone,
    }


def _claim(booking_id: UUID, claim: SlotClaim) -> dict[str, Any]:
    return {
        "booking_id": booking_id.hex,
        "company_id": claim.company_id,
        "customer_id": claim.customer_id.hex,
        "service_id": claim.service_id,
        "offered_as": claim.offered_as,
        "staff_id": claim.staff_id,
        "starts_at": instant(claim.starts_at),
        "ends_at": instant(claim.ends_at),
        "starts_epoch": int(claim.starts_at.timestamp()),
        "near_from": instant(claim.starts_at - NEAR),
        "near_to": instant(claim.starts_at + NEAR),
        "allow_near_duplicate": claim.allow_near_duplicate,
        "leg": claim.leg,
    }


def _appointment(row: InsertAppointment) -> dict[str, Any]:
    return {
        "id": row.appointment_id.hex,
        "company_id": row.company_id,
        "booking_id": row.booking_id.hex,
        "idempotency_key": row.idempotency_key,
        "calcom_booking_uid": row.calcom_booking_uid,
        "service_id": row.service_id,
        "offered_as": row.offered_as,
        "customer_id": row.customer_id.hex,
        "staff_id": row.staff_id,
        "starts_at": instant(row.starts_at),
        "ends_at": instant(row.ends_at),
        "source": row.source,
        "retry_count": row.retry_count,
        "sync_attempt_count": row.sync_attempt_count,
        "last_sync_attempted_at": optional_instant(row.last_sync_attempted_at),
        "resilience_strategy": row.resilience_strategy,
        "circuit_breaker_open_at_booking": optional_instant(row.circuit_breaker_open_at_booking),
        "webhook_id": row.webhook_id,
        "overlap_allowed": row.overlap_allowed,
        "leg": row.leg,
    }


def _move(row: MoveAppointment) -> dict[str, Any]:
    return {
        "id": row.appointment_id.hex,
        "company_id": row.company_id,
        "staff_id": row.staff_id,
        "calcom_booking_uid": row.calcom_booking_uid,
        "starts_at": instant(row.starts_at),
        "ends_at": instant(row.ends_at),
        "webhook_id": row.webhook_id,
        "overlap_allowed": row.overlap_allowed,
    }


def _event(row: StoredEvent) -> dict[str, Any]:
    return {
        "stream_id": row.originator_id.hex if isinstance(row.originator_id, UUID) else row.originator_id,
        "version": row.originator_version,
        "topic": row.topic,
        "state": row.state,
    }


def _due(saga_id: UUID, due: Lease | DueAfter) -> dict[str, Any]:
    match due:
        case Lease():
            seconds, priority = due.lasts.total_seconds(), NORMAL_PRIORITY
        case DueAfter():
            seconds, priority = due.delay.total_seconds(), due.priority
    token = due.token.hex if isinstance(due, Lease) else None
    return {"saga_id": saga_id.hex, "seconds": f"{seconds:+.6f}", "priority": priority, "lease_token": token}
