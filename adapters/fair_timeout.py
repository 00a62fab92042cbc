"""A time limit that this process cannot use up by being busy itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PARTS = 20
"""An answer takes several turns of the event loop to come in; it gets so many at least, however long each takes."""


@asynccontextmanager
async def fair_timeout(seconds: float) -> AsyncIterator[None]:
    """
    Give what is inside so many seconds in which the event loop is free.

    The time is counted in parts, one turn of the loop at least for each. Whatever holds a turn up, so that nobody can
    look whether an answer is there, costs one part and not the whole limit.

    Raises:
        TimeoutError: it took longer.

    """
    loop = asyncio.get_running_loop()
    left = PARTS
    timer: asyncio.TimerHandle

    def tick() -> None:
        nonlocal left, timer
        left -= 1
        if left:
            timer = loop.call_later(seconds / PARTS, tick)
        else:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        timer = loop.call_later(seconds / PARTS, tick)
        try:
            yield
        finally:
            timer.cancel()
