from __future__ import annotations

import asyncio

from adapters.pace import SteadyPace
from tests.fakes.time import FakeClock, run_virtually


def test_turns_are_spread_evenly_and_a_pause_is_not_made_up_for() -> None:
    clock = FakeClock()
    turns: list[float] = []

    async def main() -> None:
        pace = SteadyPace(per_minute=30)
        for pause in (0, 0, 0, 60, 0):
            await asyncio.sleep(pause)
            await pace.wait()
            turns.append(clock.seconds)

    run_virtually(main(), clock)

    assert [0.0, 2.0, 4.0, 64.0, 66.0] == turns
