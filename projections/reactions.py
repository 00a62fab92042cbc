"""
Reactions to what happens to appointments (M24): how engaged their customers are, and what those are to be told.

Both need the same of every booking, which is kept beside them. Requests are written
once: a rebuild adds those that are missing, and takes back none.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection, Table, select

from projections.engagement import Engagement, engaged, load
from projections.notification_requests import requested
from projections.source import Projection
from projections.standing import Change, Standing, changes
from projections.tables import appointment_standings, customer_engagement, notification_requests
from projections.upserting import insert_missing, is_one_of, upsert
from sagas.appending import Recorded, by_booking


def apply(connection: Connection, tables: Sequence[Table], recorded: Sequence[Recorded]) -> None:
    """Bring the standings of all bookings that these events are about up to date, and what follows from them."""
    standings, engagement, requests = tables
    news = by_booking(recorded)
    if not news:
        return
    known = load_standings(connection, standings, news)
    changed = [one for booking_id, events in news.items() for one in changes(known.get(booking_id), events)]
    _write_standings(connection, standings, changed)
    customer_ids = list({one.after.customer_id for one in changed})
    customers = engaged(load(connection, engagement, customer_ids), changed)
    upsert(connection, engagement, [_customer_row(one) for one in customers.values()])
    wanted = [request for one in changed if (request := requested(one)) is not None]
    insert_missing(connection, requests, [vars(one) for one in wanted])


def load_standings(connection: Connection, table: Table, booking_ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """Return how the appointments of these bookings stand."""
    query = select(table).where(is_one_of(connection, table.c.booking_id, list(booking_ids)))
    return {row["booking_id"]: Standing(**row) for row in connection.execute(query).mappings()}


REACTIONS = Projection(
    name="reactions",
    tables=(appointment_standings, customer_engagement, notification_requests),
    apply=apply,
    once=(notification_requests,),
)


def _write_standings(connection: Connection, table: Table, changed: Sequence[Change]) -> None:
    # The last change of each booking is how it stands.
    last = {one.after.booking_id: one.after for one in changed}
    upsert(connection, table, [vars(one) for one in last.values()])


def _customer_row(customer: Engagement) -> dict[str, object]:
    return vars(customer) | {"score": customer.score}
