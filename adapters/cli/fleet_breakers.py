"""The breakers that all processes share, asked by a command."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from adapters.redis.breakers import RedisBreakers
    from adapters.settings import Settings
    from domain.breaker_words import Snapshot

Answer = TypeVar("Answer")

ALONE = (
    "there is no CALSAGA_REDIS_URL, so each process has a breaker of its own, which no other process reaches. "
    "GET /api/resilience/states tells how a server's own stands; it is closed again once that process is restarted."
)
AWAY = (
    "Redis does not answer, so each process decides alone for now; a command that it has not carried out by now "
    "is never done, so give it again once Redis is back"
)


def ask_redis(settings: "Settings", question: "Callable[[RedisBreakers], Awaitable[list[Answer]]]") -> "list[Answer]":
    """
    Ask the breakers in the Redis of the settings; nothing without one.

    Raises:
        SharedStateAway: Redis does not answer.

    """
    import uvloop

    from adapters.breakers.telling import Telling
    from adapters.redis.breakers import RedisBreakers
    from adapters.redis.connection import connect

    if settings.redis_url is None:
        return []
    url = settings.redis_url.get_secret_value()

    async def ask() -> "list[Answer]":
        async with connect(url) as client:
            return await question(RedisBreakers(client, settings.breaker_policies(), listener=Telling(), limit=5))

    return uvloop.run(ask())


async def shared_snapshots(breakers: "RedisBreakers") -> "list[Snapshot]":
    """Return how each of them stands."""
    from adapters.breakers.policies import SHARED

    return [await breakers.snapshot(name) for name in SHARED]
