"""
What one process sees alone, and what it takes to open a breaker for all.
"""

from __future__ import annotations

from dataclasses import replace

from domain.breaker_words import Permit
from tests.breakers.stores import Bench


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
