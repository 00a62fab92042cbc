"""
One time for the whole process: the loop's, Python's clocks and SQLite's, moved by nobody but the loop.

Everything happens in one thread, so that the same steps are the same run: what production gives to threads is done by
the loop, one turn later. Nothing ever sleeps.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty
from random import Random
from typing import Any

import pytest
import time_machine

from adapters.log import store
from adapters.log.appender import Appender, Waiting, _settle, _take
from sagas.appending import Append, AppendResult
from tests.fakes.time import FakeClock, VirtualLoop

MOMENT = 0.001
"""How long a look at the database takes. Between two clocks that stand still, what is due may be early for ever."""
_BOOTED = time.monotonic()


class SharedClock(FakeClock):
    """
    A clock that takes Python's along.
    """

    def __init__(self) -> None:
        self._traveller: time_machine.Traveller | None = None
        self._seconds = 0.0
        super().__init__()

    @property
    def seconds(self) -> float:
        return self._seconds

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        moves = seconds != self._seconds
        self._seconds = seconds
        if moves and self._traveller is not None:
            self._traveller.move_to(self.now())

    def monotonic(self) -> float:
        return _BOOTED + self._seconds

    @contextmanager
    def everywhere(self) -> Iterator[None]:
        """
        Be the only clock, and let the system's randomness be the same each time.
        """
        with pytest.MonkeyPatch.context() as patch, time_machine.travel(self.start, tick=False) as traveller:
            self._traveller = traveller
            patch.setattr(time, "monotonic", self.monotonic)
            patch.setattr(time, "clock_gettime", lambda _which: self.monotonic())
            patch.setattr(time, "sleep", self.advance)
            patch.setattr(os, "urandom", Random(0).randbytes)
            patch.setattr(store, "Appender", PromptAppender)
            yield
        self._traveller = None


class OneThreadLoop(VirtualLoop):
    """
    A loop in virtual time that does itself what is meant for a thread.
    """

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: object) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self.create_future()
        self.call_soon(self._carry_out, future, func, args)
        return future

    def _carry_out(self, future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[object, ...]) -> None:
        self.clock.advance(MOMENT)
        # Whoever waits may have gone away; a thread would not have noticed.
        try:
            result = func(*args)
        except BaseException as error:  # noqa: BLE001 - belongs to whoever waits
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)


class PromptAppender(Appender):
    """
    The one writer, without its thread: what was appended in one turn of the loop is written in the next one, together.
    """

    async def append(self, append: Append) -> AppendResult:
        self._loop.call_soon(self._write_what_waits)
        return await super().append(append)

    def _run(self) -> None:
        pass

    def _write_what_waits(self) -> None:
        waiting: deque[Waiting] = deque()
        while True:
            try:
                one = self._queue.get_nowait()
            except Empty:
                break
            if one is not None:
                waiting.append(one)
        while waiting:
            batch = _take(waiting)
            _settle(batch, self._write(batch))
