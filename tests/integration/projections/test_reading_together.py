"""
Followers that stand at the same place read the log together.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from adapters.log.store import Store
from projections.bookings import BOOKINGS
from projections.checkpoints import advance
from projections.follower import Follower, Stepped, step_together
from projections.source import Entry
from tests.histories.appending import append
from tests.histories.bookings import history, wish
from tests.integration.projections.counting import COUNTING, counts, listed, rows_of


class CountingSource:
    """
    The log, and how often it was read.
    """

    def __init__(self, store: Store) -> None:
        self._log = store.log
        self.reads = 0

    async def read_all(self, *, after: int, limit: int) -> Sequence[Entry]:
        self.reads += 1
        return await self._log.read_all(after=after, limit=limit)

    async def head(self) -> int:
        return await self._log.head()


async def test_one_that_has_much_to_make_up_for_keeps_nobody_back_and_meets_the_others(
    store: Store, counted: None
) -> None:
    told = [history(Random(seed), wish(seed), longest=20) for seed in range(9)]
    for one in told[:6]:
        await append(store.log, one)
    await Follower(BOOKINGS, engine=store.engine, source=store.log).catch_up()
    before = await store.log.head()
    await append(store.log, told[6])
    source = CountingSource(store)
    bookings, counting = both = [
        Follower(one, engine=store.engine, source=source, batch=7) for one in (BOOKINGS, COUNTING)
    ]
    await step_together(both)
    ahead, behind = (await bookings.status()).position, (await counting.status()).position
    while await step_together(both) is not Stepped.NOTHING_NEW:
        pass
    for one in told[7:]:
        await append(store.log, one)
    source.reads = 0
    while await step_together(both) is not Stepped.NOTHING_NEW:
        pass

    assert behind == 7 < before < ahead
    # One reading for both: they stand at the same place.
    assert -(-sum(map(len, told[7:])) // 7) + 1 == source.reads
    assert sum(map(len, told)) == sum(counts(store).values())
    assert rows_of(told) == listed(store)


async def test_they_meet_although_there_is_always_something_new(store: Store, counted: None) -> None:
    told = [history(Random(seed), wish(seed), longest=20) for seed in range(30)]
    for one in told[:10]:
        await append(store.log, one)
    await Follower(BOOKINGS, engine=store.engine, source=store.log).catch_up()
    both = [Follower(one, engine=store.engine, source=store.log, batch=20) for one in (BOOKINGS, COUNTING)]
    for one in told[10:]:
        await append(store.log, one[:1])
        await step_together(both)
        positions = {(await follower.status()).position for follower in both}
        if len(positions) == 1:
            break

    assert {await store.log.head()} == positions


async def test_a_batch_that_comes_too_late_for_one_of_them_moves_none(store: Store, counted: None) -> None:
    told = history(Random(1))
    await append(store.log, told)
    faster = Follower(COUNTING, engine=store.engine, source=store.log, batch=1)

    def overtaken(point: str) -> None:
        if point == "follower.before:bookings":
            with store.engine.begin() as connection:
                assert advance(connection, ["counting"], expected=0, to=1)

    both = [Follower(one, engine=store.engine, source=store.log, probe=overtaken) for one in (BOOKINGS, COUNTING)]

    assert Stepped.LOST is await step_together(both)
    assert (0, 1) == ((await both[0].status()).position, (await faster.status()).position)
    assert {} == listed(store)
