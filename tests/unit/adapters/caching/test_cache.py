"""
A cache: loads once for all who ask, knows how old its entries are, and forgets what it is told to.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.caching.cache import Cache, Found, Unloadable
from adapters.caching.entries import Entry
from adapters.metrics import Metrics
from tests.fakes.time import START, FakeClock

FRESH, KEPT = timedelta(minutes=10), timedelta(minutes=60)


class FakeShared:
    """
    What all processes see; the clock of Redis is that of the test.
    """

    def __init__(self) -> None:
        self.entries: dict[str, Entry[int]] = {}
        self.asked: list[list[str]] = []

    async def read(self, keys: list[str]) -> dict[str, Entry[int]]:
        await asyncio.sleep(0)
        self.asked.append(keys)
        return {key: self.entries[key] for key in keys if key in self.entries}

    def write(self, key: str, entry: Entry[int], *, seconds: float) -> None:
        self.entries[key] = entry

    def forget(self, key: str) -> None:
        self.entries.pop(key, None)


class Bench:
    """
    A cache of how often each key was loaded.
    """

    def __init__(self, *, limit: int = 100, shared: FakeShared | None = None, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.counted: Counter[str] = Counter()
        self.loads: list[list[str]] = []
        self.loaded: Counter[str] = Counter()
        self.fails: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.cache: Cache[int] = Cache(
            "availability",
            fresh=FRESH,
            kept=KEPT,
            now=self.clock.now,
            count=lambda _name, outcome: self.counted.update([outcome]),
            limit=limit,
            shared=shared,
        )

    async def load(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.loads.append(list(keys))
        self.loaded.update(keys)
        answer = {key: self.loaded[key] for key in keys}
        await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        return answer

    async def fetch(self, *keys: str, seen: int = 0) -> dict[str, tuple[int, str]]:
        return shown(await self.cache.fetch(keys, self.load, seen=seen))


def shown(found: Mapping[str, Found[int]]) -> dict[str, tuple[int, str]]:
    return {key: (one.entry.value, one.how) for key, one in found.items()}


async def test_what_was_loaded_is_there_for_its_time() -> None:
    bench = Bench()
    heard = []
    for seconds in (0, 599, 1, 0):
        bench.clock.advance(seconds)
        heard.append(await bench.fetch("a"))

    assert [{"a": (1, "miss")}, {"a": (1, "hit")}, {"a": (2, "miss")}, {"a": (2, "hit")}] == heard
    assert {"miss": 2, "hit": 2} == bench.counted


async def test_only_what_is_missing_is_loaded_and_all_of_it_at_once() -> None:
    bench = Bench()
    await bench.fetch("b")

    assert {"a": (1, "miss"), "b": (1, "hit"), "c": (1, "miss")} == await bench.fetch("a", "b", "c")
    assert [["b"], ["a", "c"]] == bench.loads


async def test_of_a_hundred_who_ask_at_once_one_loads() -> None:
    bench = Bench()
    answers = await asyncio.gather(*(bench.fetch("a", "b") for _ in range(100)))

    assert [["a", "b"]] == bench.loads
    assert {"a": (1, "miss"), "b": (1, "miss")} == answers[0]
    assert {"miss": 2, "hit": 198} == bench.counted


async def test_whoever_asks_for_more_waits_for_the_rest_and_loads_the_more() -> None:
    bench = Bench()
    bench.gate.clear()
    first = asyncio.create_task(bench.fetch("a"))
    await asyncio.sleep(0)
    second = asyncio.create_task(bench.fetch("a", "b"))
    await asyncio.sleep(0)
    bench.gate.set()

    assert {"a": (1, "miss")} == await first
    assert {"a": (1, "hit"), "b": (1, "miss")} == await second
    assert [["a"], ["b"]] == bench.loads


async def test_a_load_goes_on_when_those_who_wait_for_it_leave() -> None:
    bench = Bench()
    bench.gate.clear()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await bench.fetch("a")
    bench.gate.set()

    assert {"a": (1, "hit")} == await bench.fetch("a")
    assert [["a"]] == bench.loads


async def test_a_load_that_fails_is_tried_again_by_the_next() -> None:
    bench = Bench()
    bench.fails = Unloadable(ValueError("away"))
    with pytest.raises(Unloadable):
        await bench.fetch("a")
    bench.fails = None

    assert {"a": (2, "miss")} == await bench.fetch("a")
    assert {"error": 1, "miss": 1} == bench.counted


@pytest.mark.parametrize(("minutes", "served"), [(10, True), (59, True), (60, False), (600, False)])
async def test_an_old_entry_stands_in_for_an_hour_when_loading_fails(minutes: int, served: bool) -> None:
    bench = Bench()
    await bench.fetch("a")
    bench.clock.advance(60 * minutes)
    bench.fails = Unloadable(ValueError("away"))

    if served:
        assert {"a": (1, "stale")} == await bench.fetch("a")
        assert {"miss": 1, "stale": 1} == bench.counted
    else:
        with pytest.raises(Unloadable):
            await bench.fetch("a")


async def test_no_entry_stands_in_for_half_of_what_is_asked() -> None:
    bench = Bench()
    await bench.fetch("a")
    bench.clock.advance(601)
    bench.fails = Unloadable(ValueError("away"))

    with pytest.raises(Unloadable):
        await bench.fetch("a", "b")


async def test_another_error_is_nobodys_excuse_for_an_old_entry() -> None:
    bench = Bench()
    await bench.fetch("a")
    bench.clock.advance(601)
    bench.fails = LookupError("gone")

    with pytest.raises(LookupError):
        await bench.fetch("a")


async def test_what_is_forgotten_while_it_is_loaded_is_not_kept() -> None:
    bench = Bench()
    bench.gate.clear()
    asking = asyncio.create_task(bench.fetch("a", "b"))
    await asyncio.sleep(0)
    bench.cache.forget("a")
    bench.gate.set()

    assert {"a": (1, "miss"), "b": (1, "miss")} == await asking
    assert {"a": (2, "miss"), "b": (1, "hit")} == await bench.fetch("a", "b")


@pytest.mark.parametrize("forgets", [False, True])
async def test_what_comes_for_nothing_is_kept_unless_something_was_forgotten_meanwhile(*, forgets: bool) -> None:
    bench = Bench()

    async def load(keys: Sequence[str]) -> Mapping[str, int]:
        if forgets:
            bench.cache.forget("b")
        return dict.fromkeys([*keys, "b"], 7)

    assert {"a"} == set(await bench.cache.fetch(["a"], load))
    assert {"b": (1, "miss") if forgets else (7, "hit")} == await bench.fetch("b")


async def test_what_begins_alike_can_be_forgotten_together() -> None:
    bench = Bench()
    await bench.fetch("x:1", "x:2", "y:1")
    bench.cache.forget_all("x:")

    assert {"x:1": (2, "miss"), "x:2": (2, "miss"), "y:1": (1, "hit")} == await bench.fetch("x:1", "x:2", "y:1")


async def test_a_load_from_before_is_not_joined_and_does_not_replace_what_came_after() -> None:
    bench = Bench()
    bench.gate.clear()
    old = asyncio.create_task(bench.fetch("a", seen=1))
    await asyncio.sleep(0)
    new = asyncio.create_task(bench.cache.fetch(["a"], bench.load, seen=2, current=lambda _key, seen: seen >= 2))
    await asyncio.sleep(0)
    bench.gate.set()

    assert ({"a": (1, "miss")}, {"a": (2, "miss")}) == (await old, shown(await new))
    assert {"a": (2, "hit")} == await bench.fetch("a")


async def test_a_single_value_is_put_and_got() -> None:
    bench = Bench()
    assert bench.cache.get("a") is None
    bench.cache.put("a", 7)
    assert 7 == bench.cache.get("a")
    bench.clock.advance(600)
    assert bench.cache.get("a") is None


async def test_what_one_process_has_loaded_another_one_finds() -> None:
    shared, clock = FakeShared(), FakeClock()
    one, other = Bench(shared=shared, clock=clock), Bench(shared=shared, clock=clock)
    await one.fetch("a")

    assert {"a": (1, "hit")} == await other.fetch("a")
    assert {"a": (1, "hit")} == await other.fetch("a")
    assert [] == other.loads
    assert 1 + 1 == len(shared.asked)


async def test_an_entry_from_the_future_is_a_miss() -> None:
    shared = FakeShared()
    shared.entries["a"] = Entry(value=9, read_at=START + timedelta(seconds=6))
    bench = Bench(shared=shared)

    assert {"a": (1, "miss")} == await bench.fetch("a")


async def test_leaving_stops_the_loads() -> None:
    bench = Bench()
    bench.gate.clear()
    asking = asyncio.create_task(bench.fetch("a"))
    await asyncio.sleep(0)
    await bench.cache.aclose()

    with pytest.raises(asyncio.CancelledError):
        await asking


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(["fetch", "forget", "wait"])),
        max_size=60,
    )
)
def test_what_is_answered_is_never_older_than_it_says_and_never_from_before_it_was_forgotten(
    acts: list[tuple[str, str]],
) -> None:
    async def run() -> None:
        bench = Bench(limit=3)
        read_at, floor = {}, {}
        for key, act in acts:
            match act:
                case "wait":
                    bench.clock.advance(250)
                case "forget":
                    bench.cache.forget(key)
                    floor[key] = bench.loaded[key]
                case _:
                    ((value, how),) = (await bench.fetch(key)).values()
                    assert value > floor.get(key, 0)
                    if how == "miss":
                        read_at[key] = bench.clock.seconds
                    assert value == bench.loaded[key]
                    assert bench.clock.seconds - read_at[key] < FRESH.total_seconds()

    asyncio.run(run())


def test_every_outcome_of_every_cache_is_served_from_the_start() -> None:
    metrics = Metrics()
    metrics.cached("availability", "stale")
    served = metrics.exposition().decode()

    assert 'calsaga_cache_lookups_total{cache="availability",outcome="stale"} 1.0' in served
    assert 'calsaga_cache_lookups_total{cache="phone",outcome="hit"} 0.0' in served
