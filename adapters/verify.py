"""
`calsaga verify`: replay every stream, and compare everything that was made from it.

Some streams at a time are read in one snapshot together with their rows, so that
nobody has to stop writing. What differs is looked at again before it is reported.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, exists, func, or_, select
from sqlalchemy.exc import DBAPIError

from adapters.database.tables import appointments, saga_due, slot_claims, stored_events
from adapters.difference import Difference
from adapters.evidence import evidence, snapshot, streams_after
from adapters.followers import Followers
from adapters.judging import differences
from adapters.judging_engagement import about_engagement
from adapters.log.store import Store
from adapters.recording.codec import booking_codec
from domain.errors import AppointmentDatabaseError
from domain.policy import Policy
from projections.errors import LogRestored
from projections.tables import (
    alerts,
    appointment_standings,
    booking_list,
    circuit_breaker_events,
    notification_requests,
    sync_failure_bookings,
    sync_failures,
)

CHUNK = 200
LOOK_AGAIN_SECONDS = (0.2, 1.0)


async def verify(
    store: Store, *, policy: Policy | None = None, look_again: Sequence[float] = LOOK_AGAIN_SECONDS
) -> list[Difference]:
    """
    Return everything in the database that contradicts the log, and what the log itself lacks.

    A difference is reported if it is still there after each of the waits `look_again`,
    in seconds: due work that nobody needs any more, for one, is cleared up by a worker.

    Raises:
        AppointmentDatabaseError: the database failed.

    """
    try:
        return [*await _caught_up(store), *await _compared(store.engine, policy or Policy(), look_again)]
    except DBAPIError as exc:
        raise AppointmentDatabaseError("the database failed while it was verified", kind="other") from exc


async def _caught_up(store: Store) -> list[Difference]:
    try:
        await Followers(store, follow_seconds=1).catch_up()
    except LogRestored as problem:
        what, expected = f"read model {problem.name}", f"at most position {problem.head}"
        return [Difference(stream_id=None, what=what, expected=expected, found=str(problem.position))]
    return []


async def _compared(engine: Engine, policy: Policy, look_again: Sequence[float]) -> list[Difference]:
    last: UUID | None = None
    found: list[Difference] = []
    while streams := await asyncio.to_thread(_streams, engine, last):
        found += await asyncio.to_thread(_differences, engine, streams, policy)
        last = streams[-1]
    strays = await asyncio.to_thread(_strays, engine)
    suspects = sorted({*strays, *(one.stream_id for one in found if one.stream_id is not None)})
    for wait in (0.0, *look_again):
        if suspects:
            await asyncio.sleep(wait)
            found = await asyncio.to_thread(_differences, engine, suspects, policy)
            suspects = sorted({one.stream_id for one in found if one.stream_id is not None})
    return found + await asyncio.to_thread(_about_everything, engine)


def _streams(engine: Engine, last: UUID | None) -> list[UUID]:
    with engine.connect() as connection:
        return streams_after(connection, last, limit=CHUNK)


def _differences(engine: Engine, stream_ids: Sequence[UUID], policy: Policy) -> list[Difference]:
    codec = booking_codec()
    found: list[Difference] = []
    for start in range(0, len(stream_ids), CHUNK):
        with snapshot(engine) as connection:
            held = evidence(connection, stream_ids[start : start + CHUNK])
        for one in held:
            found += differences(one, codec=codec, policy=policy, now=datetime.now(UTC))
    return found


def _strays(engine: Engine) -> set[UUID]:
    """Return the ids that rows bear, and no stream."""
    keys = (
        appointments.c.booking_id,
        slot_claims.c.booking_id,
        saga_due.c.saga_id,
        booking_list.c.booking_id,
        sync_failures.c.booking_id,
        sync_failure_bookings.c.booking_id,
        appointment_standings.c.booking_id,
        notification_requests.c.booking_id,
        alerts.c.id,
        circuit_breaker_events.c.id,
    )
    with engine.connect() as connection:
        return {
            booking_id
            for key in keys
            for booking_id in connection.execute(
                select(key).where(~exists().where(stored_events.c.originator_id == key))
            ).scalars()
        }


def _about_everything(engine: Engine) -> list[Difference]:
    with snapshot(engine) as connection:
        return [*_repeated_positions(connection), *_overlaps(connection), *about_engagement(connection)]


def _repeated_positions(connection: Connection) -> Iterator[Difference]:
    position = stored_events.c.notification_id
    repeated = select(position, func.count()).group_by(position).having(or_(func.count() > 1, position.is_(None)))
    for place, times in connection.execute(repeated):
        yield Difference(stream_id=None, what=f"position {place}", expected="one event", found=f"{times} events")


def _overlaps(connection: Connection) -> Iterator[Difference]:
    """Find appointments that begin before an earlier one of the same member of staff has ended."""
    c = appointments.c
    busy_until = func.max(c.ends_at).over(
        partition_by=(c.company_id, c.staff_id), order_by=(c.starts_at, c.id), rows=(None, -1)
    )
    busy = (
        select(c.booking_id, c.staff_id, c.starts_at, busy_until.label("busy_until"))
        .where(c.status == "booked", ~c.overlap_allowed, c.staff_id.is_not(None))
        .subquery()
    )
    for row in connection.execute(select(busy).where(busy.c.busy_until > busy.c.starts_at)):
        what = f"appointment of {row.staff_id} at {row.starts_at.isoformat()}"
        found = f"{row.staff_id} is busy until {row.busy_until.isoformat()}"
        yield Difference(stream_id=row.booking_id, what=what, expected="nobody is booked twice", found=found)
