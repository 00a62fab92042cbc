"""
`calsaga cache clear`: Redis is cleared, and every running process forgets its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
import redis

from adapters.caching.cache import Cache, uncounted
from adapters.caching.clearing import Caches
from adapters.caching.redis_entries import RedisEntries
from adapters.redis.clearing import CHANNEL, Tag, read_clearings
from adapters.redis.marks import redis_marks

KEYS = [f"company:{company}:availability:7:2027-03-0{day}" for company in ("acme", "rival") for day in (1, 2)]
HOUR = timedelta(hours=1)


class Part:
    """
    One cache that is cleared by company, and says what was asked of it.
    """

    def __init__(self, cache: Cache[int], word: str) -> None:
        self.cache = cache
        self.word = word

    def forget_all(self, company_id: str | None) -> int:
        by_company = company_id is not None and self.word
        return self.cache.forget_all(f"company:{company_id}:{self.word}" if by_company else "")


class Process:
    """
    The caches of a process, over one Redis; what it loads is counted.
    """

    def __init__(self, url: str) -> None:
        self.marks = redis_marks(url, limit=5.0)
        shared: RedisEntries[int] = RedisEntries(self.marks, write_value=int, read_value=_number)
        self.days: Cache[int] = _cache(shared)
        self.phones: Cache[int] = _cache(None)
        self.keys: Cache[int] = _cache(None)
        self.loads = 0
        self.caches = Caches(
            availability=Part(self.days, "availability:"),
            customers=Part(self.phones, "phone:"),
            keys=Part(self.keys, ""),
        )
        for company in ("acme", "rival"):
            self.phones.put(f"company:{company}:phone:+491701234567", 1)
        self.keys.put("digest", 1)

    async def asks(self) -> None:
        async def load(keys: Any) -> Mapping[str, int]:  # noqa: ANN401 - a sequence of keys
            self.loads += len(keys)
            return dict.fromkeys(keys, 1)

        for key in KEYS:
            await self.days.fetch([key], load)

    def known(self) -> tuple[int, int, int]:
        now = [cache._entries for cache in (self.days, self.phones, self.keys)]
        return (len([*now[0]]), len([*now[1]]), len([*now[2]]))


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("no number")  # noqa: TRY004 - as the cache wants it
    return value


def _cache(shared: RedisEntries[int] | None) -> Cache[int]:
    return Cache("availability", fresh=HOUR, now=lambda: datetime.now(UTC), count=uncounted, shared=shared)


@asynccontextmanager
async def two_processes(url: str) -> AsyncIterator[tuple[Process, Process]]:
    one, other = Process(url), Process(url)
    async with (
        one.marks.running(heard=lambda _: None, clear=one.caches.clear),
        other.marks.running(heard=lambda _: None, clear=other.caches.clear),
    ):
        await eventually(lambda: subscribed(url) == 2)
        await one.asks()
        await eventually(lambda: len(entries(url)) == len(KEYS))
        await other.asks()
        assert (len(KEYS), 0) == (one.loads, other.loads)
        yield one, other


async def eventually(holds: Any) -> None:  # noqa: ANN401 - a condition
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.01)


def entries(url: str) -> list[bytes]:
    with redis.Redis.from_url(url) as client:
        return [key for key in client.keys("company:*") if client.get(key)]


def subscribed(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.pubsub_numsub(CHANNEL)[0][1])


async def clears(*arguments: str, url: str | None) -> tuple[int, str, str]:
    """
    Run the command, in a process of its own.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CALSAGA_")}
    if url is not None:
        environment["CALSAGA_REDIS_URL"] = url
    command = [sys.executable, "-m", "adapters.cli", "cache", "clear", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize(
    ("arguments", "count", "left"),
    [
        ((), 4, (0, 0, 0)),
        (("--tag", "all"), 4, (0, 0, 0)),
        (("--tag", "availability"), 4, (0, 2, 1)),
        (("--tag", "availability", "--company", "acme"), 2, (2, 2, 1)),
        (("--tag", "customers", "--company", "rival"), 0, (4, 1, 1)),
        (("--tag", "keys"), 0, (4, 2, 0)),
        (("--company", "acme"), 2, (2, 1, 0)),
        (("--company", "nobody", "--tag", "availability"), 0, (4, 2, 1)),
    ],
)
async def test_redis_and_both_processes_forget_what_is_named(
    redis_url: str, arguments: tuple[str, ...], count: int, left: tuple[int, int, int]
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("idempotency:booking:1", "booked")
    async with two_processes(redis_url) as processes:
        said = await clears(*arguments, url=redis_url)
        assert (0, f"cleared {count} entries in Redis, told 2 processes to forget theirs\n") == said[:2]
        await eventually(lambda: [left, left] == [one.known() for one in processes])

        assert len(KEYS) - count == len(entries(redis_url))
        await processes[1].asks()
        assert count == processes[1].loads
    with redis.Redis.from_url(redis_url) as client:
        assert b"booked" == client.get("idempotency:booking:1")


async def test_thousands_of_entries_are_cleared(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.mset({f"company:acme:availability:{number}:2027-03-01": "x" for number in range(2_345)})

    assert (0, "cleared 2345 entries in Redis, told 0 processes to forget theirs\n") == (await clears(url=redis_url))[
        :2
    ]
    assert [] == entries(redis_url)


async def test_without_redis_it_says_so_and_what_to_do() -> None:
    code, out, err = await clears(url=None)

    assert (1, "") == (code, out)
    assert "CALSAGA_REDIS_URL" in err
    assert "nothing was cleared" in err
    assert "Restart" in err


@pytest.mark.parametrize(
    ("arguments", "url", "code", "words"),
    [
        ((), "redis://127.0.0.1:1", 1, "CALSAGA_REDIS_URL"),
        (("--company", "*"), "redis://127.0.0.1:1", 2, "--company must"),
        (("--tag", "nonsense"), "redis://127.0.0.1:1", 2, "availability"),
    ],
)
async def test_what_cannot_be_cleared_is_said_in_a_line(
    arguments: tuple[str, ...], url: str, code: int, words: str
) -> None:
    found, out, err = await clears(*arguments, url=url)

    assert (code, "") == (found, out)
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (b'{"tag": "keys", "company_id": null}', [("keys", None)]),
        (b'{"tag": "availability", "company_id": "acme"}', [("availability", "acme")]),
        (b'{"tag": "nonsense", "company_id": null}', []),
        (b'{"tag": "keys", "company_id": 7}', []),
        (b'{"tag": ["keys"], "company_id": null}', []),
        (b'{"tag": "keys"}', []),
        (b"[]", []),
        (b"{", []),
        (b"\xff", []),
        (7, []),
        (None, []),
    ],
)
def test_of_a_message_only_what_can_be_cleared_is_heard(message: object, found: list[tuple[Tag, str | None]]) -> None:
    assert found == list(read_clearings(message))


async def test_nonsense_on_the_channel_stops_nobody_from_hearing(redis_url: str) -> None:
    async with two_processes(redis_url) as (one, _):
        with redis.Redis.from_url(redis_url) as client:
            client.publish(CHANNEL, b"\xff\x00")
            client.publish(CHANNEL, str(uuid4()))
            client.publish(CHANNEL, orjson.dumps({"tag": "keys", "company_id": None}))
        await eventually(lambda: (4, 2, 0) == one.known())
