"""
What a process counts goes to everybody's counts: each call once, in its own minute, and later if it cannot be now.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import pytest

from adapters.database.failure_metrics import Calls
from adapters.failure_counts import MOST_WAITING, FailureCounts
from domain.errors import AppointmentDatabaseError
from tests.fakes.time import FakeClock, run_virtually


class Table:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[int, int]] = {}
        self.writes = 0
        self.is_away = False

    async def add(self, counted: Mapping[tuple[str, datetime], Calls]) -> None:
        if self.is_away:
            raise AppointmentDatabaseError("away", kind="connection_lost")
        self.writes += 1
        for (service, minute), calls in counted.items():
            before = self.rows.get((service, f"{minute:%H:%M:%S}"), (0, 0))
            self.rows[service, f"{minute:%H:%M:%S}"] = before[0] + calls.requests, before[1] + calls.failures


def test_each_call_is_counted_in_its_own_minute() -> None:
    clock, table = FakeClock(), Table()
    counts = FailureCounts(table, clock=clock)  # type: ignore[arg-type]
    expected: Counter[str] = Counter()

    async def main() -> None:
        async with counts.running():
            for second in range(150):
                counts.count("calcom", "failed" if second % 3 == 0 else "succeeded")
                counts.count("database", "ignored")
                expected[f"09:0{second // 60}:00"] += 1
                await asyncio.sleep(1)

    run_virtually(main(), clock)

    assert {("calcom", minute): (calls, calls // 3) for minute, calls in expected.items()} == table.rows


def test_nothing_is_written_when_nothing_was_called() -> None:
    clock, table = FakeClock(), Table()

    async def main() -> None:
        async with FailureCounts(table, clock=clock).running():  # type: ignore[arg-type]
            await asyncio.sleep(300)

    run_virtually(main(), clock)

    assert 0 == table.writes


def test_what_cannot_be_added_waits_for_the_database() -> None:
    clock, table = FakeClock(), Table()
    counts = FailureCounts(table, clock=clock)  # type: ignore[arg-type]

    async def main() -> None:
        table.is_away = True
        async with counts.running():
            await asyncio.sleep(30)
            for _ in range(3):
                counts.count("database", "failed", 5)
                await asyncio.sleep(60)
            table.is_away = False

    run_virtually(main(), clock)

    assert {("database", f"09:0{minute}:00"): (5, 5) for minute in range(3)} == table.rows
    assert 1 == table.writes


def test_what_waits_for_too_long_is_given_up_by_name_and_the_rest_is_added(caplog: pytest.LogCaptureFixture) -> None:
    clock, table = FakeClock(), Table()
    counts = FailureCounts(table, clock=clock)  # type: ignore[arg-type]

    async def main() -> None:
        table.is_away = True
        async with counts.running():
            await asyncio.sleep(30)
            for _ in range(MOST_WAITING + 2):
                counts.count("database", "failed", 5)
                await asyncio.sleep(60)
            table.is_away = False

    run_virtually(main(), clock)

    given_up = [one for one in caplog.records if one.message == "failures.given_up"]
    assert ["09:00", "09:01"] == [one.minute[11:16] for one in given_up]  # type: ignore[attr-defined]
    assert {("WARNING", "database", 5, 5)} == {
        (one.levelname, one.service, one.requests, one.failures)  # type: ignore[attr-defined]
        for one in given_up
    }
    assert MOST_WAITING == len(table.rows)
