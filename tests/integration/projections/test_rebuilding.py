"""
A read model is made anew from the log, while it is followed.
"""

from __future__ import annotations

import asyncio
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from adapters.followers import Followers
from adapters.log.store import Store
from projections.bookings import BOOKINGS
from projections.catalog import PROJECTIONS
from projections.errors import LogRestored, UnknownProjection
from projections.tables import booking_list, projection_checkpoints
from tests.histories.appending import append
from tests.histories.bookings import history, wish
from tests.integration.projections.counting import listed, rows_of


async def test_a_restored_log_stops_the_follower_until_a_rebuild(store: Store) -> None:
    histories = [history(Random(seed), wish(seed)) for seed in range(3)]
    for one in histories:
        await append(store.log, one)
    followers = Followers(store, follow_seconds=0.01, projections=[BOOKINGS])
    await followers.catch_up()
    with store.engine.begin() as connection:
        connection.execute(update(projection_checkpoints).values(position=10_000))
        connection.execute(update(booking_list).values(status="failed", company_id="salon"))
    with pytest.raises(LogRestored, match="rebuild bookings"):
        await followers.catch_up()
    await followers.rebuild("bookings")
    await followers.catch_up()

    assert rows_of(histories) == listed(store)


async def test_a_rebuild_mends_the_list_while_it_is_followed(store: Store) -> None:
    histories = [history(Random(seed), wish(seed)) for seed in range(60)]
    for one in histories[:30]:
        await append(store.log, one)
    followers = Followers(store, follow_seconds=0.01)
    await followers.catch_up()
    with store.engine.begin() as connection:
        connection.execute(update(booking_list).where(booking_list.c.status == "booked").values(status="failed"))
        connection.execute(insert(booking_list).values(stray_row(store)))
    running = asyncio.create_task(followers.run())

    async def go_on_booking() -> None:
        for one in histories[30:]:
            await append(store.log, one)

    _, *rebuilt = await asyncio.gather(go_on_booking(), followers.rebuild("bookings"), followers.rebuild("bookings"))
    await followers.stop()
    await running
    await followers.catch_up()

    assert rows_of(histories) == listed(store)
    assert max(one.differences for one in rebuilt) > 1
    with store.engine.connect() as connection:
        names = set(connection.execute(select(projection_checkpoints.c.name)).scalars())
    assert {one.name for one in PROJECTIONS} == names


async def test_there_is_nothing_to_rebuild_under_a_wrong_name(store: Store) -> None:
    with pytest.raises(UnknownProjection):
        await Followers(store, follow_seconds=1).rebuild("nonsense")


def stray_row(store: Store) -> dict[str, object]:
    with store.engine.connect() as connection:
        row = connection.execute(select(booking_list).limit(1)).mappings().one()
    return dict(row) | {"booking_id": UUID(int=1)}
