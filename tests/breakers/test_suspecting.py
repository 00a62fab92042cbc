"""
A breaker that was not closed, as somebody knows, is probed where that was lost: in a process, and in Redis.
"""

from __future__ import annotations

from domain.breaker_words import Permit
from tests.breakers.stores import Bench

LATER = 7


async def test_one_that_is_closed_in_an_earlier_epoch_is_due_for_a_probe(bench: Bench) -> None:
    await bench.breakers().suspect("x", epoch=LATER)

    assert "half_open" == (await bench.refused(probe=False)).reason
    probe = await bench.granted()
    # No epoch is there twice.
    assert LATER + 2 == probe.epoch
    assert ["suspected", "probe_due"] == [one.cause for one in bench.heard.moves]


async def test_one_that_is_closed_in_that_epoch_or_a_later_one_is_believed(bench: Bench) -> None:
    await bench.breakers().suspect("x", epoch=LATER)
    await bench.call("succeeded", 2)
    closed = await bench.look()

    for epoch in (LATER, closed.epoch):
        await bench.breakers().suspect("x", epoch=epoch)

    assert closed == await bench.look()


async def test_one_that_is_open_or_half_open_stays_so(bench: Bench) -> None:
    await bench.open()
    opened = await bench.look()
    await bench.breakers().suspect("x", epoch=LATER)
    assert opened == await bench.look()

    await bench.wait(60)
    await bench.granted()
    half_open = await bench.look()
    await bench.breakers().suspect("x", epoch=LATER)
    assert half_open == await bench.look()


async def test_what_a_person_holds_closed_is_closed(bench: Bench) -> None:
    await bench.order("close")

    await bench.breakers().suspect("x", epoch=LATER)

    assert isinstance(await bench.ask(probe=False), Permit)
