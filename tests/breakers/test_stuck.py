"""
Breakers that stay as they are, or stay open for too short or too long, as users of other circuit breakers complain.

Each test, here and in the modules beside, is for the breaker of a process and for the fleet's. What stands first in its
words is where that was complained; r4j is resilience4j.
"""

from __future__ import annotations

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


async def test_it_flaps_because_what_is_probed_works_and_what_is_called_does_not(bench: Bench) -> None:
    """
    Cal.com answers reads, and fails each booking: 60 seconds open, five failures, and again, all day long.
    """
    for seconds in (60, 90, 120, 120):
        await bench.open()
        assert seconds == (await bench.refused()).retry_after
        await bench.wait(seconds)
        await bench.call("succeeded", 2)
    await bench.wait(299)
    await bench.open()
    assert 120 == (await bench.refused()).retry_after


async def test_it_opens_for_as_long_as_at_first_after_a_reset(bench: Bench) -> None:
    for _ in range(3):
        await bench.open()
        await bench.wait(120)
        await bench.call("succeeded", 2)
    await bench.order("reset")

    await bench.open()

    assert 60 == (await bench.refused()).retry_after
