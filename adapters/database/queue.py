"""
The retry queue: the bookings that calsaga goes on with by itself, by when it does so next.

What is due for a booking that has ended is left out, unless something is owed for it: a last look is no retry.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from eventsourcing.persistence import Notification
from sqlalchemy import Connection, Engine, RowMapping, Select, func, or_, select

from adapters.database.reading import Readers
from adapters.database.tables import saga_due, stored_events
from domain.booking import ENDED, BookingStatus
from domain.cancel_deferred import CalcomCancelDeferred
from domain.composite import LEG_TOPIC
from domain.events import CalcomCancelAttempted, CancellationRequested
from domain.moving import CalcomRescheduleAttempted, CalcomRescheduleDeferred, RescheduleRequested
from projections.keyset import DEFAULT_LIMIT, Keyset, instant
from projections.tables import booking_list as bookings
from projections.upserting import is_one_of
from sagas.appending import Recorded
from sagas.engine import IN_LINE, IN_TURN, URGENT

WaitsFor: TypeAlias = Literal["full_fallback", "calcom", "retry"]
_ASKED = (RescheduleRequested.TOPIC, CancellationRequested.TOPIC, LEG_TOPIC + CancellationRequested.TOPIC)
_ASKED_OF = frozenset({BookingStatus.RESCHEDULING.value, BookingStatus.CANCELLING.value})
_CHANGING = _ASKED_OF | {BookingStatus.COMPENSATING.value}
_PUT_OFF = frozenset(
    {CalcomRescheduleDeferred.TOPIC, CalcomCancelDeferred.TOPIC, LEG_TOPIC + CalcomCancelDeferred.TOPIC}
)
_TRIED = frozenset(
    {CalcomRescheduleAttempted.TOPIC, CalcomCancelAttempted.TOPIC, LEG_TOPIC + CalcomCancelAttempted.TOPIC}
)
_BY_TURN = Keyset(columns=((saga_due.c.due_at, instant), (saga_due.c.saga_id, UUID)), newest_first=False)
_DEFERRED = frozenset({"circuit_breaker", "degradation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """
    A booking in the queue, `since` it, its move or its cancellation was asked for.

    `in_hand` while somebody is at it, `next_try_at` when its lease ends.

    It waits for full fallback to end, for Cal.com to be used again, or for another try of whatever failed.
    """

    booking_id: UUID
    company_id: str
    service_id: str
    status: str
    waits_for: WaitsFor
    since: datetime
    next_try_at: datetime
    tries: int
    in_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """Some of the queue, the next to be tried first; `next_cursor` leads on."""

    queued: tuple[Queued, ...]
    next_cursor: str | None


class RetryQueue:
    """The queue of all processes, for reading; `decoded` reads rows of the log, such as those that ask for a move."""

    def __init__(
        self, *, engine: Engine, readers: Readers, decoded: Callable[[Sequence[Notification]], Sequence[object]]
    ) -> None:
        self._engine = engine
        self._readers = readers
        self._decoded = decoded

    async def page(self, company_id: str | None, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> QueuePage:
        """
        Return a page of one company's queue, or of everybody's.

        Raises:
            ValueError: the limit is out of range, or the cursor was not handed out for this company's queue.
            AppointmentDatabaseError: the database did not answer.

        """
        query, question = _query(company_id), ("queue", company_id)

        def ask() -> QueuePage:
            with self._engine.connect() as connection:
                rows, next_cursor = _BY_TURN.page(connection, query, question=question, limit=limit, cursor=cursor)
                asked = self._asked(connection, [row["saga_id"] for row in rows if row["status"] in _ASKED_OF])
                put_off = _put_off(connection, [row["saga_id"] for row in rows if row["status"] in _CHANGING])
            queued = tuple(
                _queued(row, since=asked.get(row["saga_id"], row["created_at"]), put_off=row["saga_id"] in put_off)
                for row in rows
            )
            return QueuePage(queued=queued, next_cursor=next_cursor)

        return await self._readers.answer(ask)

    def _asked(self, connection: Connection, booking_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
        """Return when each was last asked to be moved or cancelled."""
        log = stored_events.c
        query = (
            select(log.notification_id, log.originator_id, log.originator_version, log.topic, log.state)
            .where(is_one_of(connection, log.originator_id, booking_ids), log.topic.in_(_ASKED))
            .order_by(log.notification_id)
        )
        rows = [
            Notification(
                id=row.notification_id,
                originator_id=row.originator_id,
                originator_version=row.originator_version,
                topic=row.topic,
                state=bytes(row.state),
            )
            for row in (connection.execute(query) if booking_ids else ())
        ]
        found = [one for one in self._decoded(rows) if isinstance(one, Recorded)]
        return {one.stream_id: one.event.at for one in found}


def _query(company_id: str | None) -> Select[Any]:
    due = saga_due.c
    query = (
        select(saga_due, bookings.c.company_id, bookings.c.service_id, bookings.c.status)
        .add_columns(bookings.c.resilience_strategy, bookings.c.created_at)
        .join(bookings, bookings.c.booking_id == due.saga_id)
        # Who drives a booking for the first time has taken it from no queue.
        .where(or_(due.lease_token.is_(None), due.attempt > 0))
        .where(or_(bookings.c.status.not_in([one.value for one in ENDED]), due.priority == URGENT))
    )
    return query if company_id is None else query.where(bookings.c.company_id == company_id)


def _put_off(connection: Connection, booking_ids: Sequence[UUID]) -> Collection[UUID]:
    """Return those whose last news about a change at Cal.com is that Cal.com is not to be asked for it now."""
    log = stored_events.c
    last = (
        select(func.max(log.notification_id))
        .where(is_one_of(connection, log.originator_id, booking_ids), log.topic.in_(_PUT_OFF | _TRIED))
        .group_by(log.originator_id)
    )
    query = select(log.originator_id).where(log.notification_id.in_(last), log.topic.in_(_PUT_OFF))
    return set(connection.execute(query).scalars()) if booking_ids else ()


def _queued(row: RowMapping, *, since: datetime, put_off: bool) -> Queued:
    return Queued(
        booking_id=row["saga_id"],
        company_id=row["company_id"],
        service_id=row["service_id"],
        status=row["status"],
        waits_for=_waits_for(row, put_off=put_off),
        since=since,
        next_try_at=row["due_at"],
        tries=row["attempt"],
        in_hand=row["lease_token"] is not None,
    )


def _waits_for(row: RowMapping, *, put_off: bool) -> WaitsFor:
    if row["priority"] == IN_LINE:
        return "full_fallback"
    if row["priority"] == IN_TURN or put_off:
        return "calcom"
    return "calcom" if row["status"] == "pending" and row["resilience_strategy"] in _DEFERRED else "retry"
