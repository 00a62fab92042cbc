"""
What users of other circuit breakers complain about, one test each, for the breaker of a process and for the fleet's.

The names in brackets are where it was complained: r4j is resilience4j.
"""

from __future__ import annotations

from dataclasses import replace

from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Permit
from tests.breakers.stores import Bench


async def test_stuck_half_open_because_no_verdict_comes(bench: Bench) -> None:
    """
    r4j #935, #903, #2028: probes that never end, or no traffic, and it never moves again.
    """
    await bench.open()
    await bench.wait(60)
    for _ in range(3):
        await bench.granted()
    await bench.wait(300)

    await bench.look()

    assert "no_verdict" == bench.heard.moves[-1].cause
    await bench.wait(60)
    await bench.call("succeeded", 2)
    assert "closed" == (await bench.look()).state


async def test_stuck_half_open_because_no_call_comes_for_hours(bench: Bench) -> None:
    """
    r4j #935: whoever comes next is a probe, however long nobody came.
    """
    await bench.open()
    await bench.wait(60)
    await bench.call("succeeded")
    await bench.wait(7200)

    await bench.call("succeeded", 2)

    assert "closed" == (await bench.look()).state


async def test_stuck_half_open_because_ignored_outcomes_keep_their_permit(bench: Bench) -> None:
    """
    r4j #544.
    """
    await bench.open()
    await bench.wait(60)
    await bench.call("ignored", 10)

    await bench.call("succeeded", 2)

    assert "closed" == (await bench.look()).state


async def test_stuck_half_open_because_a_prober_was_killed(bench: Bench) -> None:
    """
    nopanic-redis: for ever; interlock-cb: as long as the state's key lives.
    """
    await bench.open()
    await bench.wait(60)
    for _ in range(3):
        await bench.granted()
    assert "half_open" == (await bench.refused()).reason
    assert 15 == (await bench.refused()).retry_after

    await bench.wait(15)

    await bench.call("succeeded", 2)
    assert "closed" == (await bench.look()).state


async def test_stuck_open(bench: Bench) -> None:
    """
    r4j #2093: nothing moved it but a call, and a dashboard could not tell. Here any call that may probe does.
    """
    await bench.open()
    refusal = await bench.refused()
    assert ("open", 60) == (refusal.reason, refusal.retry_after)

    await bench.wait(60)

    assert isinstance(await bench.ask(), Permit)
    assert "half_open" == (await bench.look()).state


async def test_open_for_longer_because_others_find_it_open(bench: Bench) -> None:
    """
    Of pybreaker, #24: every process that noticed wrote the time of opening anew.
    """
    late = [await bench.granted("b") for _ in range(20)]
    await bench.open()
    until = (await bench.look()).open_until
    await bench.wait(10)
    for permit in late:
        await bench.say(permit, "failed")
        await bench.refused("b")

    assert until == (await bench.look()).open_until


async def test_more_probes_than_allowed_when_open_becomes_half_open(bench: Bench) -> None:
    """
    r4j #1432, and every Python library that reads before it writes.
    """
    await bench.open()
    await bench.wait(60)

    answers = [await bench.ask(instance) for instance in "abcdefgh" for _ in range(4)]

    assert 3 == sum(isinstance(answer, Permit) for answer in answers)


async def test_more_probes_than_allowed_because_the_first_have_ended(bench: Bench) -> None:
    await bench.open()
    await bench.wait(60)
    await bench.call("succeeded")

    assert [True, True, False] == [isinstance(await bench.ask(), Permit) for _ in range(3)]


async def test_calls_that_hang_open_it_before_they_end(bench: Bench) -> None:
    """
    r4j #1597: all callers hang before the first has timed out, and more come all the while.
    """
    for _ in range(10):
        await bench.granted()
    await bench.wait(5.001)

    assert "open" == (await bench.refused()).reason
    assert "slow_calls" == bench.heard.moves[-1].cause


async def test_one_bad_node_poisons_the_fleet(bench: Bench) -> None:
    """
    Polly #287, #215, #259: with a quorum, one instance alone cannot open what all others use happily.
    """
    bench.policy = replace(bench.policy, quorum=2)
    await bench.call("failed", 50, instance="broken")
    assert "closed" == (await bench.look()).state

    # What happens to everybody now and then does not make it a witness.
    await bench.call("succeeded", 60, instance="b")
    await bench.call("failed", 5, instance="b")

    assert ("closed", None) == ((await bench.look()).state, (await bench.look()).would_open)


async def test_one_bad_node_hides_that_all_are_in_trouble(bench: Bench) -> None:
    """
    What it has too much is left out, so that the little that others have tried is heard all the same.
    """
    bench.policy = replace(bench.policy, quorum=2)
    await bench.call("failed", 50, instance="broken")
    await bench.call("failed", 2, instance="b")
    assert "closed" == (await bench.look()).state

    await bench.call("failed", instance="b")

    assert ("open", "failures") == ((await bench.look()).state, bench.heard.moves[-1].cause)


