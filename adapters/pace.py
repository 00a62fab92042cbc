"""A steady pace: so many calls a minute, spread evenly."""

import asyncio


class SteadyPace:
    """Hand out turns, `per_minute` of them; whoever comes too soon waits."""

    def __init__(self, *, per_minute: float) -> None:
        self._distance = 60.0 / per_minute
        self._next = 0.0

    async def wait(self) -> None:
        """Return when the next turn is due."""
        now = asyncio.get_running_loop().time()
        due = max(self._next, now)
        self._next = due + self._distance
        if due > now:
            await asyncio.sleep(due - now)
