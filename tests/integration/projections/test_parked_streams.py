"""
A stream that a read model cannot take in is parked, and the rest goes on.
"""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import text

from adapters.followers import Followers
from adapters.log.store import Store
from projections.errors import NotParked
from projections.source import Projection
from tests.histories.appending import append
from tests.histories.bookings import history, wish
from tests.integration.projections.counting import COUNTED, COUNTING, count_anything, counts, listed, rows_of


async def test_a_poison_event_parks_its_stream_and_the_rest_goes_on(store: Store, counted: None) -> None:
    histories = [history(Random(seed), wish(number)) for seed, number in enumerate([12, 13, 14])]
    for one in histories:
        await append(store.log, one)
    followers = Followers(store, follow_seconds=1, projections=[COUNTING])
    await followers.catch_up()
    (status,) = await followers.status()

    assert 0 == status.lag
    assert [histories[1][0].stream_id] == [one.stream_id for one in status.parked]
    assert "ValueError: thirteen brings bad luck" == status.parked[0].error
    assert {one[0].stream_id: len(one) for one in (histories[0], histories[2])} == counts(store)


async def test_an_unparked_stream_is_made_up_for(store: Store, counted: None) -> None:
    poisoned = history(Random(2), wish(13))
    await append(store.log, poisoned[:1])
    followers = Followers(store, follow_seconds=1, projections=[COUNTING])
    await followers.catch_up()
    await append(store.log, poisoned[1:])
    await append(store.log, history(Random(3), wish(1)))
    await followers.catch_up()
    stream_id = poisoned[0].stream_id
    cured = Projection(name="counting", tables=(COUNTED,), apply=count_anything)

    assert not await followers.unpark("counting", stream_id)
    assert await Followers(store, follow_seconds=1, projections=[cured]).unpark("counting", stream_id)
    assert len(poisoned) == counts(store)[stream_id]
    assert () == (await followers.status())[0].parked
    with pytest.raises(NotParked):
        await followers.unpark("counting", stream_id)


async def test_an_unreadable_event_parks_its_stream(store: Store) -> None:
    good, bad = (history(Random(seed), wish(seed), longest=9) for seed in range(2))
    await append(store.log, bad)
    await append(store.log, good)
    with store.engine.begin() as connection:
        connection.execute(
            text("UPDATE stored_events SET topic = 'booking.unheard-of.v9' WHERE notification_id = :position"),
            {"position": 1},
        )
    followers = Followers(store, follow_seconds=1)
    await followers.catch_up()

    assert [bad[0].stream_id] == [one.stream_id for one in (await followers.status())[0].parked]
    assert rows_of([good]) == listed(store)
