from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.database.due_counts import DueCounts, count_due
from adapters.log.store import Store, open_store
from sagas.appending import Due, DueAfter, Lease
from tests.integration.storage.appends import append, deferred, define_service, rows

NOW = timedelta(0)
LEASE = timedelta(seconds=45)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind.
    """
    async with open_store(url) as store:
        yield store


async def schedule(store: Store, due: Due) -> UUID:
    one = append(uuid4(), 0, deferred(), due=due)
    await store.log.append(one)
    return one.stream_id


async def test_without_work_nothing_is_due(store: Store) -> None:
    assert await store.agenda.next_due() is None
    assert [] == await store.agenda.claim(limit=10, lease=LEASE)
    assert DueCounts(due=0, later=0, oldest=None) == count_due(store.engine, store.clock.now())


async def test_work_is_due_after_its_delay(store: Store) -> None:
    saga_id = await schedule(store, DueAfter(delay=timedelta(seconds=0.3)))

    wait = await store.agenda.next_due()
    assert wait is not None
    assert timedelta(0) < wait <= timedelta(seconds=0.3)
    assert [] == await store.agenda.claim(limit=10, lease=LEASE)

    await asyncio.sleep(0.35)
    assert timedelta(0) == await store.agenda.next_due()
    assert [saga_id] == [one.saga_id for one in await store.agenda.claim(limit=10, lease=LEASE)]


async def test_leased_work_is_nobody_elses_until_the_lease_has_run_out(store: Store) -> None:
    saga_id = await schedule(store, Lease(token=uuid4(), lasts=timedelta(seconds=0.3)))
    assert [] == await store.agenda.claim(limit=10, lease=LEASE)

    await asyncio.sleep(0.35)
    [claimed] = await store.agenda.claim(limit=10, lease=timedelta(seconds=0.3))
    assert (saga_id, 2) == (claimed.saga_id, claimed.attempt)
    assert [] == await store.agenda.claim(limit=10, lease=LEASE)

    await asyncio.sleep(0.35)
    [again] = await store.agenda.claim(limit=10, lease=LEASE)
    assert (saga_id, 3) == (again.saga_id, again.attempt)
    assert claimed.token != again.token


async def test_the_most_urgent_work_comes_first_then_the_oldest(store: Store) -> None:
    late = await schedule(store, DueAfter(delay=NOW, priority=9))
    second = await schedule(store, DueAfter(delay=NOW, priority=1))
    await asyncio.sleep(0.005)
    third = await schedule(store, DueAfter(delay=NOW, priority=1))
    first = await schedule(store, DueAfter(delay=NOW, priority=0))

    assert [first, second] == [one.saga_id for one in await store.agenda.claim(limit=2, lease=LEASE)]
    assert [third, late] == [one.saga_id for one in await store.agenda.claim(limit=10, lease=LEASE)]


async def test_every_claim_has_a_token_of_its_own(store: Store, url: str) -> None:
    for _ in range(3):
        await schedule(store, DueAfter(delay=NOW))

    claimed = await store.agenda.claim(limit=10, lease=LEASE)

    assert 3 == len({one.token for one in claimed})
    assert {one.token for one in claimed} == {
        UUID(str(token)) for (token,) in rows(url, "SELECT lease_token FROM saga_due")
    }


async def test_released_work_is_due_at_once(store: Store) -> None:
    saga_id = await schedule(store, DueAfter(delay=NOW))
    [claimed] = await store.agenda.claim(limit=10, lease=LEASE)

    await store.agenda.release([(claimed.saga_id, claimed.token)])
    await asyncio.sleep(0.002)

    assert [saga_id] == [one.saga_id for one in await store.agenda.claim(limit=10, lease=LEASE)]


async def test_only_the_present_lease_can_be_released(store: Store) -> None:
    saga_id = await schedule(store, DueAfter(delay=NOW))
    await store.agenda.claim(limit=10, lease=LEASE)

    await store.agenda.release([(saga_id, uuid4())])
    await store.agenda.release([])

    assert [] == await store.agenda.claim(limit=10, lease=LEASE)


async def test_what_the_saga_was_driven_with_can_be_released(store: Store) -> None:
    token = uuid4()
    saga_id = await schedule(store, Lease(token=token, lasts=LEASE))

    await store.agenda.release([(saga_id, token)])
    await asyncio.sleep(0.002)

    assert [saga_id] == [one.saga_id for one in await store.agenda.claim(limit=10, lease=LEASE)]


async def test_due_work_is_counted_with_its_oldest_age(store: Store) -> None:
    await schedule(store, DueAfter(delay=NOW))
    await schedule(store, Lease(token=uuid4(), lasts=LEASE))
    await asyncio.sleep(0.05)

    counts = count_due(store.engine, store.clock.now())
    assert (1, 1) == (counts.due, counts.later)
    assert counts.oldest is not None
    assert timedelta(seconds=0.04) < counts.oldest < timedelta(seconds=5)


async def test_a_saga_that_waits_is_woken(store: Store) -> None:
    saga_id = await schedule(store, DueAfter(delay=LEASE))
    await schedule(store, DueAfter(delay=LEASE))

    await store.agenda.wake(saga_id)
    await asyncio.sleep(0.002)

    assert [saga_id] == [one.saga_id for one in await store.agenda.claim(limit=10, lease=LEASE)]


async def test_a_saga_that_is_leased_sleeps_on(store: Store) -> None:
    driven = await schedule(store, Lease(token=uuid4(), lasts=LEASE))
    claimed = await schedule(store, DueAfter(delay=NOW))
    await store.agenda.claim(limit=10, lease=LEASE)

    await store.agenda.wake(driven)
    await store.agenda.wake(claimed)
    await asyncio.sleep(0.002)

    assert [] == await store.agenda.claim(limit=10, lease=LEASE)


async def test_a_wake_waits_for_what_an_append_makes_of_the_row(postgres_url: str) -> None:
    define_service(postgres_url)
    async with open_store(postgres_url) as store:
        saga_id = await schedule(store, DueAfter(delay=LEASE))
        other = await psycopg.AsyncConnection.connect(postgres_url)
        await other.execute("UPDATE saga_due SET lease_token = gen_random_uuid()")

        waking = asyncio.create_task(store.agenda.wake(saga_id))
        await asyncio.sleep(0.1)
        assert not waking.done()
        await other.commit()
        await waking
        await other.close()

        wait = await store.agenda.next_due()
        assert wait is not None
        assert wait > LEASE / 2


async def test_a_saga_that_is_due_keeps_its_place_when_it_is_woken(store: Store) -> None:
    first = await schedule(store, DueAfter(delay=NOW))
    await asyncio.sleep(0.005)
    second = await schedule(store, DueAfter(delay=NOW))

    await store.agenda.wake(first)

    assert [first, second] == [one.saga_id for one in await store.agenda.claim(limit=10, lease=LEASE)]


async def test_a_saga_that_owes_nothing_cannot_be_woken(store: Store) -> None:
    await store.agenda.wake(uuid4())

    assert await store.agenda.next_due() is None
