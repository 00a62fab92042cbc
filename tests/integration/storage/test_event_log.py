from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.log.event_log import Unreadable
from adapters.log.store import Store, open_store
from adapters.recording.errors import UnknownTopic
from sagas.appending import Recorded
from sagas.ports import Agenda, Appointments, Clock, Log
from tests.integration.storage.appends import NOW, append, deferred, rows, start


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind.
    """
    async with open_store(url) as store:
        yield store


def ports(store: Store) -> tuple[Log, Agenda, Clock, Appointments]:
    """
    What a store offers is what the sagas ask for; the type checker proves it.
    """
    return store.log, store.agenda, store.clock, store.appointments


async def test_a_stream_is_read_as_it_was_written(store: Store) -> None:
    first = start()
    await store.log.append(first)

    found = await store.log.read(first.stream_id)
    assert list(first.events) == [one.event for one in found]
    assert [1, 2] == [one.version for one in found]
    assert {(first.append_id, "correlation", NOW)} == {
        (one.append_id, one.correlation_id, one.recorded_at) for one in found
    }


async def test_an_unknown_stream_is_empty(store: Store) -> None:
    assert [] == await store.log.read(uuid4())


async def test_the_whole_log_is_read_in_pieces(store: Store) -> None:
    many = [append(uuid4(), 0, deferred(str(number)), deferred("again")) for number in range(4)]
    for one in many:
        await store.log.append(one)

    seen: list[Recorded | Unreadable] = []
    while found := await store.log.read_all(after=seen[-1].position if seen else 0, limit=3):
        seen += found

    assert [event for one in many for event in one.events] == [one.event for one in seen if isinstance(one, Recorded)]
    assert seen[-1].position == await store.log.head()


async def test_an_event_that_cannot_be_read_stops_its_stream_and_not_the_log(store: Store, url: str) -> None:
    bad, good = append(uuid4(), 0, deferred()), append(uuid4(), 0, deferred())
    await store.log.append(bad)
    await store.log.append(good)
    rows(url, "UPDATE stored_events SET topic = 'booking.teleported.v1' WHERE notification_id = 1")

    with pytest.raises(UnknownTopic):
        await store.log.read(bad.stream_id)
    [first, second] = await store.log.read_all(after=0, limit=10)
    assert isinstance(first, Unreadable)
    assert (bad.stream_id, 1, 1, "booking.teleported.v1") == (
        first.stream_id,
        first.version,
        first.position,
        first.topic,
    )
    assert "teleported" in first.problem
    assert isinstance(second, Recorded)
    assert good.stream_id == second.stream_id
