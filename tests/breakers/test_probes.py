"""
Who is let through while a breaker finds out whether the far side is well again, and whose word counts then.
"""

from __future__ import annotations

from domain.breaker_words import Permit
from tests.breakers.stores import Bench


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


async def test_the_first_call_after_an_outage_is_a_write(bench: Bench) -> None:
    await bench.open()
    await bench.wait(60)

    assert "half_open" == (await bench.refused(probe=False)).reason
    assert "open" == (await bench.look()).state
    await bench.granted()
    assert "half_open" == (await bench.refused(probe=False)).reason


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
