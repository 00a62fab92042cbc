"""
Trying again: what, how often, how long between, within which budget, and what instead.
"""

from __future__ import annotations

import time

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.resilience import RetryBudget, retry
from domain.errors import CircuitOpenError
from domain.retry import RetryPolicy
from tests.unit.adapters.resilience.far import FOR_GOOD, PASSING, Far, answers

pytestmark = pytest.mark.usefixtures("no_waiting")


async def test_three_times_after_one_two_and_four_seconds_give_or_take_a_tenth() -> None:
    far = Far([PASSING] * 3)

    assert "well" == await retry(on_retry=far.heard.append)(far.call)()
    assert 4 == far.calls
    assert [1, 2, 3] == [one.failures for one in far.heard]
    for plain, wait in zip((1, 2, 4), far.waits, strict=True):
        assert 0.9 * plain <= wait <= 1.1 * plain
    assert {("connection_lost", PASSING, "Far.call")} == {(it.failure.kind, it.error, it.name) for it in far.heard}


async def test_two_callers_do_not_wait_alike() -> None:
    far = Far([PASSING] * 2)
    again = retry(policy=RetryPolicy(retries=1), on_retry=far.heard.append)(far.call)
    far.fails = [PASSING]
    await again()
    far.fails = [PASSING]
    await again()

    assert far.waits[0] != far.waits[1]


async def test_the_fourth_failure_is_the_callers() -> None:
    far = Far([PASSING] * 4)

    with pytest.raises(ConnectionResetError):
        await retry()(far.call)()
    assert 4 == far.calls


@pytest.mark.parametrize("error", [FOR_GOOD, *(answers(status) for status in (400, 401, 403, 404, 422))])
async def test_what_does_not_pass_is_not_tried_again(error: Exception) -> None:
    far = Far([error])

    with pytest.raises(type(error)):
        await retry()(far.call)()
    assert 1 == far.calls


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (answers(429, retry_after="7"), 7),
        (answers(503, retry_after="20"), 20),
        (answers(429, x_ratelimit_reset="9"), 9),
        (CircuitOpenError("far", retry_after=12.5), 12.5),
    ],
)
async def test_whoever_asks_for_more_time_gets_it(error: Exception, seconds: float) -> None:
    far = Far([error])
    await retry(on_retry=far.heard.append)(far.call)()

    assert [seconds] == far.waits


async def test_a_wait_beyond_the_end_is_not_begun() -> None:
    far = Far([answers(429, retry_after="31")])

    with pytest.raises(httpx.HTTPStatusError):
        await retry(within=30)(far.call)()
    assert 1 == far.calls


async def test_a_wait_beyond_the_cap_is_not_cut_short() -> None:
    far = Far([CircuitOpenError("far", retry_after=61)])

    with pytest.raises(CircuitOpenError):
        await retry(policy=RetryPolicy(cap=60), within=3600)(far.call)()
    assert 1 == far.calls


async def test_without_budget_nothing_is_tried_again() -> None:
    budget = RetryBudget(share=0, per_second=0)
    far = Far([PASSING] * 4)

    with pytest.raises(ConnectionResetError) as caught:
        await retry(budget=budget)(far.call)()
    assert 2 == far.calls
    assert ["not tried again, since the retry budget is spent"] == caught.value.__notes__
    del PASSING.__notes__


@settings(max_examples=30)
@given(calls=st.integers(1, 60), fails=st.integers(1, 4))
def test_an_outage_is_multiplied_by_no_more_than_the_share(calls: int, fails: int) -> None:
    budget = RetryBudget(share=0.25, per_second=0)
    far = Far([ConnectionResetError()] * 10_000)

    @retry(policy=RetryPolicy(retries=fails), budget=budget)
    def call() -> str:
        return far.answer()

    for _ in range(calls):
        with pytest.raises(ConnectionResetError):
            call()

    assert far.calls <= calls + 1 + 0.25 * calls


def test_an_ordinary_function_is_tried_again_as_well() -> None:
    far = Far([PASSING, PASSING])

    assert "well" == retry(on_retry=far.heard.append)(far.answer)()
    assert 2 == len(far.waits)


def test_an_ordinary_function_falls_back_or_fails() -> None:
    assert "stale" == retry(fallback=lambda: "stale")(Far([FOR_GOOD]).answer)()
    with pytest.raises(ValueError, match="never"):
        retry()(Far([FOR_GOOD]).answer)()


def test_an_ordinary_function_cannot_be_cut_off() -> None:
    with pytest.raises(TypeError, match="no coroutine function"):
        retry(attempt_seconds=1)(time.monotonic)


async def test_a_fallback_is_asked_last_and_for_the_same() -> None:
    far = Far([PASSING] * 4)

    async def call(_what: str) -> str:
        return await far.call()

    async def stale(what: str) -> str:
        return f"stale {what}"

    assert "stale hours" == await retry(fallback=stale)(call)("hours")
    assert 4 == far.calls
