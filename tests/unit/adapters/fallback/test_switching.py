"""
The switch of full fallback: written once, seen by all, and known while the database is away.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.errors import AppointmentDatabaseError
from domain.full_fallback import FullFallbackEnded, SwitchOff, SwitchOn, holding, switch_on
from domain.notice import OperatorNotified
from tests.fakes.time import START, run_virtually
from tests.unit.adapters.fallback.fleet import ON, Fleet

OFF = SwitchOff(actor="bob")


async def test_what_one_process_switches_another_knows_once_it_looks() -> None:
    fleet = Fleet()
    one, other = fleet.process(), fleet.process()
    await one.switch.on(ON)
    assert other.known.seconds_left is None

    await other.watch.look()

    assert 600 == other.known.seconds_left
    fleet.clock.advance(599)
    assert 1 == other.known.seconds_left
    await one.switch.off(OFF)
    await other.watch.look()
    assert other.known.seconds_left is None


async def test_what_was_known_holds_while_nobody_can_read_what_a_newer_calsaga_has_written() -> None:
    fleet = Fleet()
    here = fleet.process()
    await here.switch.on(ON)
    await here.watch.learn()
    fleet.log.of_a_newer_one = True
    fleet.clock.advance(60)

    await here.watch.learn()

    assert 540 == here.known.seconds_left


async def test_of_two_who_switch_at_once_the_second_sees_the_first() -> None:
    fleet = Fleet()
    here = fleet.process()
    fleet.log.first = list(switch_on(None, SwitchOn(actor="bob", reason="mine"), now=START))
    fleet.clock.advance(5)

    standing = await here.switch.on(ON)

    assert ["FullFallbackBegun"] * 2 == fleet.written
    assert standing.holds is not None
    assert (START, "ada") == (standing.holds.since, standing.holds.actor)


async def test_switching_off_what_is_off_writes_nothing() -> None:
    fleet = Fleet()

    standing = await fleet.process().switch.off(OFF)

    assert (None, None, []) == (standing.holds, standing.last, fleet.written)


async def test_its_end_is_written_by_one_of_all_and_everybody_lets_go() -> None:
    fleet = Fleet()
    processes = [fleet.process() for _ in range(3)]
    await processes[0].switch.on(ON)
    for one in processes:
        await one.watch.look()
    fleet.clock.advance(601)
    assert [None] * 3 == [one.known.seconds_left for one in processes]

    for one in (*processes, *processes):
        await one.watch.look()

    assert ["FullFallbackBegun", "FullFallbackEnded"] == fleet.written
    ended = fleet.log.events[-1]
    assert isinstance(ended, FullFallbackEnded)
    assert (START + timedelta(seconds=600), "calsaga") == (ended.at, ended.actor)
    assert [[601.0]] * 3 == [one.let_go for one in processes]


async def test_what_was_known_last_holds_until_it_expires_while_the_database_is_away() -> None:
    fleet = Fleet()
    here = fleet.process()
    await here.switch.on(ON)
    await here.watch.look()
    fleet.log.away = True

    fleet.clock.advance(300)
    with pytest.raises(AppointmentDatabaseError):
        await here.watch.look()
    assert 300 == here.known.seconds_left
    fleet.clock.advance(300)
    assert here.known.seconds_left is None


def test_the_watch_goes_on_while_the_database_is_away() -> None:
    fleet = Fleet()
    here = fleet.process()

    async def main() -> list[float | None]:
        watching = asyncio.create_task(here.watch.run())
        await here.switch.on(ON)
        await asyncio.sleep(1.5)
        seen = [here.known.seconds_left]
        fleet.log.away = True
        await asyncio.sleep(3)
        fleet.log.away = False
        await here.switch.off(OFF)
        await asyncio.sleep(1)
        watching.cancel()
        return [*seen, here.known.seconds_left]

    assert [598.5, None] == run_virtually(main(), fleet.clock)


@pytest.mark.parametrize("what", ["log", "line"])
async def test_what_the_database_does_not_take_is_done_the_next_time(what: str) -> None:
    fleet = Fleet()
    here = fleet.process()
    await here.switch.on(ON)
    await here.watch.look()
    fleet.clock.advance(601)
    fleet.log.read_only, here.line_away = what == "log", what == "line"

    assert (await here.watch.look()).holds is None
    assert [] == here.let_go
    fleet.log.read_only = here.line_away = False
    await here.watch.look()

    assert ["FullFallbackBegun", "FullFallbackEnded"] == fleet.written
    assert [601.0] == here.let_go


async def test_a_process_that_is_born_afterwards_lets_go_as_well_and_once() -> None:
    fleet = Fleet()
    here = fleet.process()

    await here.watch.look()
    await here.watch.look()

    assert [0.0] == here.let_go


async def test_a_stream_of_something_else_is_a_defect() -> None:
    fleet = Fleet()
    fleet.log.events.append(object.__new__(OperatorNotified))

    with pytest.raises(TypeError, match="ends with notice"):
        await fleet.process().switch.standing()


def test_holding_nothing_is_nothing() -> None:
    assert holding(None, START) is None
