"""
Who is busy, for whoever has to choose between several people, and what the log has added since it was read.

Both in one statement: the choice goes on to ask whom Cal.com offers, and a cached day is
held against the log before it says so (ADR-012, ADR-016).
"""

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import Notification
from sqlalchemy import BigInteger, CompoundSelect, Engine, LargeBinary, RowMapping, String, literal, select, union_all

from adapters.availability.log_watch import LogWatch
from adapters.database.reading import Readers
from adapters.database.tables import stored_events
from adapters.database.taken import busy_query, read_busy
from adapters.log.event_log import EventLog
from domain.period import Period
from projections.columns import Instant
from projections.source import Entry
from sagas.ports import DiaryPage


class DatabaseDiary:
    """Reads claims and appointments, and by the way reads on for the watch."""

    def __init__(self, *, engine: Engine, readers: Readers, log: EventLog, watch: LogWatch) -> None:
        self._engine = engine
        self._readers = readers
        self._log = log
        self._watch = watch

    async def read(self, period: Period, *, company_id: str, staff_ids: Sequence[str]) -> DiaryPage:
        """
        Return what claims and appointments take of a period.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        after, limit = self._watch.next_batch
        dialect = self._engine.dialect.name
        query = diary_query(
            period, company_id=company_id, staff_ids=staff_ids, dialect=dialect, after=after, limit=limit
        )
        page, news = await self._readers.answer(lambda: self._ask(query, limit))
        self._watch.hand(news)
        return page

    def _ask(self, query: CompoundSelect[Any], limit: int) -> tuple[DiaryPage, Sequence[Entry]]:
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        busy = [read_busy(row) for row in rows if row["position"] is None]
        events = sorted((row for row in rows if row["position"] is not None), key=lambda row: row["position"])
        # Where there may be more of them, how far the log has come is not known.
        as_of = events[-1]["position"] if 0 < len(events) < limit else None
        unknown = [_stored(row) for row in events if row["position"] >= self._watch.position]
        return DiaryPage(busy=busy, as_of=as_of), self._log.decoded(unknown)


def diary_query(
    period: Period, *, company_id: str, staff_ids: Sequence[str], dialect: str, after: int, limit: int
) -> CompoundSelect[Any]:
    """Return what asks for claims and appointments, and for events after a position, each part by an index."""
    busy = busy_query(period, company_id=company_id, staff_ids=staff_ids, dialect=dialect).subquery()
    log = stored_events.c
    news = (
        select(log.originator_id, log.notification_id, log.originator_version, log.topic, log.state)
        .where(log.notification_id > after)
        .order_by(log.notification_id)
        .limit(limit)
        .subquery()
    )
    no_text, no_time, no_number = literal(None, String), literal(None, Instant), literal(None, BigInteger)
    return union_all(
        select(
            *busy.c,
            no_number.label("position"),
            no_number.label("version"),
            no_text.label("topic"),
            literal(None, LargeBinary).label("state"),
        ),
        select(
            news.c.originator_id,
            no_text,
            no_time,
            no_time,
            news.c.notification_id,
            news.c.originator_version,
            news.c.topic,
            news.c.state,
        ),
    )


def _stored(row: RowMapping) -> Notification:
    return Notification(
        id=row["position"],
        originator_id=row["booking_id"],
        originator_version=row["version"],
        topic=row["topic"],
        state=bytes(row["state"]),
    )
