"""
What opens a breaker, and what does not.
"""

from __future__ import annotations

from domain.breaker_policy import BreakerPolicy
from tests.breakers.stores import Bench


async def test_calls_that_hang_open_it_before_they_end(bench: Bench) -> None:
    """
    r4j #1597: all callers hang before the first has timed out, and more come all the while.
    """
    for _ in range(10):
        await bench.granted()
    await bench.wait(5.001)

    assert "open" == (await bench.refused()).reason
    # None of them has ended, so that the window holds nothing.
    move = bench.heard.moves[-1]
    assert ("slow_calls", 10, 0) == (move.cause, move.slow, move.calls)


async def test_refused_calls_count_into_the_rate(bench: Bench) -> None:
    """
    Hystrix #1031.
    """
    await bench.open()
    for _ in range(100):
        await bench.refused()

    look = await bench.look()

    assert (5, 0, 100) == (look.failures, look.successes, look.operations["call"]["refused"])


async def test_a_result_counts_twice(bench: Bench) -> None:
    permit = await bench.granted()
    for _ in range(10):
        await bench.say(permit, "failed")

    assert 1 == (await bench.look()).failures


async def test_a_few_failures_among_many_calls_open_it(bench: Bench) -> None:
    """
    A plain count opens at five failures of a thousand calls; the count decides below 20 calls alone.
    """
    await bench.call("succeeded", 20)
    await bench.call("failed", 19)
    assert "closed" == (await bench.look()).state

    await bench.call("failed")

    assert "failure_rate" == bench.heard.moves[-1].cause


async def test_it_never_opens_below_a_minimum_of_calls(bench: Bench) -> None:
    """
    Polly: 100 % failures, but never enough calls. Here a handful of failures is enough.
    """
    await bench.call("failed", 4)
    await bench.wait(60)
    await bench.call("failed")

    assert "failures" == bench.heard.moves[-1].cause


async def test_old_failures_count(bench: Bench) -> None:
    await bench.call("failed", 4)
    await bench.wait(65)
    await bench.call("failed")

    assert ("closed", 1) == ((await bench.look()).state, (await bench.look()).failures)


def test_the_defaults_are_those_that_are_documented() -> None:
    policy = BreakerPolicy()

    assert (5, 60, 0.5, 10) == (
        policy.failure_threshold,
        policy.window_seconds,
        policy.failure_rate,
        policy.minimum_calls,
    )
    assert (60, 1.5, 120) == (policy.open_seconds, policy.open_multiplier, policy.open_cap_seconds)
    assert (3, 2, 300) == (policy.half_open_quota, policy.success_threshold, policy.half_open_limit_seconds)
