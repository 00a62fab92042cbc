"""
Clearing what is cached in Redis, and telling every process to forget its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import orjson
from redis.asyncio import Redis

Tag: TypeAlias = Literal["availability", "customers", "keys", "all"]
"""What is cached."""
TAGS: tuple[Tag, ...] = get_args(Tag)

CHANNEL = "cache:clear"
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """How many entries of Redis are gone, and how many processes have been told to forget theirs."""

    entries: int
    processes: int


async def clear(client: Redis, tag: Tag, company_id: str | None) -> Cleared:
    """
    Clear what a tag names, of one company or of all.

    Raises:
        RedisError: Redis failed; what was cleared until then stays cleared, and can be cleared again.

    """
    entries = 0
    if tag in {"availability", "all"}:
        # The other caches are in no Redis.
        pattern = f"company:{company_id or '*'}:availability:*"
        batch: list[bytes] = []
        async for key in client.scan_iter(match=pattern, count=BATCH):
            batch.append(key)
            if len(batch) == BATCH:
                entries += await client.unlink(*batch)
                batch.clear()
        if batch:
            entries += await client.unlink(*batch)
    # Afterwards, so that nobody who has just forgotten an entry finds it there again.
    message = orjson.dumps({"tag": tag, "company_id": company_id})
    return Cleared(entries=entries, processes=await client.publish(CHANNEL, message))


def read_clearings(data: object) -> Iterator[tuple[Tag, str | None]]:
    """Yield what a message says is to be cleared, if it says so; anybody may have sent it."""
    try:
        document = orjson.loads(data) if isinstance(data, bytes) else None
    except orjson.JSONDecodeError:
        return
    match document:
        case {"tag": str() as named, "company_id": (str() | None) as company_id}:
            for tag in TAGS:
                if tag == named:
                    yield tag, company_id
        case _:
            return
