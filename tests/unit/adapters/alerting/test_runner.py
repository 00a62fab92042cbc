"""
The watch on a schedule: it judges when it is its turn, and goes on whatever one look came to.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from adapters.alerting.watching import AlertRunner
from domain.errors import AppointmentDatabaseError

AWAY = AppointmentDatabaseError("away", kind="connection_lost")


class Turns:
    """
    Passes of which some are for others, or cannot be noted; and looks that fail in order.
    """

    def __init__(self, *given: bool | Exception) -> None:
        self.given = list(given)
        self.came_to: list[Exception] = []
        self.looks = 0
        self.over = asyncio.Event()

    async def begin(self, *, every: timedelta) -> bool:
        mine = self.given.pop(0)
        if not self.given:
            self.over.set()
        if isinstance(mine, Exception):
            raise mine
        return mine

    async def look(self) -> None:
        self.looks += 1
        if self.came_to:
            raise self.came_to.pop(0)


async def run(turns: Turns) -> None:
    runner = AlertRunner(turns, turns, seconds=0.001)  # type: ignore[arg-type]
    running = asyncio.create_task(runner.run())
    await turns.over.wait()
    await runner.stop()
    await running


async def test_it_judges_when_it_is_its_turn() -> None:
    turns = Turns(True, False, AWAY, False, True)

    await run(turns)

    assert 2 == turns.looks


async def test_neither_a_database_that_is_away_nor_a_defect_ends_it() -> None:
    turns = Turns(True, True, True)
    turns.came_to = [AWAY, ZeroDivisionError()]

    await run(turns)

    assert 3 == turns.looks
