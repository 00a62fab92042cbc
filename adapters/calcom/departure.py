"""
The last moment before a request leaves.

The body of a request is handed to the transport by a generator, and aiohttp keeps the
headers back until it has the first piece of the body: then both go out in one write,
with nothing awaited in between. What the generator does before it yields is therefore
the last thing that happens before the write, and as long as it has not yielded,
nothing has been written.
"""

import sys
import time
from asyncio import Timeout, get_running_loop
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime

import httpx


def boottime() -> float:
    """Return seconds on a clock that also runs while the process, or the whole machine, is suspended."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class TooLate(Exception):
    """The request must not leave any more; nothing of it was written."""


@dataclass(slots=True, kw_only=True)
class Departure(httpx.AsyncByteStream):
    """
    A body that leaves before `deadline` and before the instant `send_by`, or not at all.

    `send_by` is what the log has promised, by the database's time; it holds from the
    promise on. `deadline` is by a clock of this machine that nobody sets.

    `left` turns true immediately before the write. `limit` is the time limit of the
    attempt: it begins anew when the request leaves, for the answer. An interruption is
    what a probe raised; aiohttp would hide it.
    """

    body: bytes = field(repr=False)
    deadline: float
    answer_seconds: float
    clock: Callable[[], float]
    reached: Callable[[], None]
    send_by: datetime | None = None
    now: Callable[[], datetime]
    limit: Timeout | None = None
    left: bool = False
    abandoned: bool = False
    interruption: BaseException | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """
        Yield the body, once.

        Raises:
            TooLate: the deadline has passed, or nobody waits for the answer any more.

        """
        try:
            self.reached()
        except BaseException as interruption:
            self.interruption = interruption
            raise
        if self.abandoned or self.is_late:
            raise TooLate
        if self.limit is not None:
            self.limit.reschedule(get_running_loop().time() + self.answer_seconds)
        self.left = True
        yield self.body

    @property
    def is_late(self) -> bool:
        """Tell whether one of the two has passed."""
        return self.clock() >= self.deadline or (self.send_by is not None and self.now() >= self.send_by)
