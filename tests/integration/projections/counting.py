"""
A read model that shows every event that counts twice, and what read models are to hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Uuid, func, insert, select

from adapters.followers import Followers
from adapters.log.store import Store
from domain.booking import initial_state
from domain.events import BookingInitiated
from domain.evolving import fold
from projections.booking_pages import BookingFilter, list_bookings
from projections.booking_row import BookingRow
from projections.bookings import summary
from projections.follower import FollowerStatus
from projections.source import Projection
from sagas.appending import Recorded, booking_events

COUNTED = Table("counted", MetaData(), Column("stream_id", Uuid, nullable=False), Column("position", Integer))


def count(connection: Connection, tables: Sequence[Table], recorded: Sequence[Recorded]) -> None:
    """
    Write down every event; one of the wrong kind is refused.
    """
    (table,) = tables
    for one in recorded:
        if isinstance(one.event, BookingInitiated) and one.event.person.name.endswith("13"):
            raise ValueError("thirteen brings bad luck")
    connection.execute(insert(table), [{"stream_id": one.stream_id, "position": one.position} for one in recorded])


COUNTING = Projection(name="counting", tables=(COUNTED,), apply=count)


def count_anything(connection: Connection, tables: Sequence[Table], recorded: Sequence[Recorded]) -> None:
    """
    Write down every event.
    """
    (table,) = tables
    connection.execute(insert(table), [{"stream_id": one.stream_id, "position": one.position} for one in recorded])


async def reached(followers: Followers, holds: Callable[[FollowerStatus], bool]) -> None:
    """
    Wait until the status of every read model is like that.
    """
    async with asyncio.timeout(30):
        while not all(map(holds, await followers.status())):  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.02)


def rows_of(histories: Sequence[Sequence[Recorded]]) -> dict[UUID, BookingRow]:
    bookings = [fold(initial_state(one[0].stream_id), booking_events(one)) for one in histories]
    return {one.booking_id: summary(one) for one in bookings}


def listed(store: Store) -> dict[UUID, BookingRow]:
    with store.engine.connect() as connection:
        page = list_bookings(connection, BookingFilter(company_id="salon"), head=0, limit=200)
    return {row.booking_id: row for row in page.bookings}


def counts(store: Store) -> dict[UUID, int]:
    query = select(COUNTED.c.stream_id, func.count()).group_by(COUNTED.c.stream_id)
    with store.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
