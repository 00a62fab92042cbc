"""
Time that tests own: a clock that stands still until it is moved, and an event loop that moves it.

On the loop nothing ever sleeps: when every task waits, time jumps to the next moment that anybody waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


class FakeClock:
    """
    The instant `seconds` after `start`.
    """

    def __init__(self, start: datetime = START) -> None:
        self.start = start
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=round(self.seconds, 6))

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class NobodyWillWake(AssertionError):
    """
    Every task waits for something that nobody will ever do.
    """


class TooBusy(AssertionError):
    """
    The loop turned more often than any honest run needs: somebody works without getting on.
    """


class VirtualLoop(asyncio.BaseEventLoop):
    """
    An event loop in the clock's time; it touches no file, no socket and no thread.
    """

    def __init__(self, clock: FakeClock, *, turns: int = 200_000) -> None:
        super().__init__()
        self.clock = clock
        self._turns = turns
        self._selector = self
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.clock.seconds

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise NobodyWillWake
        self._turns -= 1
        if self._turns < 0:
            raise TooBusy
        self.clock.seconds += timeout
        return []

    def _process_events(self, event_list: list[object]) -> None:
        pass


def run_virtually(main: Coroutine[Any, Any, T], clock: FakeClock) -> T:
    """
    Run to the end in virtual time, and leave no task behind.
    """
    loop = VirtualLoop(clock)
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
