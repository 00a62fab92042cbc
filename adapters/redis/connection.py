"""How Redis is connected to."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

ANSWER_SECONDS = 1.0
"""How long a connection, or an answer to it, may take before the connection is given up; no caller waits for that."""


def connect(url: str) -> Redis:
    """Return a client, which connects when it is first used, and tries nothing twice."""
    return Redis.from_url(
        url,
        protocol=2,
        driver_info=None,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        socket_keepalive=True,
    )
