"""
However many scrape, whoever stands behind is asked once a second, and one that hangs delays nobody for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.recent import REDIS_SECONDS, REMEMBERED_SECONDS, Recent
from tests.fakes.time import FakeClock, run_virtually


class Asked:
    """
    Somebody who answers with how often they were asked, after a while.
    """

    def __init__(self, clock: FakeClock, takes: Callable[[int], float]) -> None:
        self.clock = clock
        self.times: list[float] = []
        self._takes = takes

    def __call__(self) -> Awaitable[int]:
        self.times.append(self.clock.seconds)
        return self._answer(len(self.times))

    async def _answer(self, number: int) -> int:
        await asyncio.sleep(self._takes(number))
        return number


@given(
    scrapes=st.lists(st.floats(0, 5), min_size=1, max_size=40),
    takes=st.lists(st.sampled_from((0.0, 0.1, 0.2, 0.3, 2.0)), min_size=1),
)
def test_nobody_waits_long_and_nobody_is_asked_often(scrapes: list[float], takes: list[float]) -> None:
    clock = FakeClock()
    asked = Asked(clock, lambda number: takes[number % len(takes)])
    recent, waited = Recent(asked), []

    async def scrape(at: float) -> None:
        await asyncio.sleep(at)
        began = clock.seconds
        answer = await recent.get()
        waited.append(clock.seconds - began)
        if answer is not None:
            answered_at = asked.times[answer - 1]
            assert clock.seconds - answered_at <= REMEMBERED_SECONDS + max(takes) + 1e-6

    async def main() -> None:
        await asyncio.gather(*map(scrape, scrapes))
        await asyncio.sleep(10)

    run_virtually(main(), clock)

    assert max(waited) <= REDIS_SECONDS + 1e-6
    gaps = [later - sooner for sooner, later in zip(asked.times, asked.times[1:], strict=False)]
    assert all(gap > REMEMBERED_SECONDS for gap in gaps)


def test_while_it_hangs_only_the_first_wait_at_all() -> None:
    clock = FakeClock()
    asked = Asked(clock, lambda _: 3600.0)
    recent = Recent(asked)

    async def main() -> None:
        for number in range(100):
            began = clock.seconds
            assert await recent.get() is None
            assert clock.seconds - began == pytest.approx(0.0 if number else REDIS_SECONDS)
            await asyncio.sleep(15)
        await asyncio.sleep(3600)
        assert await recent.get() is None

    run_virtually(main(), clock)

    assert 2 == len(asked.times)


async def test_what_fails_is_asked_again() -> None:
    async def fails() -> int:
        raise OSError("no")

    recent = Recent(fails)
    for _ in range(2):
        with pytest.raises(OSError, match="no"):
            await recent.get()
