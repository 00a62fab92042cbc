"""
Who of a fleet probes, what becomes of what is found, and what a probe that hangs costs the others; in virtual time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

from adapters.health.board import Board
from adapters.health.probes import Ask, Probe
from adapters.health.runner import HealthRunner
from domain.errors import AppointmentDatabaseError
from domain.health import Check, ProbePolicy, Said
from tests.fakes.time import FakeClock, run_virtually

LEASE = 30.0
FAST = ProbePolicy(interval_seconds=10, limit_seconds=2, slow_seconds=1)
SLOW = ProbePolicy(interval_seconds=30, limit_seconds=5, slow_seconds=2.5)
TICK = LEASE / 3


@dataclass
class Database:
    """
    The lease and the checks of a fleet, which may be away.
    """

    clock: FakeClock
    is_away: bool = False
    holder: object = None
    held_until: float = 0.0
    kept: list[Check] = field(default_factory=list)
    forgotten: list[timedelta] = field(default_factory=list)

    def answers(self) -> None:
        if self.is_away:
            raise AppointmentDatabaseError("gone", kind="connection_lost")


@dataclass
class Process:
    """
    A process of the fleet: what it asked, and when.
    """

    database: Database
    asked: list[tuple[str, float]] = field(default_factory=list)
    rounds: list[bool] = field(default_factory=list)
    board: Board = field(default_factory=Board)

    async def hold(self, *, seconds: float) -> bool:
        db = self.database
        db.answers()
        if db.holder is not self and db.clock.seconds < db.held_until:
            return False
        db.holder, db.held_until = self, db.clock.seconds + seconds
        return True

    async def release(self) -> None:
        self.database.answers()
        if self.database.holder is self:
            self.database.holder = None
            self.database.held_until = 0.0

    async def write(self, checks: Sequence[Check]) -> None:
        self.database.answers()
        self.database.kept += checks

    async def forget(self, *, older_than: timedelta) -> int:
        self.database.forgotten.append(older_than)
        return 0

    def probe(self, service: str, policy: ProbePolicy, ask: Ask | None = None) -> Probe:
        async def well() -> Said:
            self.asked.append((service, self.database.clock.seconds))
            return Said() if ask is None else await ask()

        return Probe(service=service, policy=policy, ask=well)

    def runner(self, *probes: Probe) -> HealthRunner:
        return HealthRunner(
            probes or [self.probe("calcom", SLOW), self.probe("redis", FAST)],
            board=self.board,
            lease=self,
            archive=self,
            clock=self.database.clock,
            lease_seconds=LEASE,
            keep=timedelta(days=7),
            each_round=self.each_round,
        )

    async def each_round(self, leads: bool) -> None:
        self.rounds.append(leads)

    def times(self, service: str) -> list[float]:
        return [at for name, at in self.asked if name == service]


@asynccontextmanager
async def running(*runners: HealthRunner) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(one.run()) for one in runners]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def play(story: Callable[[Database], Coroutine[Any, Any, None]]) -> None:
    clock = FakeClock()
    run_virtually(story(Database(clock)), clock)


def fleet(database: Database, size: int = 3) -> list[Process]:
    return [Process(database) for _ in range(size)]


def test_one_process_of_all_probes_each_service_in_its_rhythm() -> None:
    async def story(database: Database) -> None:
        processes = fleet(database)
        async with running(*(one.runner() for one in processes)):
            await asyncio.sleep(95)

        (leader,) = [one for one in processes if one.asked]
        assert [0, 30, 60, 90] == leader.times("calcom")
        assert [10.0 * number for number in range(10)] == leader.times("redis")
        # All but what the last round, just now, may have come too soon for.
        assert [(0, "calcom"), (0, "redis"), (10, "redis")] == [
            ((one.checked_at - database.clock.start).total_seconds(), one.service) for one in database.kept[:3]
        ]
        assert len(leader.asked) - 2 <= len(database.kept) <= len(leader.asked)

    play(story)


def test_when_whoever_probes_dies_another_takes_over_within_the_lease() -> None:
    async def story(database: Database) -> None:
        first, second = fleet(database, 2)
        async with running(first.runner()) as (doomed,):
            await asyncio.sleep(1)
            async with running(second.runner()):
                await asyncio.sleep(50)
                assert not second.asked
                # Killed: it hands nothing over.
                doomed.cancel()
                died_at = database.clock.seconds
                await asyncio.sleep(LEASE + TICK + 1)
                (took_over_at, *_) = second.times("calcom")
                assert took_over_at - died_at <= LEASE + TICK

    play(story)


def test_whoever_is_told_to_stop_hands_over_at_once_and_keeps_what_it_found() -> None:
    async def story(database: Database) -> None:
        first, second = fleet(database, 2)
        runner = first.runner()
        async with running(runner) as (task,):
            await asyncio.sleep(5)
            await runner.stop()
            await task
            assert 2 == len(database.kept)
            async with running(second.runner()):
                await asyncio.sleep(0.1)
                assert [5] == second.times("calcom")

    play(story)


def test_a_probe_that_hangs_is_cut_and_keeps_nobody_waiting() -> None:
    async def deaf() -> Said:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if deaf_no_more:
                    raise

    deaf_no_more: list[str] = []

    async def story(database: Database) -> None:
        process = Process(database)
        hanging = process.probe("calcom", SLOW, deaf)
        async with running(process.runner(hanging, process.probe("redis", FAST))):
            await asyncio.sleep(45)
            assert [0, 10, 20, 30, 40] == process.times("redis")
            assert [0, 30] == process.times("calcom")
            found = process.board.latest["calcom"]
            assert ("down", None, "no answer within 5 s") == (found.status, found.response_time_ms, found.detail)
            deaf_no_more.append("now")

    play(story)


def test_what_raises_is_down_and_its_text_is_nobodys_business() -> None:
    async def leaking() -> Said:
        raise ConnectionError("redis://:hunter2@host")

    async def story(database: Database) -> None:
        process = Process(database)
        async with running(process.runner(process.probe("redis", FAST, leaking))):
            await asyncio.sleep(1)

        found = process.board.latest["redis"]
        assert ("down", "no answer: ConnectionError") == (found.status, found.detail)

    play(story)


def test_while_the_database_is_away_everybody_probes_and_one_of_them_writes_it_down_afterwards() -> None:
    async def story(database: Database) -> None:
        processes = fleet(database)
        async with running(*(one.runner() for one in processes)):
            await asyncio.sleep(35)
            database.is_away = True
            await asyncio.sleep(300)
            assert all(
                one.board.latest["redis"].checked_at > database.clock.now() - timedelta(seconds=11) for one in processes
            )
            kept_before = len(database.kept)
            database.is_away = False
            await asyncio.sleep(35)

        times = [one.checked_at for one in database.kept if one.service == "redis"]
        assert len(database.kept) > kept_before + 300 / 10
        # Nothing is there twice, and no more is missing than what the last round before the outage had not written.
        assert sorted({*times}) == times
        gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(times)]
        assert max(gaps) <= FAST.interval_seconds + TICK
        assert not any(one.board.waiting for one in processes if one is not database.holder)

    play(story)


def test_what_waits_for_the_database_has_an_end() -> None:
    async def story(database: Database) -> None:
        process = Process(database, board=Board(most_waiting=5))
        database.is_away = True
        async with running(process.runner()):
            await asyncio.sleep(600)
            newest = process.board.waiting[-1].checked_at
            assert 5 == len(process.board.waiting)
            assert newest > database.clock.now() - timedelta(seconds=11)

    play(story)


def test_what_is_too_old_is_forgotten_once_an_hour() -> None:
    async def story(database: Database) -> None:
        async with running(Process(database).runner()):
            await asyncio.sleep(2 * 3600 + 60)

        assert [timedelta(days=7)] * 3 == database.forgotten

    play(story)


def test_each_round_is_told_who_leads() -> None:
    async def story(database: Database) -> None:
        first, second = fleet(database, 2)
        async with running(first.runner(), second.runner()):
            await asyncio.sleep(TICK + 1)

        assert [[True, True], [False, False]] == [first.rounds, second.rounds]

    play(story)


def test_what_is_not_configured_is_never_asked() -> None:
    async def story(database: Database) -> None:
        process = Process(database)
        nobody = Probe(service="sms", policy=SLOW, ask=None)
        async with running(process.runner(nobody, process.probe("redis", FAST))):
            await asyncio.sleep(61)

        assert {"redis"} == {one.service for one in database.kept}

    play(story)


def test_a_defect_ends_nothing() -> None:
    class Broken(Process):
        async def write(self, checks: Sequence[Check]) -> None:
            raise LookupError("no such thing")

    async def story(database: Database) -> None:
        process = Broken(database)
        async with running(process.runner()) as (task,):
            await asyncio.sleep(65)
            assert not task.done()

        assert [0, 30, 60] == process.times("calcom")

    play(story)


def test_what_turns_out_not_to_be_configured_is_shown_and_not_kept() -> None:
    async def nobody_has_a_key() -> Said:
        return Said(status="not_configured", answered=False)

    async def story(database: Database) -> None:
        process = Process(database)
        async with running(process.runner(process.probe("calcom", SLOW, nobody_has_a_key))):
            await asyncio.sleep(65)

        assert "not_configured" == process.board.latest["calcom"].status
        assert [] == database.kept

    play(story)


def test_how_long_an_answer_took_is_not_read_from_the_loop_whose_time_stands_still() -> None:
    async def takes_a_moment() -> Said:
        time.sleep(0.002)  # noqa: ASYNC251 - a loop that is busy is the point
        return Said()

    async def story(database: Database) -> None:
        process = Process(database)
        async with running(process.runner(process.probe("redis", FAST, takes_a_moment))):
            await asyncio.sleep(1)

        took = process.board.latest["redis"].response_time_ms
        assert took is not None
        assert took >= 2

    play(story)
