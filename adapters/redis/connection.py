"""How Redis is connected to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from time import monotonic
from typing import Any
from weakref import WeakSet

from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MaxConnectionsError, RedisError

from adapters.pools import PoolState

ANSWER_SECONDS = 1.0
"""How long a connection, or an answer to it, may take before the connection is given up; no caller waits for that."""
MOST_CONNECTIONS = 64
"""How many connections one client has at most; whoever comes then waits for one."""
SIZES = range(MOST_CONNECTIONS + 1)

_pools: "WeakSet[CountedPool]" = WeakSet()


def connect(url: str, *, most: int = MOST_CONNECTIONS) -> Redis:
    """Return a client, which connects when it is first used, and tries nothing twice."""
    pool = CountedPool.from_url(
        url,
        max_connections=most,
        timeout=ANSWER_SECONDS,
        protocol=2,
        driver_info=None,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        socket_keepalive=True,
    )
    return Redis.from_pool(pool)


@asynccontextmanager
async def connected(url: str, *, sizes: range = SIZES) -> AsyncIterator[Redis]:
    """
    Yield a client that opens `sizes[0]` connections at once, off everybody's way, and has `sizes[-1]` at most.

    Without Redis it opens them when they are needed.
    """
    async with connect(url, most=sizes[-1]) as client:
        warming = asyncio.create_task(warm_up(client, sizes[0]), name="redis connections")
        try:
            yield client
        finally:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)


async def warm_up(client: Redis, least: int) -> None:
    """Open so many connections; they stay open."""
    pool = client.connection_pool
    async with AsyncExitStack() as opened:
        with suppress(RedisError, OSError):
            for _ in range(least):
                one = await pool.get_connection()  # type: ignore[no-untyped-call]
                opened.push_async_callback(pool.release, one)


def pool_state() -> PoolState:
    """Return how the connections of this process stand, those of all its clients together."""
    states = [pool.state for pool in _pools]
    return PoolState(
        limit=sum(one.limit for one in states),
        size=sum(one.size for one in states),
        in_use=sum(one.in_use for one in states),
        waiting=sum(one.waiting for one in states),
        longest_wait=max((one.longest_wait or 0.0 for one in states), default=0.0),
        timeouts=sum(one.timeouts for one in states),
    )


class Interruptible(AbstractConnection):
    """
    A connection on which nobody's cancellation is lost.

    The client sends by `asyncio.wait_for`, which in Python 3.11 returns what is done by then instead of being
    cancelled: whoever was to end went on, and whoever waited for that waited for ever.
    """

    async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the client's own form
        """Send a command; whoever was cancelled meanwhile is, and nobody else gets the answer."""
        task = asyncio.current_task()
        cancelled = 0 if task is None else task.cancelling()
        await super().send_packed_command(*args, **kwargs)
        if task is not None and task.cancelling() > cancelled:
            await self.disconnect(nowait=True)
            raise asyncio.CancelledError


def _interruptible(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    return type(f"Interruptible{kind.__name__}", (Interruptible, kind), {})


class CountedPool(BlockingConnectionPool):
    """The client's own pool, which also knows who waits for a connection."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the client's own form
        kind = kwargs.pop("connection_class", Connection)
        super().__init__(connection_class=_interruptible(kind), **kwargs)
        self._waiting = 0
        self._longest_wait = 0.0
        self._timeouts = 0
        _pools.add(self)

    async def get_connection(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        """Return a connection, once there is one."""
        with suppress(MaxConnectionsError):
            # Past the line, and what it costs to stand in it, as long as nobody does.
            return await ConnectionPool.get_connection(self, *args, **kwargs)  # type: ignore[no-untyped-call]
        began = monotonic()
        self._waiting += 1
        try:
            return await super().get_connection(*args, **kwargs)  # type: ignore[no-untyped-call]
        except RedisConnectionError:
            self._timeouts += not self.can_get_connection()
            raise
        finally:
            self._waiting -= 1
            self._longest_wait = max(self._longest_wait, monotonic() - began)

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back."""
        await ConnectionPool.release(self, connection)
        if self._waiting:
            async with self._condition:
                self._condition.notify()

    @property
    def state(self) -> PoolState:
        """Return how it stands."""
        in_use = len(self._in_use_connections)
        return PoolState(
            limit=self.max_connections,
            size=in_use + len(self._available_connections),
            in_use=in_use,
            waiting=self._waiting,
            longest_wait=self._longest_wait,
            timeouts=self._timeouts,
        )
