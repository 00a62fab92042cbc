"""
The counters of the breakers are there before anything happens: a series that begins at 1 is no rise for Prometheus.
"""

from __future__ import annotations

import pytest

from adapters.bootstrap import application
from adapters.breakers.policies import NAMES
from adapters.settings import read_settings

COUNTERS = ("circuit_breaker_open_total", "circuit_breaker_success_total", "circuit_breaker_failure_total")


async def test_each_breaker_that_is_configured_is_counted_from_the_start(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALSAGA_DATABASE_URL", sqlite_url)

    async with application(read_settings(), background=False) as app:
        served = app.metrics.exposition().decode()

    assert [] == [
        line for name in NAMES for counter in COUNTERS if (line := f'\n{counter}{{service="{name}"}} ') not in served
    ]
