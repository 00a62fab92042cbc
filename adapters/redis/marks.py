"""
Marks and values in Redis that every process sees.

A caller waits a short time at most. When Redis fails or is late, it is left alone for
`REST_SECONDS`, and everybody goes on without it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias
from uuid import UUID

import structlog
from redis import RedisError
from redis.asyncio import Redis

from adapters.fair_timeout import fair_timeout
from adapters.redis.clearing import Tag
from adapters.redis.connection import SIZES, connect, warm_up
from adapters.redis.errors import RedisAway
from adapters.redis.news import CHANNEL, listen

KEYS = "idempotency:"
REST_SECONDS = 5.0
MOST_WAITING = 10_000
"""How many marks may wait to be written; more are dropped, since they are only hints."""

_Question: TypeAlias = "tuple[tuple[str, ...], asyncio.Future[object]]"

log = structlog.get_logger("calsaga.redis")


def _told_nobody(_alone: int) -> None:
    """Tell nobody."""


def redis_marks(
    url: str, *, limit: float, sizes: range = SIZES, alone: Callable[[int], None] = _told_nobody
) -> "RedisMarks":
    """
    Return the marks in the Redis at `url`; a caller waits `limit` seconds for it at most.

    `alone` is given 1 whenever everybody has to go on without it, and 0 when it is there again.
    """
    return RedisMarks(connect(url, most=sizes[-1]), limit=limit, least=sizes[0], alone=alone)


class RedisMarks:
    """Asks for marks and leaves them, all through one task; see `running`."""

    def __init__(
        self, client: Redis, *, limit: float, least: int = 0, alone: Callable[[int], None] = _told_nobody
    ) -> None:
        self._client = client
        self._alone = alone
        self._least = least
        self._limit = limit
        self._asked: list[_Question] = []
        self._said: dict[str, tuple[str | bytes, float]] = {}
        self._over: list[str] = []
        self._work = asyncio.Event()
        self._connected = False
        self._failed = False
        self._late = False
        self._rests_until = 0.0

    @asynccontextmanager
    async def running(
        self, *, heard: Callable[[UUID], None], clear: Callable[[Tag, str | None], object]
    ) -> AsyncIterator[None]:
        """
        Keep Redis connected.

        `heard` is called with every booking that is said to be over, `clear` with what somebody wants forgotten.
        """
        tasks = [asyncio.create_task(self._run(), name="redis marks")]
        tasks += [asyncio.create_task(warm_up(self._client, self._least), name="redis connections")]
        tasks += [asyncio.create_task(listen(self._client, heard, clear, rest=REST_SECONDS), name="redis news")]
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
        return bool(await self._ask("EXISTS", KEYS + name))

    async def values(self, keys: list[str]) -> list[bytes | None]:
        """
        Return what was kept under each key; None for what is not there, or is no text.

        Raises:
            RedisAway: that cannot be said in time.

        """
        # MGET, because GET fails for what is no text, and takes all other questions with it.
        answers = await self._ask("MGET", *keys)
        return answers if isinstance(answers, list) else [None] * len(keys)

    def put(self, name: str, *, word: str, seconds: float) -> None:
        """Leave a mark as soon as may be, if Redis is there."""
        self._say(KEYS + name, word, seconds)

    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep a value for a time, as soon as may be, if Redis is there."""
        self._say(key, value, seconds)

    def announce(self, booking_id: UUID) -> None:
        """Tell all processes that a booking is over."""
        if self._connected and len(self._over) < MOST_WAITING:
            self._over.append(str(booking_id))
            self._work.set()

    def _say(self, key: str, value: str | bytes, seconds: float) -> None:
        if self._connected and len(self._said) < MOST_WAITING:
            self._said[key] = (value, seconds)
            self._work.set()

    async def _ask(self, *command: str) -> object:
        loop = asyncio.get_running_loop()
        if not self._connected or loop.time() < self._rests_until:
            raise RedisAway
        answer: asyncio.Future[object] = loop.create_future()
        self._asked.append((command, answer))
        self._work.set()
        try:
            async with fair_timeout(self._limit):
                found = await answer
        except TimeoutError as exc:
            self._be_late()
            raise RedisAway from exc
        if self._late and loop.time() >= self._rests_until:
            self._late = False
            self._alone(0)
        return found

    def _be_late(self) -> None:
        self._rests_until = asyncio.get_running_loop().time() + REST_SECONDS
        if not self._late:
            # Once, however many wait and however long it stays slow.
            log.warning("redis.answer.late", seconds=self._limit)
        self._late = True
        self._alone(1)

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
        self._alone(0)
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
                for command, _ in asked:
                    pipe.execute_command(*command)
                for key, (value, seconds) in said.items():
                    pipe.set(key, value, px=max(round(seconds * 1000), 1))
                if over:
                    pipe.publish(CHANNEL, ",".join(over))
                answers = await pipe.execute()
            for (_, answer), found in zip(asked, answers, strict=False):
                _settle(answer, found)
        finally:
            for _, answer in asked:
                _refuse(answer)

    def _give_up(self, error: Exception) -> None:
        if not self._failed:
            # Once, however long it stays away.
            log.warning("redis.away", error=type(error).__name__, reason=str(error))
        self._connected, self._failed = False, True
        self._alone(1)
        for _, answer in self._asked:
            _refuse(answer)
        self._asked, self._said, self._over = [], {}, []


def _settle(answer: "asyncio.Future[object]", found: object) -> None:
    # Whoever asked may have gone away meanwhile.
    if not answer.done():
        answer.set_result(found)


def _refuse(answer: "asyncio.Future[object]") -> None:
    if not answer.done():
        answer.set_exception(RedisAway())


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    left = set(tasks)
    while left:
        # More than once, because the client swallows a cancellation that meets a failing connection.
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.1)
