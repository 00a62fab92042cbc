"""
Trying again within time limits: of the whole, of one attempt, and of whoever asks.
"""

from __future__ import annotations

import asyncio

import pytest

from adapters.resilience import Bulkhead, retry
from domain.retry import RetryPolicy
from tests.unit.adapters.resilience.far import QUICK, Far, hangs

pytestmark = pytest.mark.usefixtures("no_waiting")


async def test_the_whole_is_over_in_time_however_long_an_attempt_takes() -> None:
    with pytest.raises(TimeoutError):
        await retry(policy=QUICK, within=0.02)(hangs)()


async def test_an_attempt_that_hangs_is_cut_off_and_tried_again() -> None:
    calls = 0

    async def hangs_once() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.Event().wait()
        return "well"

    assert "well" == await retry(policy=QUICK, attempt_seconds=0.01)(hangs_once)()


async def test_who_is_cancelled_does_not_try_again() -> None:
    far = Far([])

    async def cancelled() -> None:
        far.calls += 1
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await retry()(cancelled)()
    assert 1 == far.calls


async def test_the_time_limit_of_an_attempt_does_not_count_the_line() -> None:
    bulkhead = Bulkhead("far", at_once=1, patience=30)
    await bulkhead.__aenter__()
    waiting = asyncio.ensure_future(
        retry(bulkhead=bulkhead, attempt_seconds=0.05, policy=RetryPolicy(retries=0))(Far([]).call)()
    )
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    await bulkhead.__aexit__(None, None, None)

    assert set() == done
    assert "well" == await waiting
