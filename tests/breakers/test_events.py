"""
Every transition is one event and one row, whichever of several real processes made it, and however that one ended.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from redis import Redis
from sqlalchemy import select

from adapters.followers import Followers
from adapters.log.store import Store, open_store
from adapters.verify import verify
from domain.breaker_moved import BreakerMoved
from projections.tables import circuit_breaker_events
from tests.integration.system.installation import eventually
from tests.servers.redis import RedisServer


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with open_store(database_url) as store:
        yield store


class Mover:
    """
    A process that moves the breaker, a child of ours.
    """

    def __init__(self, database_url: str, redis_url: str, instance: str, *options: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.breakers.mover", database_url, redis_url, instance, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def await_ready(self) -> None:
        self._await("ready")

    def move(self, times: int) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(f"move {times}\n")
        self._child.stdin.flush()

    def moved(self) -> list[UUID]:
        """
        Return what it has heard until it was done, or died.
        """
        return [UUID(line) for line in self._await("done")]

    def kill(self) -> None:
        self._child.kill()
        self._child.communicate()

    def end(self) -> int:
        self._child.communicate()
        return self._child.returncode

    def _await(self, word: str) -> list[str]:
        assert self._child.stdout is not None
        told = []
        while (line := self._child.stdout.readline().strip()) not in {word, ""}:
            told.append(line)
        return told


@contextmanager
def movers(database_url: str, redis_url: str, *, number: int) -> Iterator[list[Mover]]:
    fleet = [Mover(database_url, redis_url, f"process-{at}") for at in range(number)]
    try:
        for one in fleet:
            one.await_ready()
        yield fleet
    finally:
        for one in fleet:
            one.kill()


async def events(store: Store) -> dict[UUID, BreakerMoved]:
    """
    Return the transitions that stand in the log, and insist that each of them stands there once.
    """
    entries = await store.log.read_all(after=0, limit=10_000)
    moves = [one for one in entries if isinstance(one.event, BreakerMoved)]  # type: ignore[union-attr]
    assert {1} == set(Counter(one.stream_id for one in moves).values()) or not moves
    return {one.stream_id: one.event for one in moves}  # type: ignore[union-attr, misc]


async def are_written(store: Store, expected: set[UUID]) -> None:
    async def is_there() -> bool:
        return expected <= (await events(store)).keys()

    await eventually(is_there, "every transition is an event")
    assert expected == (await events(store)).keys()


async def test_each_of_a_fleets_transitions_is_one_event_and_one_row(
    store: Store, database_url: str, redis_url: str
) -> None:
    with movers(database_url, redis_url, number=4) as fleet:
        for one in fleet:
            one.move(10)
        made = [one.moved() for one in fleet]
        expected = {move for moves in made for move in moves}
        assert 40 == len(expected) == sum(len(moves) for moves in made)
        await are_written(store, expected)

    await Followers(store, follow_seconds=1).catch_up()
    with store.engine.connect() as connection:
        rows = connection.execute(select(circuit_breaker_events)).all()
    assert expected == {row.id for row in rows}
    assert {(True, None)} == {(row.shared, row.instance) for row in rows}
    assert list(range(1, 41)) == sorted(row.epoch for row in rows)
    assert [] == await verify(store, look_again=[])


async def test_what_a_process_did_before_it_died_is_written_by_the_others(
    store: Store, database_url: str, redis_url: str
) -> None:
    with movers(database_url, redis_url, number=2) as others:
        dying = Mover(database_url, redis_url, "dying", "--dies")
        dying.await_ready()
        dying.move(2)
        expected = set(dying.moved())
        assert (-signal.SIGKILL, 1) == (dying.end(), len(expected))

        await are_written(store, expected)
        # Nor is it written again by whoever begins later.
        latecomer = Mover(database_url, redis_url, "late")
        latecomer.await_ready()
        latecomer.move(1)
        others[0].move(1)
        await are_written(store, expected | {*latecomer.moved(), *others[0].moved()})
        latecomer.kill()


async def test_what_was_written_stands_and_what_begins_anew_is_written_when_redis_was_emptied(
    store: Store, database_url: str, redis_url: str
) -> None:
    with movers(database_url, redis_url, number=2) as fleet:
        expected: set[UUID] = set()
        for _ in range(3):
            for one in fleet:
                one.move(3)
            expected |= {move for one in fleet for move in one.moved()}
            with Redis.from_url(redis_url) as client:
                client.flushdb()
        await are_written(store, expected)

    assert 18 == len(expected)
    assert {1, 2, 3, 4, 5, 6} == {one.epoch for one in (await events(store)).values()}


async def test_what_each_process_decides_alone_is_written_as_its_own(
    store: Store, database_url: str, mortal_redis: RedisServer
) -> None:
    with movers(database_url, mortal_redis.url, number=2) as fleet:
        mortal_redis.kill()
        for one in fleet:
            one.move(2)
        expected = {move for one in fleet for move in one.moved()}
        await are_written(store, expected)

    found = (await events(store)).values()
    assert 4 == len(expected)
    assert [("process-0", 1), ("process-0", 2), ("process-1", 1), ("process-1", 2)] == sorted(
        (one.instance, one.epoch) for one in found
    )


async def test_what_a_process_heard_last_is_written_before_it_ends(
    store: Store, database_url: str, redis_url: str
) -> None:
    with movers(database_url, redis_url, number=1) as [process]:
        process.move(6)
        expected = set(process.moved())
        assert 0 == process.end()

    assert expected == (await events(store)).keys()


async def test_what_makes_no_sense_among_what_is_remembered_is_passed_over(
    store: Store, database_url: str, redis_url: str
) -> None:
    with movers(database_url, redis_url, number=1) as [process]:
        process.move(1)
        expected = set(process.moved())
        with Redis.from_url(redis_url) as client:
            for nonsense in ("nothing", "[]", '{"at": 1e300}', '{"at": "x"}'):
                client.rpush("circuit_breaker:{calcom}:transitions", nonsense)
        process.move(1)
        await are_written(store, expected | set(process.moved()))
