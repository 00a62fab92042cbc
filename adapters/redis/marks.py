"""
Marks in Redis that every process sees.

A caller waits a short time at most. When Redis fails or is late, it is left alone for
`REST_SECONDS`, and everybody goes on without it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog
from redis import RedisError
from redis.asyncio import Redis

from adapters.redis.connection import connect
from adapters.redis.errors import RedisAway
from adapters.redis.news import CHANNEL, listen

KEYS = "idempotency:"
REST_SECONDS = 5.0
MOST_WAITING = 10_000
"""How many marks may wait to be written; more are dropped, since they are only hints."""

log = structlog.get_logger("calsaga.redis")


def redis_marks(url: str, *, limit: float) -> "RedisMarks":
    """Return the marks in the Redis at `url`; a caller waits `limit` seconds for it at most."""
    return RedisMarks(connect(url), limit=limit)


class RedisMarks:
    """Asks for marks and leaves them, all through one task; see `running`."""

    def __init__(self, client: Redis, *, limit: float) -> None:
        self._client = client
        self._limit = limit
        self._asked: list[tuple[str, asyncio.Future[bool]]] = []
        self._said: dict[str, tuple[str, float]] = {}
        self._over: list[str] = []
        self._work = asyncio.Event()
        self._connected = False
        self._failed = False
        self._rests_until = 0.0

    @asynccontextmanager
    async def running(self, *, heard: Callable[[UUID], None]) -> AsyncIterator[None]:
        """Keep Redis connected; `heard` is called with every booking that is said to be over."""
        tasks = [asyncio.create_task(self._run(), name="redis marks")]
        tasks += [asyncio.create_task(listen(self._client, heard, rest=REST_SECONDS), name="redis news")]
        try:
            yield
        finally:
            await _end(tasks)
            with suppress(RedisError, OSError):
                await self._client.aclose()

    async def has(self, name: str) -> bool:
        """
        Tell whether there is a mark.

        Raises:
            RedisAway: that cannot be said in time.

        """
        loop = asyncio.get_running_loop()
        if not self._connected or loop.time() < self._rests_until:
            raise RedisAway
        answer: asyncio.Future[bool] = loop.create_future()
        self._asked.append((name, answer))
        self._work.set()
        try:
            async with asyncio.timeout(self._limit):
                return await answer
        except TimeoutError as exc:
            self._rests_until = loop.time() + REST_SECONDS
            log.warning("redis.answer.late", seconds=self._limit)
            raise RedisAway from exc

    def put(self, name: str, *, word: str, seconds: float) -> None:
        """Leave a mark as soon as may be, if Redis is there."""
        if self._connected and len(self._said) < MOST_WAITING:
            self._said[name] = (word, seconds)
            self._work.set()

    def announce(self, booking_id: UUID) -> None:
        """Tell all processes that a booking is over."""
        if self._connected and len(self._over) < MOST_WAITING:
            self._over.append(str(booking_id))
            self._work.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._talk()
            except Exception as error:  # noqa: BLE001 - what a broken server makes the client raise has no common name
                self._give_up(error)
            await asyncio.sleep(REST_SECONDS)

    async def _talk(self) -> None:
        await self._client.ping()
        self._connected, self._failed = True, False
        log.info("redis.connected")
        while True:
            await self._work.wait()
            self._work.clear()
            await self._exchange()

    async def _exchange(self) -> None:
        """Send everything that waits in one round trip."""
        asked, self._asked = self._asked, []
        said, self._said = self._said, {}
        over, self._over = self._over, []
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for name, _ in asked:
                    pipe.exists(KEYS + name)
                for name, (word, seconds) in said.items():
                    pipe.set(KEYS + name, word, px=max(round(seconds * 1000), 1))
                if over:
                    pipe.publish(CHANNEL, ",".join(over))
                answers = await pipe.execute()
            for (_, answer), found in zip(asked, answers, strict=False):
                _settle(answer, found=bool(found))
        finally:
            for _, answer in asked:
                _settle(answer, found=None)

    def _give_up(self, error: Exception) -> None:
        if not self._failed:
            # Once, however long it stays away.
            log.warning("redis.away", error=type(error).__name__, reason=str(error))
        self._connected, self._failed = False, True
        for _, answer in self._asked:
            _settle(answer, found=None)
        self._asked, self._said, self._over = [], {}, []


def _settle(answer: "asyncio.Future[bool]", *, found: bool | None) -> None:
    # Whoever asked may have gone away meanwhile.
    if answer.done():
        return
    if found is None:
        answer.set_exception(RedisAway())
    else:
        answer.set_result(found)


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    left = set(tasks)
    while left:
        # More than once, because the client swallows a cancellation that meets a failing connection.
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.1)
