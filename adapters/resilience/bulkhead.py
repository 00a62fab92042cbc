"""
A bulkhead: so many calls of one dependency at once, so that one that is slow does not take everything with it.

    async with bulkhead:
        …

Whoever finds it full waits in line, and is refused when the line is full or has not moved in time.
"""

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType

from adapters.pools import PoolState


class BulkheadFull(Exception):
    """`name` has as many calls under way as it may have; try again later, or raise its limit."""

    def __init__(self, name: str, *, at_once: int, waited: float) -> None:
        super().__init__(f"{name} has {at_once} calls under way, as many as it may, and none ended within {waited:g} s")
        self.name = name
        self.retryable = True


class Bulkhead:
    """
    First come, first served; to be used from one event loop.

    `in_line` is how many may wait, `patience` for how many seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        at_once: int,
        in_line: int = 1000,
        patience: float = 1.0,
    ) -> None:
        if at_once < 1 or in_line < 0 or patience < 0:
            raise ValueError("a bulkhead needs at_once >= 1, in_line >= 0 and patience >= 0")
        self.name = name
        self._at_once = at_once
        self._in_line = in_line
        self._patience = patience
        self._in_use = 0
        self._line: deque[asyncio.Future[None]] = deque()
        self._longest_wait = 0.0
        self._refused = 0

    @property
    def state(self) -> PoolState:
        """Return how full it is; `timeouts` are all who were refused."""
        return PoolState(
            limit=self._at_once,
            size=self._at_once,
            in_use=self._in_use,
            waiting=len(self._line),
            longest_wait=self._longest_wait,
            timeouts=self._refused,
        )

    async def __aenter__(self) -> None:
        """Take a place; see `enter`."""
        await self.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        self.leave()

    async def enter(self) -> None:
        """
        Take a place, which has to be left again.

        Raises:
            BulkheadFull: there was none to be had in time.

        """
        if self._in_use < self._at_once:
            # Nobody is in line then: whoever leaves hands the place over.
            self._in_use += 1
            return
        if len(self._line) >= self._in_line:
            raise self._refusal(waited=0)
        loop = asyncio.get_running_loop()
        began, turn = loop.time(), loop.create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except TimeoutError as error:
            self._give_up(turn)
            raise self._refusal(waited=self._patience) from error
        except BaseException:
            self._give_up(turn)
            raise
        finally:
            self._longest_wait = max(self._longest_wait, loop.time() - began)

    def leave(self) -> None:
        """Leave, and let in whoever has waited longest."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._in_use -= 1

    def _give_up(self, turn: "asyncio.Future[None]") -> None:
        if turn.done() and not turn.cancelled():
            # The place came in the moment in which it was given up.
            self.leave()
        else:
            with suppress(ValueError):
                self._line.remove(turn)

    def _refusal(self, *, waited: float) -> BulkheadFull:
        self._refused += 1
        return BulkheadFull(self.name, at_once=self._at_once, waited=waited)