async def test_two_bad_nodes_are_no_quorum_of_three(bench: Bench) -> None:
    bench.policy = replace(bench.policy, quorum=3)
    for instance in ("a", "b"):
        await bench.call("failed", 30, instance=instance)
    await bench.call("failed", instance="c")
    assert "closed" == (await bench.look()).state

    await bench.call("failed", instance="c")

    assert "open" == (await bench.look()).state


async def test_one_slow_node_poisons_the_fleet(bench: Bench) -> None:
    bench.policy = replace(bench.policy, quorum=2)
    for _ in range(30):
        await bench.granted("slow")
    held = [await bench.granted("b") for _ in range(4)]
    await bench.wait(6)
    assert isinstance(await bench.ask("slow"), Permit)

    held += [await bench.granted("b")]
    await bench.wait(6)

    assert "open" == (await bench.look()).state
    assert "slow_calls" == bench.heard.moves[-1].cause


async def test_a_crowd_of_probes_starves_what_settles_and_that_starves_no_probe(bench: Bench) -> None:
    """
    A look or a compensation has a share of its own while it is half-open.
    """
    await bench.open()
    await bench.wait(60)
    probes = [await bench.granted() for _ in range(3)]
    assert "half_open" == (await bench.refused()).reason

    settling = [await bench.ask("b", probe=False, settles=True) for _ in range(3)]
    assert [True, True, False] == [isinstance(one, Permit) for one in settling]
    assert (5, 0) == ((await bench.look()).under_way, (await bench.look()).half_open_quota)

    # Those who settle neither use up what is left to the probes nor have the last word.
    assert isinstance(settling[0], Permit)
    await bench.say(probes[0], "ignored")
    await bench.say(settling[0], "succeeded")
    assert 1 == (await bench.look()).half_open_quota
    assert isinstance(await bench.ask("b", probe=False, settles=True), Permit)
    for probe in probes[1:]:
        await bench.say(probe, "succeeded")
    assert "closed" == (await bench.look()).state


async def test_what_settles_and_fails_opens_it_again(bench: Bench) -> None:
    await bench.open()
    await bench.wait(60)
    await bench.granted()
    settling = await bench.ask(probe=False, settles=True)
    assert isinstance(settling, Permit)

    await bench.say(settling, "failed")

    assert ("open", "probe_failed") == ((await bench.look()).state, bench.heard.moves[-1].cause)


async def test_a_write_that_settles_is_not_the_first_to_try(bench: Bench) -> None:
    await bench.open()
    assert "open" == (await bench.refused(settles=True)).reason
    await bench.wait(60)

    assert "half_open" == (await bench.refused(probe=False, settles=True)).reason
    assert "open" == (await bench.look()).state
    # A look is a read.
    assert isinstance(await bench.ask(settles=True), Permit)
    assert ("half_open", 3) == ((await bench.look()).state, (await bench.look()).half_open_quota)


async def test_refused_calls_count_into_the_rate(bench: Bench) -> None:
    """
    Hystrix #1031.
    """
    await bench.open()
    for _ in range(100):
        await bench.refused()

    look = await bench.look()

    assert (5, 0, 100) == (look.failures, look.successes, look.operations["call"]["refused"])


async def test_the_open_time_never_grows(bench: Bench) -> None:
    """
    r4j #671, #1044: growing with every failed probe, up to a cap, and small again after a stable time.
    """
    await bench.open()
    for seconds in (60, 90, 120, 120):
        assert seconds == (await bench.refused()).retry_after
        await bench.wait(seconds)
        await bench.call("failed")
    await bench.wait(120)
    await bench.call("succeeded", 2)

    await bench.open()
    assert 120 == (await bench.refused()).retry_after
    await bench.wait(120)
    await bench.call("succeeded", 2)
    await bench.wait(300)

    await bench.open()
    assert 60 == (await bench.refused()).retry_after


async def test_one_success_closes_it(bench: Bench) -> None:
    """
    Of pybreaker, #96: one lucky call, and everybody is let through again.
    """
    await bench.open()
    await bench.wait(60)
    await bench.call("succeeded")
    assert "half_open" == (await bench.look()).state

    await bench.call("failed")

    assert ("open", "probe_failed") == ((await bench.look()).state, bench.heard.moves[-1].cause)


async def test_a_late_result_of_another_epoch_decides(bench: Bench) -> None:
    """
    Of gobreaker, #70, and others without a fence: a call from before the outage closes, or opens, the breaker.
    """
    before = [await bench.granted() for _ in range(4)]
    await bench.open()
    await bench.wait(60)
    for permit in before[:2]:
        await bench.say(permit, "succeeded")
    await bench.granted()
    for permit in before[2:]:
        await bench.say(permit, "failed")

    look = await bench.look()

    assert ("half_open", 1, 2) == (look.state, look.under_way, look.half_open_quota)


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


async def test_the_first_call_after_an_outage_is_a_write(bench: Bench) -> None:
    await bench.open()
    await bench.wait(60)

    assert "half_open" == (await bench.refused(probe=False)).reason
    assert "open" == (await bench.look()).state
    await bench.granted()
    assert "half_open" == (await bench.refused(probe=False)).reason


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
