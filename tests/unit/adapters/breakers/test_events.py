"""
How breakers have moved comes into the log: late at worst, never twice, and in nobody's way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from structlog.testing import capture_logs

from adapters.breakers import events
from adapters.breakers.events import BreakerEvents
from adapters.breakers.listeners import Listeners
from adapters.breakers.local import LocalBreakers
from adapters.recording.errors import UnreadableEvent
from domain.breaker_moved import BreakerMoved, breaker_moved
from domain.breaker_words import Command, Snapshot, Transition
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, AppendResult, Recorded
from tests.breakers.listening import Heard
from tests.fakes.agenda import FakeAgenda
from tests.fakes.ids import FakeIds
from tests.fakes.log import FakeLog
from tests.fakes.time import FakeClock
from tests.unit.domain.test_breaker_moved import MOVE


def moves(number: int) -> list[Transition]:
    return [replace(MOVE, epoch=epoch) for epoch in range(1, number + 1)]


@dataclass
class Remembering:
    """
    The breakers of a fleet, as somebody remembers them.
    """

    recent: Sequence[Transition] = ()
    shared: bool = True
    looks: int = 0
    plain: LocalBreakers = field(default_factory=lambda: LocalBreakers({}, listener=Heard()))

    async def snapshot(self, name: str) -> Snapshot:
        self.looks += 1
        return replace(await self.plain.snapshot(name), recent=tuple(self.recent), shared=self.shared)


class Process:
    """
    One process, over a log that it may share with others.
    """

    def __init__(self, log: FakeLog | None = None, *, instance: str = "a") -> None:
        clock = FakeClock()
        self.log = log or FakeLog(FakeAgenda(clock, FakeIds()))
        self.events = BreakerEvents(log=self.log, clock=clock, instance=instance, names=["calcom"], pause=0.01)

    def hears(self, *heard: Transition, shared: bool = True) -> None:
        for one in heard:
            self.events.moved(one, shared=shared)

    async def finds(self, *remembered: Transition) -> None:
        await self.events.look_at(Remembering(remembered))  # type: ignore[arg-type]

    def written(self) -> list[BreakerMoved]:
        return [one.event for stream in self.log.streams.values() for one in stream]  # type: ignore[misc]


async def test_what_is_heard_is_written_with_whose_it_is() -> None:
    process = Process()
    process.hears(MOVE)
    process.hears(MOVE, shared=False)

    await process.events.write()

    expected = [breaker_moved(MOVE, instance=None), breaker_moved(MOVE, instance="a")]
    assert expected == process.written()
    assert [one.stream_id for one in expected] == list(process.log.streams)


async def test_what_several_processes_heard_or_found_is_written_once() -> None:
    first = Process()
    second = Process(first.log, instance="b")
    first.hears(*moves(3))
    await first.events.write()
    await second.finds(*moves(4))
    second.hears(*moves(2))

    await asyncio.gather(first.events.write(), second.events.write())

    assert [1, 2, 3, 4] == [one.epoch for one in first.written()]


async def test_what_was_found_before_is_not_asked_for_again() -> None:
    process = Process()
    await process.finds(*moves(3))
    await process.events.write()
    process.log.read_fates.append("fails_before")

    await process.finds(*moves(3))
    await process.events.write()

    assert 3 == len(process.written())


async def test_what_a_process_remembers_for_itself_alone_is_not_taken_for_the_fleets() -> None:
    process = Process()

    await process.events.look_at(Remembering(moves(3), shared=False))  # type: ignore[arg-type]
    await process.events.write()

    assert [] == process.written()


@pytest.mark.parametrize("fate", ["fails_before", "fails_after", "rejects_before"])
async def test_what_the_database_does_not_take_is_written_later(fate: str) -> None:
    process = Process()
    process.hears(*moves(3))
    process.log.fates.extend(["works", fate])  # type: ignore[list-item]
    with pytest.raises(AppointmentDatabaseError):
        await process.events.write()

    await process.events.write()

    assert [1, 2, 3] == [one.epoch for one in process.written()]


async def test_so_much_is_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_KEPT", 3)
    process = Process()
    with capture_logs() as lines:
        process.hears(*moves(5))

    await process.events.write()

    assert [3, 4, 5] == [one.epoch for one in process.written()]
    assert [("breaker.event.given_up", 1), ("breaker.event.given_up", 2)] == [
        (line["event"], line["epoch"]) for line in lines
    ]


async def test_a_stream_that_only_a_newer_calsaga_can_read_is_written() -> None:
    class Newer(FakeLog):
        async def read(self, stream_id: object) -> Sequence[Recorded]:
            raise UnreadableEvent("from the future")

    process = Process(Newer(FakeAgenda(FakeClock(), FakeIds())))
    process.hears(MOVE)

    await process.events.write()

    assert [] == process.written()


async def test_nobody_waits_for_a_database_that_does_not_answer() -> None:
    class Silent(FakeLog):
        async def append(self, append: Append) -> AppendResult:
            await asyncio.Event().wait()
            raise AssertionError

    process = Process(Silent(FakeAgenda(FakeClock(), FakeIds())))
    heard = Heard()
    breakers = LocalBreakers({}, listener=Listeners(heard, process.events))
    running = asyncio.create_task(process.events.run(breakers))
    for number in range(5):
        await breakers.control("calcom", Command(action="open", actor="ann", reason=str(number)))
        await asyncio.sleep(0)
    await process.events.finish(within=0.01)
    running.cancel()

    assert 5 == len(heard.moves)
    assert [] == process.written()


async def test_it_goes_on_by_itself_whatever_the_database_does() -> None:
    process = Process()
    process.log.fates.extend(["fails_before", "rejects_before"])
    remembering = Remembering(moves(2))
    running = asyncio.create_task(process.events.run(remembering))  # type: ignore[arg-type]
    process.hears(*moves(1))

    for _ in range(6_000):
        if len(process.written()) == 2 and remembering.looks >= 4:
            break
        await asyncio.sleep(0.005)
    running.cancel()

    assert [1, 2] == [one.epoch for one in process.written()]


def test_every_listener_is_told_everything() -> None:
    first, second = Heard(), Heard()
    both = Listeners(first, second)
    both.moved(MOVE, shared=True)
    both.degraded("away")
    both.recovered()

    assert ([MOVE], ["degraded", "recovered"]) == (first.moves, first.words)
    assert first == second
