"""
Entries in Redis: what was written is read, and everything else is a miss.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.availability.free_slots import Day, read_day, write_day
from adapters.caching.entries import Entry
from adapters.caching.redis_entries import LONGEST, RedisEntries
from adapters.redis.errors import RedisAway
from adapters.redis.marks import RedisMarks
from tests.fakes.time import START

GOOD = {"key": "a", "read_at": START.timestamp(), "seen": 3, "value": [0]}


class FakeRedis:
    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.away = False

    async def values(self, keys: list[str]) -> list[bytes | None]:
        if self.away:
            raise RedisAway
        return [self.held.get(key) for key in keys]

    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        self.held[key] = value


@pytest.fixture
def redis() -> FakeRedis:
    return FakeRedis()


@pytest.fixture
def entries(redis: FakeRedis) -> RedisEntries[Day]:
    return over(redis)


def over(redis: FakeRedis) -> RedisEntries[Day]:
    return RedisEntries(cast("RedisMarks", redis), write_value=write_day, read_value=read_day)


instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - aware by `timezones`


@given(
    st.lists(instants.map(lambda it: it.replace(microsecond=it.microsecond // 1000 * 1000)), max_size=5),
    instants.map(lambda it: it.replace(microsecond=0)),
    st.integers(0, 2**53),
)
async def test_what_was_written_is_read(day: list[datetime], read_at: datetime, seen: int) -> None:
    entries = over(FakeRedis())
    entry = Entry(value=tuple(day), read_at=read_at, seen=seen)
    entries.write("a", entry, seconds=60)

    assert {"a": entry} == await entries.read(["a", "b"])


@pytest.mark.parametrize(
    "document",
    [
        {**GOOD, "key": "b"},
        {**GOOD, "read_at": "x"},
        {**GOOD, "read_at": 1e300},
        {**GOOD, "read_at": -1e300},
        {**GOOD, "seen": "3"},
        {**GOOD, "seen": 1.5},
        {**GOOD, "value": None},
        {**GOOD, "value": "2027"},
        {**GOOD, "value": [1.5]},
        {**GOOD, "value": [True]},
        {**GOOD, "value": [10**18]},
        {**GOOD, "value": [0] * LONGEST},
        {"key": "a"},
        [],
        None,
        7,
    ],
    ids=lambda it: str(it)[:60],
)
async def test_whatever_else_lies_there_is_a_miss(
    redis: FakeRedis, entries: RedisEntries[Day], document: object
) -> None:
    redis.held["a"] = orjson.dumps(document)

    assert {} == await entries.read(["a"])


@given(st.binary(max_size=60))
async def test_bytes_without_a_meaning_are_a_miss(garbage: bytes) -> None:
    redis = FakeRedis()
    redis.held["a"] = garbage

    assert {} == await over(redis).read(["a"])


async def test_the_good_document_is_read(redis: FakeRedis, entries: RedisEntries[Day]) -> None:
    redis.held["a"] = orjson.dumps(GOOD)

    assert {"a": Entry(value=(datetime(1970, 1, 1, tzinfo=UTC),), read_at=START, seen=3)} == await entries.read(["a"])


async def test_what_is_forgotten_is_a_miss(entries: RedisEntries[Day]) -> None:
    entries.write("a", Entry(value=(), read_at=START + timedelta(seconds=1)), seconds=60)
    entries.forget("a")

    assert {} == await entries.read(["a"])


async def test_a_redis_that_is_away_has_nothing(redis: FakeRedis, entries: RedisEntries[Day]) -> None:
    redis.away = True

    assert {} == await entries.read(["a"])
