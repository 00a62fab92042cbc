"""
Catching up with a log that grows, or that was restored.
"""

from __future__ import annotations

import asyncio
from itertools import count

from sqlalchemy import update

from adapters.followers import Followers
from adapters.log.store import Store
from projections.tables import projection_checkpoints
from tests.histories.appending import append
from tests.integration.projections.test_sync_failures import histories


async def test_a_read_model_beyond_a_restored_log_is_noticed_though_the_log_grows(store: Store) -> None:
    followers = Followers(store, follow_seconds=1)
    await append(store.log, histories(1)[0][:1])
    await followers.catch_up()
    # The log was restored, and all read models but one were rebuilt.
    with store.engine.begin() as connection:
        beyond = update(projection_checkpoints).where(projection_checkpoints.c.name == "reactions")
        connection.execute(beyond.values(position=10_000))

    for stream in histories(5)[1:]:
        await append(store.log, stream[:1])
        assert not await followers._take_turn()
        [status] = [one for one in await followers.status() if one.name == "reactions"]
        assert status.problem is not None


async def test_catching_up_ends_though_somebody_goes_on_writing(store: Store) -> None:
    for stream in histories(20):
        await append(store.log, stream)
    stopped = asyncio.Event()

    async def write() -> None:
        for number in count(20):
            [stream] = histories(1, first=number)
            for one in stream:
                if stopped.is_set():
                    return
                await append(store.log, [one])

    writing = asyncio.create_task(write())
    async with asyncio.timeout(60):
        await Followers(store, follow_seconds=1).catch_up()
    stopped.set()
    await writing
