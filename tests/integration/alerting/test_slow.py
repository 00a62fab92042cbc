"""
What is slow is told by its slowest operation, however many quick ones there are beside it.
"""

from __future__ import annotations

import pytest

from adapters.log.store import Store
from tests.integration.alerting.watchers import Fleet


@pytest.fixture
def fleet(store: Store) -> Fleet:
    """
    Three processes.
    """
    return Fleet(store, "one", "two", "three")


async def test_slow_writes_are_told_however_many_quick_reads_there_are(fleet: Fleet) -> None:
    for _ in range(20):
        fleet.calls.meter.record("database", "append", "succeeded", 2.0)
    for _ in range(10_000):
        fleet.calls.meter.record("database", "read", "succeeded", 0.001)
    await fleet.passes(15)

    assert {"latency database": "warning"} == await fleet.active()


async def test_slow_answers_of_our_own_are_told_by_their_slowest_route_and_cleared(fleet: Fleet) -> None:
    def answers(route: str, *, quick: int, slow: int, seconds: float) -> None:
        for number in range(quick + slow):
            fleet.calls.meter.record("api", route, "succeeded", seconds if number < slow else 0.01)

    answers("GET /api/bookings", quick=10_000, slow=0, seconds=0)
    answers("POST /api/bookings", quick=95, slow=5, seconds=9.0)
    await fleet.passes(15)
    assert {} == await fleet.active()
    answers("POST /api/bookings", quick=0, slow=6, seconds=1.6)
    await fleet.passes(15, judge=1)
    assert {"slow_answers api": "warning"} == await fleet.active()
    answers("POST /api/bookings", quick=0, slow=20, seconds=2.1)
    await fleet.passes(15, judge=2)
    assert {"slow_answers api": "critical"} == await fleet.active()
    fleet.calls.meter.take()
    await fleet.passes(15)

    assert {} == await fleet.active()
    assert {"AlertRaised": 1, "AlertSeverityChanged": 1, "AlertCleared": 1} == await fleet.told()
