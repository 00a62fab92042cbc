"""
What people order by hand, and what they are told, for the breaker of a process and for the fleet's.
"""

from __future__ import annotations

import pytest

from domain.breaker_words import Permit
from tests.breakers.stores import Bench


async def test_whoever_opens_it_opens_it_for_all_and_for_a_time(bench: Bench) -> None:
    """
    Elsewhere (interlock-cb) that is one process's own.
    """
    look = await bench.order("open", seconds=600)
    assert look.override is not None
    assert ("ann", "maintenance") == (look.override.actor, look.override.reason)

    refusal = await bench.refused("b")
    assert ("manual", 600) == (refusal.reason, refusal.retry_after)
    assert ("manual", "ann", "maintenance") == (
        bench.heard.moves[-1].cause,
        bench.heard.moves[-1].actor,
        bench.heard.moves[-1].reason,
    )
    await bench.wait(600)
    await bench.call("succeeded", 2, instance="b")
    assert ("closed", None) == ((await bench.look()).state, (await bench.look()).override)


@pytest.mark.parametrize("action", ["close", "observe"])
async def test_it_can_be_held_closed_for_a_time(bench: Bench, action: str) -> None:
    await bench.open()
    await bench.order("close" if action == "close" else "observe", seconds=600)
    await bench.call("failed", 30)

    look = await bench.look()

    assert "closed" == look.state
    expected = (0, None) if action == "close" else (30, "failure_rate")
    assert expected == (look.failures, look.would_open)
    await bench.wait(600)
    await bench.open()


async def test_a_reset_begins_anew(bench: Bench) -> None:
    await bench.order("open")
    assert (await bench.refused()).retry_after is None

    look = await bench.order("reset")

    assert ("closed", 0, None) == (look.state, look.failures, look.override)
    await bench.call("failed", 4)
    assert "closed" == (await bench.look()).state


async def test_its_last_transitions_are_remembered(bench: Bench) -> None:
    for _ in range(15):
        await bench.order("open")
        await bench.order("reset")

    recent = (await bench.look()).recent

    assert bench.heard.moves[-20:] == list(recent)
    assert list(range(11, 31)) == [move.epoch for move in recent]


async def test_calls_are_counted_by_the_name_of_their_operation(bench: Bench) -> None:
    permit = await bench.breakers().acquire("x", operation="look")
    assert isinstance(permit, Permit)
    await bench.say(permit, "succeeded")
    await bench.call("failed")

    assert {"look": {"succeeded": 1}, "call": {"failed": 1}} == (await bench.look()).operations
