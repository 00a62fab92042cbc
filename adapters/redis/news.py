"""What other processes say: which bookings are over, and what is to be forgotten."""

import asyncio
from collections.abc import Callable, Iterator
from uuid import UUID

import structlog
from redis.asyncio import Redis

from adapters.redis import clearing
from adapters.redis.clearing import Tag

CHANNEL = "idempotency:over"

log = structlog.get_logger("calsaga.redis")


async def listen(
    client: Redis, heard: Callable[[UUID], None], clear: Callable[[Tag, str | None], object], *, rest: float
) -> None:
    """
    Hear the news for ever; after a failure, try again after `rest`.

    `heard` is called for every booking that is said to be over, `clear` with everything that is to be forgotten.
    """
    while True:
        try:
            await _listen(client, heard, clear)
        except Exception as error:  # noqa: BLE001 - what a broken server makes the client raise has no common name
            log.debug("redis.news.lost", error=type(error).__name__)
        await asyncio.sleep(rest)


async def _listen(client: Redis, heard: Callable[[UUID], None], clear: Callable[[Tag, str | None], object]) -> None:
    async with client.pubsub(ignore_subscribe_messages=True) as news:
        await news.subscribe(CHANNEL, clearing.CHANNEL)
        async for message in news.listen():
            if message["channel"] == clearing.CHANNEL.encode():
                for tag, company_id in clearing.read_clearings(message["data"]):
                    clear(tag, company_id)
            else:
                for booking_id in _bookings_in(message["data"]):
                    heard(booking_id)


def _bookings_in(data: object) -> Iterator[UUID]:
    """Yield the ids in a message, which anybody may have sent."""
    for part in data.split(b",") if isinstance(data, bytes) else ():
        try:
            yield UUID(part.decode("ascii"))
        except ValueError:
            continue
