"""
The read model of sync failures: one row a finding, kept in a table that others may read (M6).

Beside it stands what has to be known of every booking, so that the log alone is enough
to build it.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection, Table, select

from domain.composite import CompositeInitiated
from domain.events import BookingInitiated
from domain.replacing import replace
from projections.errors import OutOfOrder
from projections.failures import BookingFailures, SyncFailure, evolve
from projections.sequence import caught_up
from projections.source import Projection
from projections.tables import sync_failure_bookings, sync_failures
from projections.upserting import is_one_of, upsert
from sagas.appending import Recorded, by_booking


def apply(connection: Connection, tables: Sequence[Table], recorded: Sequence[Recorded]) -> None:
    """Bring what is known of all bookings that these events are about up to date."""
    failures, bookings = tables
    news = by_booking(recorded)
    if not news:
        return
    before = _load(connection, failures, bookings, news)
    after = [evolve_recorded(before.get(stream_id), events) for stream_id, events in news.items()]
    upsert(connection, bookings, [_known(one) for one in after])
    known = {row.id: row for one in before.values() for row in one.failures}
    changed = [row for one in after for row in one.failures if known.get(row.id) != row]
    upsert(connection, failures, [vars(row) for row in changed])


def _load(
    connection: Connection, failures: Table, bookings: Table, booking_ids: Iterable[UUID]
) -> dict[UUID, BookingFailures]:
    ids = list(booking_ids)
    rows: dict[UUID, list[SyncFailure]] = {}
    for row in connection.execute(select(failures).where(is_one_of(connection, failures.c.booking_id, ids))).mappings():
        rows.setdefault(row["booking_id"], []).append(SyncFailure(**row))
    known = connection.execute(select(bookings).where(is_one_of(connection, bookings.c.booking_id, ids))).mappings()
    return {row["booking_id"]: BookingFailures(**row, failures=tuple(rows.get(row["booking_id"], ()))) for row in known}


SYNC_FAILURES = Projection(name="sync_failures", tables=(sync_failures, sync_failure_bookings), apply=apply)


def evolve_recorded(state: BookingFailures | None, recorded: Sequence[Recorded]) -> BookingFailures:
    """
    Return what is known after recorded events of a booking; those that it contains already change nothing.

    Raises:
        OutOfOrder: an event of the booking is missing in between.

    """
    return caught_up(state, recorded, _step)


def _step(state: BookingFailures | None, one: Recorded) -> BookingFailures:
    if state is not None:
        return replace(evolve(state, one.event), version=one.version)
    match one.event:
        case BookingInitiated():
            company_id = one.event.service.company_id
        case CompositeInitiated():
            company_id = one.event.company_id
        case _:
            raise OutOfOrder(stream_id=one.stream_id, expected=1, found=one.version)
    return BookingFailures(booking_id=one.stream_id, company_id=company_id, version=one.version)


def _known(one: BookingFailures) -> dict[str, object]:
    return {name: value for name, value in vars(one).items() if name != "failures"}
