"""
What a person has made of the fleet's breaker holds in every process, and in a Redis that has lost it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.breakers.commands import KeptCommands
from adapters.breakers.fleet import FleetBreakers
from adapters.breakers.local import LocalBreakers
from adapters.redis.breakers import RedisBreakers
from adapters.redis.connection import connect
from domain.breaker_commanded import BreakerCommanded, commands_id_of
from domain.breaker_words import Action, Command, Permit, Refusal
from domain.errors import AppointmentDatabaseError
from sagas.appending import Recorded
from tests.breakers.listening import Heard
from tests.fakes.agenda import FakeAgenda
from tests.fakes.ids import FakeIds
from tests.fakes.log import FakeLog
from tests.fakes.time import FakeClock
from tests.integration.system.installation import eventually
from tests.servers.redis import RedisServer


class Commands(FakeLog):
    """
    A log that knows the end of a stream, and can be away.
    """

    away = False
    hangs = False
    hung = 0

    async def is_asked(self) -> bool:
        """
        Tell whether somebody waits for an answer that will not come.
        """
        return self.hung > 0

    async def last(self, stream_id: UUID) -> Recorded | None:
        if self.hangs:
            self.hung += 1
            await asyncio.Event().wait()
        if self.away:
            raise AppointmentDatabaseError("away", kind="connection_lost")
        return next(iter(reversed(await self.read(stream_id))), None)


def new_log() -> Commands:
    return Commands(FakeAgenda(FakeClock(), FakeIds()))


@dataclass
class Process:
    """
    One of a fleet, with a log that all of it share.
    """

    breakers: FleetBreakers
    kept: KeptCommands
    heard: Heard

    async def look(self) -> bool:
        return await self.kept.look_at(self.breakers)

    async def command(self, action: Action, seconds: float | None = None) -> None:
        await self.breakers.control("x", Command(action=action, actor="ann", reason="it is ill", seconds=seconds))

    async def is_kept_back(self) -> bool:
        answer = await self.breakers.acquire("x")
        if isinstance(answer, Permit):
            await self.breakers.record(answer, "ignored")
        return isinstance(answer, Refusal)

    async def is_shared(self) -> bool:
        return (await self.breakers.snapshot("x")).shared


@asynccontextmanager
async def process(url: str, log: Commands) -> AsyncIterator[Process]:
    heard, client = Heard(), connect(url)
    shared, local = RedisBreakers(client, {}, listener=heard, limit=5.0), LocalBreakers({}, listener=heard)
    try:
        breakers = FleetBreakers(shared, local, listener=heard, rest=0.1)
        yield Process(breakers, KeptCommands(log=log, clock=FakeClock(), names=["x"], pause=0.05), heard)
    finally:
        await client.aclose()


def flush(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushdb()


async def written(log: Commands) -> list[str]:
    events = [one.event for one in await log.read(commands_id_of("x"))]
    return [one.action for one in events if isinstance(one, BreakerCommanded)]


async def test_a_process_that_was_never_refused_keeps_to_it_when_redis_goes(mortal_redis: RedisServer) -> None:
    log = new_log()
    async with process(mortal_redis.url, log) as commanding, process(mortal_redis.url, log) as other:
        assert not await other.is_kept_back()
        await commanding.command("open", 600)
        await other.look()
        mortal_redis.kill()

        refusal = await other.breakers.acquire("x")

        assert isinstance(refusal, Refusal)
        assert "manual" == refusal.reason
        assert refusal.retry_after is not None
        assert 580 < refusal.retry_after <= 600


async def test_a_process_that_looks_when_redis_is_gone_finds_it_in_the_log(mortal_redis: RedisServer) -> None:
    log = new_log()
    async with process(mortal_redis.url, log) as commanding, process(mortal_redis.url, log) as other:
        assert not await other.is_kept_back()
        await commanding.command("open")
        await commanding.look()
        mortal_redis.kill()
        assert not await other.is_kept_back()

        await other.look()

        assert await other.is_kept_back()


async def test_an_open_that_is_over_keeps_nobody_back_for_longer(mortal_redis: RedisServer) -> None:
    log = new_log()
    async with process(mortal_redis.url, log) as one:
        await one.command("open", 0.3)
        await one.look()
        mortal_redis.kill()
        assert await one.is_kept_back()

        async def let_through() -> bool:
            return not await one.is_kept_back()

        await eventually(let_through, "the time is over")


async def test_a_log_that_hangs_keeps_no_later_command_from_being_put_back(mortal_redis: RedisServer) -> None:
    log = new_log()
    async with process(mortal_redis.url, log) as commanding, process(mortal_redis.url, log) as other:
        await commanding.command("open")
        assert await other.look()
        log.hangs = True
        looking = asyncio.create_task(other.kept.run(other.breakers))
        await eventually(log.is_asked, "it waits for the log")
        await commanding.command("observe")

        async def knows() -> bool:
            return other.kept._known["x"].action == "observe"

        await eventually(knows, "it has seen the later command")
        flush(mortal_redis.url)

        async def put_back() -> bool:
            commanded = (await commanding.breakers.snapshot("x")).commanded
            return commanded is not None and commanded.action == "observe"

        await eventually(put_back, "Redis has the later command again")
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@pytest.mark.parametrize("action", ["open", "close", "observe"])
async def test_a_redis_that_comes_back_empty_is_told_again(mortal_redis: RedisServer, action: Action) -> None:
    log = new_log()
    async with process(mortal_redis.url, log) as one, process(mortal_redis.url, log) as other:
        await one.command(action)
        await one.look()
        flush(mortal_redis.url)

        with capture_logs() as said:
            await other.look()
            await one.look()

        look = await one.breakers.snapshot("x")
        assert look.shared
        assert look.override is not None
        assert (action, "ann", "it is ill") == (look.override.action, look.override.actor, look.override.reason)
        assert (action == "open") == await other.is_kept_back()
        assert ["breaker.command.restored"] == [line["event"] for line in said]
        assert ["restored"] == [move.cause for move in other.heard.moves]
        assert [action] == await written(log)


async def test_what_was_not_written_is_put_back_by_whoever_remembers(mortal_redis: RedisServer) -> None:
    log = new_log()
    async with process(mortal_redis.url, log) as one:
        log.away = True
        await one.command("open")
        assert not await one.look()
        flush(mortal_redis.url)
        assert not await one.look()
        assert await one.is_kept_back()

        log.away = False
        assert await one.look()

        assert ["open"] == await written(log)


async def test_a_process_that_slept_undoes_no_later_command(redis_url: str) -> None:
    log = new_log()
    async with process(redis_url, log) as slept, process(redis_url, log) as awake:
        await awake.command("open")
        await slept.look()
        await awake.command("reset")
        await awake.look()

        await slept.look()
        assert not await slept.is_kept_back()
        flush(redis_url)
        await slept.look()
        await awake.look()

        assert not await awake.is_kept_back()
        assert ["open", "reset"] == await written(log)


async def test_an_old_command_that_was_put_back_gives_way_to_the_last(redis_url: str) -> None:
    log = new_log()
    async with process(redis_url, log) as slept, process(redis_url, log) as awake:
        await awake.command("open")
        old = (await slept.breakers.snapshot("x")).commanded
        await awake.command("reset")
        await awake.look()
        flush(redis_url)
        assert old is not None
        await slept.breakers.restore("x", old)
        assert await awake.is_kept_back()

        await awake.look()

        assert not await awake.is_kept_back()


async def test_a_reset_that_the_process_has_seen_ends_a_refusal_that_it_remembers(mortal_redis: RedisServer) -> None:
    log = new_log()
    async with process(mortal_redis.url, log) as one, process(mortal_redis.url, log) as other:
        await one.command("open")
        assert await other.is_kept_back()
        await one.command("reset")
        await other.look()
        mortal_redis.kill()

        assert not await other.is_kept_back()


STEPS = st.lists(
    st.tuples(st.sampled_from(["open", "close", "reset", "flush", "look"]), st.integers(0, 2)), max_size=14
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
async def test_the_last_command_that_anybody_saw_wins(redis_url: str, steps: list[tuple[str, int]]) -> None:
    """
    Whoever looks when, and whenever Redis forgets: once all have looked, the last command that was seen holds.
    """
    flush(redis_url)
    log = new_log()
    async with process(redis_url, log) as a, process(redis_url, log) as b, process(redis_url, log) as c:
        fleet, last = (a, b, c), "reset"
        for step, who in steps:
            match step:
                case "flush":
                    flush(redis_url)
                case "look":
                    await fleet[who].look()
                case "open" | "close" | "reset":
                    await fleet[who].command(step)
                    await fleet[who].look()
                    last = step
        for one in fleet:
            await one.look()

        found = (await a.breakers.snapshot("x")).override
        assert last == ("reset" if found is None else found.action)
        assert all([(last == "open") == await one.is_kept_back() for one in fleet])


async def test_a_command_that_is_not_the_last_is_not_put_back(redis_url: str) -> None:
    log = new_log()
    async with process(redis_url, log) as one, process(redis_url, log) as slept:
        await one.command("open")
        old = (await slept.breakers.snapshot("x")).commanded
        await one.command("reset")
        assert old is not None

        await slept.breakers.restore("x", old)
        await slept.breakers.restore("x", old)

        assert not await one.is_kept_back()
        assert [] == [move for move in slept.heard.moves if move.cause == "restored"]
