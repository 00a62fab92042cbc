"""One batch's transaction in PostgreSQL."""

from collections.abc import Mapping, Sequence
from functools import cache
from uuid import UUID

import psycopg
from eventsourcing.persistence import StoredEvent

from adapters.database.clock import DatabaseClock, elapsed
from adapters.postgres import at_once, rows
from adapters.postgres import statements as sql
from adapters.postgres.claiming import in_turns
from adapters.postgres.refusals import known, why_appointment, why_claim, why_move
from adapters.postgres.session import Row, WriterSession
from adapters.recording.batch import Draft, Head, Share
from adapters.recording.meeting import CustomerRow
from sagas.appending import Append, InsertAppointment, MoveAppointment, Refusal


class PostgresTransaction:
    """Read and write by few statements, each for all rows of its kind."""

    def __init__(self, session: WriterSession, cursor: psycopg.Cursor[Row], clock: DatabaseClock) -> None:
        self._session = session
        self._cursor = cursor
        self._clock = clock

    def write_at_once(self, drafts: Sequence[Draft]) -> Mapping[UUID, Refusal | None]:
        """Write those that fit in one statement, and say what stands in the way of what was refused (ADR-026)."""
        tried = at_once.those_to_try(drafts)
        if not tried:
            return {}
        fitting, written = at_once.write(self._cursor, self._clock, tried)
        outcomes: dict[UUID, Refusal | None] = dict.fromkeys(written)
        for append in (one.append for one in tried if one.append.stream_id in fitting - written):
            refusal = self._why(append)
            # If nothing is in its way any more, a neighbour has freed it meanwhile: it goes on as one that did not fit.
            if refusal is not None:
                outcomes[append.stream_id] = refusal
        return outcomes

    def _why(self, append: Append) -> Refusal | None:
        if append.claim is not None:
            return why_claim(self._cursor, append, append.claim)
        if isinstance(append.appointment, InsertAppointment):
            return why_appointment(self._cursor, append.appointment)
        raise psycopg.IntegrityError("an append was refused, and has no row that may be")

    def heads(self, appends: Sequence[Append]) -> Mapping[UUID, Head]:
        """Read heads, find the people who are sought, and read the database's clock."""
        asked_at = elapsed()
        found = self._cursor.execute(sql.HEADS, rows.parameters(rows.wanted(appends)), prepare=True).fetchall()
        self._clock.observe(found[0][3], asked_at=asked_at)
        return {
            stream_id: Head(version=version or 0, state=state, customer=_known(*known))
            for stream_id, version, state, _, *known in found
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
        booked = {one.stream_id: one.appointment for one in booking if isinstance(one.appointment, InsertAppointment)}
        replaced = [one.stream_id for one, _ in claims.values() if one.expected_version]
        if replaced:
            self._cursor.execute(sql.REPLACED_CLAIMS, {"replaced": replaced})
        customers = [one.customer for one in holding if one.customer is not None]
        first, *turns = in_turns([(stream_id, claim) for stream_id, (_, claim) in claims.items()])
        written = self._inserted(rows.refusable(customers=customers, claims=first, appointments=[*booked.values()]))
        for turn in turns:
            written |= self._inserted(rows.refusable(claims=turn))
        cursor = self._cursor
        refused = {one: known(why_claim(cursor, *held)) for one, held in claims.items() if one not in written}
        return refused | {one: known(why_appointment(cursor, row)) for one, row in booked.items() if one not in written}

    def _inserted(self, parts: rows.Parts) -> set[UUID]:
        """Insert all of these in one statement, and return the bookings whose claim or appointment is written."""
        return {row[0] for row in self._cursor.execute(_inserting(tuple(parts)), rows.parameters(parts), prepare=True)}

    def move_appointments(self, appends: Sequence[Append]) -> Mapping[UUID, Refusal]:
        """Move appointments, and say which constraint refused what was refused; one that is not booked stays."""
        # One by one: an update knows no ON CONFLICT, and a refusal undoes its whole statement.
        return {
            one.stream_id: known(why_move(self._cursor, one.appointment))
            for one in appends
            if isinstance(one.appointment, MoveAppointment)
            and not self._session.attempt(self._cursor, sql.MOVED_APPOINTMENT, rows.moved(one.appointment))
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
        parts = rows.rest(shares)
        if parts:
            self._cursor.execute(_combined(tuple(parts)), rows.parameters(parts), prepare=True)


@cache
def _inserting(parts: tuple[str, ...]) -> str:
    asides = ", ".join(f"new_{part} AS ({sql.part(part)})" for part in parts)
    told = [f"SELECT booking_id FROM new_{part}" for part in parts if part != "customers"]  # noqa: S608 - our own names
    return f"WITH {asides} {' UNION ALL '.join(told) or 'SELECT NULL WHERE false'}"


@cache
def _combined(parts: tuple[str, ...]) -> str:
    *aside, main = parts
    if not aside:
        return sql.part(main)
    asides = ", ".join(f"new_{part} AS ({sql.part(part)})" for part in aside)
    return f"WITH {asides} {sql.part(main)}"


def _known(customer_id: UUID | None, phone: str | None, email: str | None) -> CustomerRow | None:
    return None if customer_id is None else CustomerRow(customer_id=customer_id, phone=phone, email=email)
