"""
A bulkhead, whoever comes, waits and goes away.
"""

from __future__ import annotations

import asyncio
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.resilience.bulkhead import Bulkhead, BulkheadFull

LONG = 30.0


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_whoever_waits_longest_is_next() -> None:
    bulkhead, order = Bulkhead("x", at_once=1, patience=LONG), deque[int]()

    async def call(number: int) -> None:
        async with bulkhead:
            order.append(number)
            await turns()

    await asyncio.gather(*(call(number) for number in range(20)))

    assert list(range(20)) == list(order)
    assert (0, 0, 0) == (bulkhead.state.in_use, bulkhead.state.waiting, bulkhead.state.timeouts)
    assert bulkhead.state.longest_wait is not None


async def test_who_finds_the_line_full_is_refused_at_once() -> None:
    bulkhead = Bulkhead("mail", at_once=1, in_line=1, patience=LONG)
    async with bulkhead:
        waiting = asyncio.ensure_future(bulkhead.__aenter__())
        await turns()
        with pytest.raises(BulkheadFull, match="mail has 1 calls under way"):
            await bulkhead.__aenter__()
        assert (1, 1, 1) == (bulkhead.state.in_use, bulkhead.state.waiting, bulkhead.state.timeouts)
    await waiting
    await bulkhead.__aexit__(None, None, None)

    assert 0 == bulkhead.state.in_use


async def test_who_waits_in_vain_is_refused_and_leaves_the_line() -> None:
    bulkhead = Bulkhead("x", at_once=1, patience=0.01)
    async with bulkhead:
        with pytest.raises(BulkheadFull):
            await bulkhead.__aenter__()
        assert 0 == bulkhead.state.waiting

    async with bulkhead:
        assert 1 == bulkhead.state.in_use


async def test_a_place_that_comes_in_the_moment_of_giving_up_goes_to_the_next() -> None:
    bulkhead = Bulkhead("x", at_once=1, patience=LONG)
    await bulkhead.__aenter__()
    first, second = (asyncio.ensure_future(bulkhead.__aenter__()) for _ in range(2))
    await turns()
    await bulkhead.__aexit__(None, None, None)
    # It has its turn, and does not know it yet.
    first.cancel()
    await turns()

    assert first.cancelled()
    assert second.done()
    assert (1, 0) == (bulkhead.state.in_use, bulkhead.state.waiting)


@settings(max_examples=50)
@given(
    at_once=st.integers(1, 3),
    in_line=st.integers(0, 4),
    plan=st.lists(
        st.tuples(st.sampled_from(["come", "come", "leave", "give up", "turn"]), st.integers(0, 9)), max_size=60
    ),
)
def test_never_more_at_once_and_none_lost(at_once: int, in_line: int, plan: list[tuple[str, int]]) -> None:
    async def play() -> None:
        bulkhead = Bulkhead("x", at_once=at_once, in_line=in_line, patience=LONG)
        leaving: list[asyncio.Event] = []
        tasks: list[asyncio.Task[None]] = []
        inside = most = 0

        async def call(leave: asyncio.Event) -> None:
            nonlocal inside, most
            async with bulkhead:
                inside += 1
                most = max(most, inside)
                try:
                    await leave.wait()
                finally:
                    inside -= 1

        for what, which in plan:
            if what == "come":
                leaving.append(asyncio.Event())
                tasks.append(asyncio.create_task(call(leaving[-1])))
            elif leaving and what == "leave":
                leaving[which % len(leaving)].set()
            elif tasks and what == "give up":
                tasks[which % len(tasks)].cancel()
            if what == "turn":
                await turns()
        await turns()
        assert bulkhead.state.in_use == inside <= at_once
        assert bulkhead.state.waiting <= in_line
        for leave in leaving:
            leave.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert most <= at_once
        assert (0, 0) == (bulkhead.state.in_use, bulkhead.state.waiting)
        # Every place can be taken again.
        for _ in range(at_once):
            await bulkhead.__aenter__()

    asyncio.run(play())


@pytest.mark.parametrize("wrong", [{"at_once": 0}, {"at_once": 1, "in_line": -1}, {"at_once": 1, "patience": -1.0}])
def test_figures_that_cannot_be_meant_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at_once"):
        Bulkhead("x", **wrong)
