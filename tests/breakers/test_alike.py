"""
The breaker in Redis does what the one in this process does, and both do what the reference does.

Redis's clock is the test's here: the one place where the script asks for the time is replaced.
"""

from __future__ import annotations

import pytest

from adapters.redis import breakers
from tests.breakers.alike import EVERY_CAUSE, run_alike
from tests.breakers.stores import CLOCK, TEST_CLOCK


@pytest.mark.slow
def test_every_breaker_does_what_the_reference_does(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = breakers.script()
    assert 1 == script.count(CLOCK)
    monkeypatch.setattr(breakers, "script", lambda: script.replace(CLOCK, TEST_CLOCK))

    reached = run_alike(runs=120, redis_url=redis_url)

    assert EVERY_CAUSE == set(reached)
