"""
What health checks have found, in either kind of database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.database.health_checks import BATCH, HealthChecks
from adapters.log.store import Store, open_store
from domain.health import Check, Status, Uptime
from tests.fakes.time import START, FakeClock


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    A database of either kind.
    """
    async with open_store(database_url) as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def checks(store: Store, clock: FakeClock) -> HealthChecks:
    """
    The checks in it.
    """
    return HealthChecks(engine=store.engine, readers=store.readers, clock=clock)


def check(service: str, seconds: float, status: Status = "healthy", *, ms: float | None = 12.5) -> Check:
    at = START + timedelta(seconds=seconds)
    ok = None if status == "unknown" else status == "healthy"
    return Check(service=service, checked_at=at, status=status, response_time_ms=ms, threshold_ok=ok, detail="HTTP 502")


async def test_what_was_found_is_read_as_it_was_written(checks: HealthChecks) -> None:
    found = [check("calcom", 0), check("calcom", 30, "down", ms=None), check("calcom", 60, "unknown", ms=None)]
    await checks.write([*found, check("redis", 61)])

    assert found == await checks.since("calcom", START)
    assert found[1:] == await checks.since("calcom", START + timedelta(seconds=30))
    assert {"calcom": found[-1], "redis": check("redis", 61)} == await checks.latest()


async def test_what_is_written_twice_is_there_once(checks: HealthChecks) -> None:
    many = [check("database", number) for number in range(BATCH + 1)]
    await checks.write(many)
    await checks.write(many)

    assert many == await checks.since("database", START)


async def test_uptime_counts_what_said_anything(checks: HealthChecks) -> None:
    statuses: tuple[Status, ...] = ("healthy", "degraded", "down", "unknown")
    await checks.write([check("calcom", number, status) for number, status in enumerate(statuses)])
    await checks.write([check("calcom", -1, "down"), check("redis", 0, "unknown")])

    assert {"calcom": Uptime(checks=3, up=2), "redis": Uptime(checks=0, up=0)} == await checks.uptimes(START)


async def test_what_is_too_old_is_forgotten(checks: HealthChecks, clock: FakeClock) -> None:
    await checks.write([check("calcom", number) for number in range(10)])
    clock.advance(5 + 86_400)

    assert 5 == await checks.forget(older_than=timedelta(days=1))
    assert 5 == len(await checks.since("calcom", START))


async def test_of_nothing_there_is_nothing(checks: HealthChecks) -> None:
    assert {} == await checks.latest()
    assert {} == await checks.uptimes(START)
    await checks.write([])


async def test_a_forecast_sees_the_last_hours_the_same_time_of_other_days_and_every_hour(checks: HealthChecks) -> None:
    # It is nine o'clock; what differs by more than an hour on other days, or two today, is no check to look at.
    seen_at, unseen_at = (-1440 + 59, -119, -2, -1), (-1440 + 61, -121)
    await checks.write([check("calcom", 60 * minute, "degraded") for minute in (*seen_at[:-1], *unseen_at)])
    await checks.write([check("calcom", -60), check("calcom", -70, "unknown")])
    await checks.write([check("calcom", -8 * 86_400), check("redis", -5)])

    seen = await checks.seen("calcom", START)

    minutes = [(one.checked_at - START).total_seconds() / 60 for one in seen.checks if one.status != "unknown"]
    assert [*seen_at] == minutes
    hours = {round((one.begins_at - START) / timedelta(hours=1)): (one.checks, one.unwell) for one in seen.hours}
    assert {-24: (1, 1), -23: (1, 1), -3: (1, 1), -2: (1, 1), -1: (2, 1)} == hours
