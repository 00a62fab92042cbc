"""
Entries in Redis, as JSON that names its own key.

Whatever is not exactly what was written here, or is what was written for another key,
is a miss. Redis gone is a miss, too.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar

import orjson

from adapters.caching.entries import Entry
from adapters.redis.errors import RedisAway
from adapters.redis.marks import RedisMarks

V = TypeVar("V")

LONGEST = 64 * 1024
"""Bytes of an entry; what is longer is not read."""


class RedisEntries(Generic[V]):
    """Entries that every process sees; `read_value` raises ValueError for what `write_value` never returns."""

    def __init__(
        self, redis: RedisMarks, *, write_value: Callable[[V], object], read_value: Callable[[object], V]
    ) -> None:
        self._redis = redis
        self._write_value = write_value
        self._read_value = read_value

    async def read(self, keys: list[str]) -> dict[str, Entry[V]]:
        """Return those that are there."""
        try:
            texts = await self._redis.values(keys)
        except RedisAway:
            return {}
        entries = {key: self._entry(key, text) for key, text in zip(keys, texts, strict=True)}
        return {key: entry for key, entry in entries.items() if entry is not None}

    def write(self, key: str, entry: Entry[V], *, seconds: float) -> None:
        """Keep an entry for a time, once Redis is there."""
        document = {
            "key": key,
            "read_at": entry.read_at.timestamp(),
            "seen": entry.seen,
            "value": self._write_value(entry.value),
        }
        self._redis.keep(key, orjson.dumps(document), seconds=seconds)

    def forget(self, key: str) -> None:
        """Leave nothing that could be read."""
        self._redis.keep(key, b"", seconds=1)

    def _entry(self, key: str, text: bytes | None) -> Entry[V] | None:
        if not text or len(text) > LONGEST:
            return None
        try:
            match orjson.loads(text):
                case {"key": str() as named, "read_at": float() as read_at, "seen": int() as seen, "value": value}:
                    if named != key:
                        return None
                    when = datetime.fromtimestamp(read_at, UTC)
                    return Entry(value=self._read_value(value), read_at=when, seen=seen)
                case _:
                    return None
        except (ValueError, OverflowError, OSError):
            # Of a number that is no instant, the platform decides which of these is raised.
            return None
