"""How each service is asked."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
from redis.asyncio import Redis
from sqlalchemy import Engine, text

from adapters.calcom import refusals
from adapters.calcom.answers import is_success, problem_of
from adapters.calcom.replies import Answer, Reply, Unsent
from adapters.health.probes import NoAnswer
from domain.health import Said

FIRST_FAULT, TOO_MANY_REQUESTS, REQUEST_TIMEOUT = 500, 429, 408
NO_SUCCESS = 400
# Of a table that is there whenever the database is calsaga's: without one SQLite would not look at its file.
SELECT_1 = text("SELECT 1 FROM alembic_version")


class DatabaseProbe:
    """Asks the database in a thread of its own, one question at a time: what hangs takes no other thread along."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="calsaga-health")
        self._asked: Future[None] | None = None

    async def ask(self) -> Said:
        """
        Return that the database has answered; who asks while a question is open waits for the answer to that one.

        Raises:
            DBAPIError: it failed.

        """
        if self._asked is None or self._asked.done():
            self._asked = self._thread.submit(self._select)
        answer = asyncio.wrap_future(self._asked)
        # Who waits no longer leaves the question to the others, and its failure to nobody.
        answer.add_done_callback(lambda it: it.cancelled() or it.exception())
        await asyncio.shield(answer)
        return Said()

    def close(self) -> None:
        """Ask nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _select(self) -> None:
        with self._engine.connect() as connection:
            connection.execute(SELECT_1)


class RedisProbe:
    """Sends PING."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def ask(self) -> Said:
        """
        Return that Redis has answered.

        Raises:
            RedisError: it has not.

        """
        await self._client.ping()
        return Said()


class CalComProbe:
    """
    Reads whose key it is, as any request is sent: through the breaker, and within the rate limit.

    `ping` returns None while no company has come with a key; then `acquaint` is to find one.
    """

    def __init__(self, *, ping: Callable[[], Awaitable[Reply | None]], acquaint: Callable[[], Awaitable[None]]) -> None:
        self._ping = ping
        self._acquaint = acquaint

    async def ask(self) -> Said:
        """
        Return what Cal.com says, or that nobody has a key for it.

        Raises:
            NoAnswer: it does not answer.

        """
        reply = await self._ping()
        if reply is None:
            await self._acquaint()
            reply = await self._ping()
        match reply:
            case None:
                return Said(status="not_configured", detail="no company has an API key", answered=False)
            case Answer():
                return _said_of(reply)
            case Unsent(reason="breaker_open"):
                return Said(status="down", detail="not called: its circuit breaker is open", answered=False)
            case Unsent(reason="rate_limited"):
                detail = "not asked, so that its rate limit is kept"
                return Said(status="unknown", detail=detail, answered=False)
            case _:
                raise NoAnswer(f"no answer: {reply.reason}")


class HttpProbe:
    """Reads an address; follows nothing, and reads no more than the status."""

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport) -> None:
        self._url = url
        self._transport = transport

    async def ask(self) -> Said:
        """
        Return what is answered.

        Raises:
            httpx.HTTPError: nothing is.

        """
        request = httpx.Request("GET", self._url, headers={"Accept": "*/*", "User-Agent": "calsaga"})
        response = await self._transport.handle_async_request(request)
        await response.aclose()
        return _said_with(response.status_code, otherwise="is the address the right one?")


class SmtpProbe:
    """Waits for the greeting of a mail server, and takes leave; nothing is sent."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._secure else 25)

    async def ask(self) -> Said:
        """
        Return what the server greets with.

        Raises:
            NoAnswer: it hangs up.
            OSError: it cannot be connected to.

        """
        trusted = ssl.create_default_context() if self._secure else None
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=trusted)
        try:
            greeting = await reader.readline()
            writer.write(b"QUIT\r\n")
        finally:
            writer.close()
        if not greeting:
            raise NoAnswer("no answer: it hung up")
        if greeting.startswith(b"220"):
            return Said()
        return Said(status="down", detail="it takes no mail at the moment")


def _said_of(answer: Answer) -> Said:
    if is_success(answer):
        return Said()
    if refusals.says_key_rejected(problem_of(answer)):
        return Said(status="degraded", detail="it rejects the API key")
    return _said_with(answer.status, otherwise="it answers, but not as it should")


def _said_with(status: int, *, otherwise: str) -> Said:
    if status >= FIRST_FAULT or status == REQUEST_TIMEOUT:
        return Said(status="down", detail=f"HTTP {status}")
    if status == TOO_MANY_REQUESTS:
        return Said(status="degraded", detail=f"HTTP {status}: its rate limit is used up")
    if status >= NO_SUCCESS:
        return Said(status="degraded", detail=f"HTTP {status}: {otherwise}")
    return Said()
