from __future__ import annotations

import asyncio

import pytest

from adapters.pace import SteadyPace


def test_turns_are_spread_evenly_and_a_pause_is_not_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    monkeypatch.setattr("adapters.pace.time.monotonic", lambda: now[0])
    monkeypatch.setattr("adapters.pace.asyncio.sleep", sleep)

    async def main() -> None:
        pace = SteadyPace(per_minute=30)
        for _ in range(3):
            await pace.wait()
        now[0] += 60
        for _ in range(2):
            await pace.wait()

    asyncio.run(main())

    assert [2.0, 2.0, 2.0] == slept
