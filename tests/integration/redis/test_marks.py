"""
Marks in a real Redis: seen by every process, gone in time, and no burden when Redis is slow, away or out of its mind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from uuid import UUID, uuid4

import pytest
import redis

from adapters.redis import connection
from adapters.redis import marks as module
from adapters.redis.errors import RedisAway
from adapters.redis.marks import RedisMarks, redis_marks
from tests.integration.system.installation import eventually
from tests.servers.redis import RedisServer

ROOMY = 5.0
"""A limit that a busy machine keeps; the tests of the limit set their own."""


@pytest.fixture(autouse=True)
def short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST_SECONDS", 0.1)


@asynccontextmanager
async def running(
    url: str, *, limit: float = ROOMY, heard: Callable[[UUID], object] = lambda _booking_id: None
) -> AsyncIterator[RedisMarks]:
    marks = redis_marks(url, limit=limit)
    async with marks.running(heard=lambda booking_id: void(heard(booking_id)), clear=lambda *_: None):
        await eventually(answers(marks), "Redis answers")
        yield marks


def void(_: object) -> None:
    pass


def answers(marks: RedisMarks, name: str = "x", *, found: bool = False) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        try:
            return await marks.has(name) is found
        except RedisAway:
            return False

    return ask


async def test_what_one_process_marks_another_one_finds(redis_url: str) -> None:
    async with running(redis_url) as one, running(redis_url) as other:
        one.put("booking:1", word="booked", seconds=60)

        await eventually(answers(other, "booking:1", found=True), "the other one finds it")
        assert not await other.has("booking:2")


async def test_a_mark_stands_under_its_prefix_for_its_time(redis_url: str) -> None:
    async with running(redis_url) as marks:
        marks.put("webhook:1", word="processed", seconds=60)
        await marks.has("webhook:1")

    with redis.Redis.from_url(redis_url) as client:
        assert b"processed" == client.get("idempotency:webhook:1")
        assert 0 < client.pttl("idempotency:webhook:1") <= 60_000


async def test_a_mark_is_gone_when_its_time_is_over(redis_url: str) -> None:
    async with running(redis_url) as marks:
        marks.put("short", word="pending", seconds=0.2)

        await eventually(answers(marks, "short", found=True), "it is there")
        await eventually(answers(marks, "short"), "it is gone")


async def test_whatever_lies_under_a_name_is_a_mark_and_no_more(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("idempotency:a", b"\xff\x00 garbage")
        client.rpush("idempotency:b", "a", "list")
        client.hset("idempotency:c", "a", "hash")

    async with running(redis_url) as marks:
        assert [True, True, True] == [await marks.has(name) for name in "abc"]
        marks.put("b", word="booked", seconds=60)
        assert await marks.has("b")


async def test_of_a_thousand_who_ask_at_once_each_gets_his_own_answer(redis_url: str) -> None:
    chance = Random(1)
    known = {str(number) for number in range(1000) if chance.random() < 0.5}
    async with running(redis_url) as marks:
        for name in known:
            marks.put(name, word="booked", seconds=60)

        async def ask(name: str) -> tuple[str, bool]:
            await asyncio.sleep(chance.random() / 20)
            return name, await marks.has(name)

        asking = [asyncio.create_task(ask(str(number))) for number in range(1000)]
        await asyncio.sleep(0.02)
        # Callers who go away must not leave their answers to others.
        for gone in asking[::7]:
            gone.cancel()
        answered = [one for one in await asyncio.gather(*asking, return_exceptions=True) if isinstance(one, tuple)]

    assert len(answered) > 500
    assert {} == {name: found for name, found in answered if found is not (name in known)}


async def test_a_slow_redis_costs_a_caller_the_limit_once(
    mortal_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing but the limit and the rest spares the callers.
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 60.0)
    monkeypatch.setattr(module, "REST_SECONDS", 60.0)
    async with running(mortal_redis.url, limit=0.05) as marks:
        mortal_redis.suspend()
        began = time.monotonic()
        with pytest.raises(RedisAway):
            await marks.has("x")
        for _ in range(1000):
            with pytest.raises(RedisAway):
                await marks.has("x")
        took = time.monotonic() - began
        mortal_redis.resume()

    # A thousand waits of the limit would be 50 s.
    assert took < 10


async def test_a_redis_that_was_slow_is_used_again(mortal_redis: RedisServer) -> None:
    async with running(mortal_redis.url, limit=0.5) as marks:
        mortal_redis.suspend()
        with pytest.raises(RedisAway):
            await marks.has("x")
        marks.put("y", word="booked", seconds=60)
        mortal_redis.resume()

        await eventually(answers(marks), "it answers")


async def test_a_redis_that_was_killed_is_used_again(mortal_redis: RedisServer) -> None:
    async with running(mortal_redis.url) as marks:
        mortal_redis.kill()
        with pytest.raises(RedisAway):
            await marks.has("x")
        with pytest.raises(RedisAway):
            await marks.has("x")
        mortal_redis.start()

        await eventually(answers(marks), "it answers")


async def test_without_redis_the_start_is_not_held_up(mortal_redis: RedisServer) -> None:
    mortal_redis.kill()
    marks = redis_marks(mortal_redis.url, limit=ROOMY)
    async with marks.running(heard=void, clear=lambda *_: None):
        for number in range(10):
            marks.put(str(number), word="booked", seconds=60)
            marks.announce(uuid4())
            with pytest.raises(RedisAway):
                await marks.has(str(number))
        mortal_redis.start()

        await eventually(answers(marks), "it answers")


@pytest.mark.parametrize(
    "says", [b"\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b":1\r\n" * 9, b"$-7\r\n", b"\xff" * 99]
)
async def test_a_server_that_talks_nonsense_is_left_alone(says: bytes) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        marks = redis_marks(f"redis://127.0.0.1:{port}", limit=0.2)
        async with marks.running(heard=void, clear=lambda *_: None):
            for _ in range(20):
                marks.put("x", word="booked", seconds=60)
                try:
                    assert await marks.has("x") in {True, False}
                except RedisAway:
                    await asyncio.sleep(0.02)


async def test_those_who_listen_hear_what_is_over_and_no_nonsense(redis_url: str) -> None:
    heard: list[UUID] = []
    over = uuid4()
    async with running(redis_url, heard=heard.append), running(redis_url) as other:
        with redis.Redis.from_url(redis_url) as client:

            async def listens() -> bool:
                return int(dict(client.pubsub_numsub("idempotency:over"))[b"idempotency:over"]) == 2

            await eventually(listens, "both listen")
            client.publish("idempotency:over", b"\xff\xfe, nonsense,,")
        other.announce(over)

        await eventually(heard, "it is heard")
    assert [over] == heard


async def test_those_who_listen_hear_again_after_redis_was_away(mortal_redis: RedisServer) -> None:
    heard: list[UUID] = []
    async with running(mortal_redis.url, heard=heard.append) as marks:
        mortal_redis.kill()
        mortal_redis.start()

        async def announced() -> bool:
            marks.announce(uuid4())
            return bool(heard)

        await eventually(announced, "it is heard")
