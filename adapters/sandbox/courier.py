"""
Bring webhooks to their subscribers: once, within a time limit, and without a second try.
"""

import asyncio
import hmac
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

NO_SECRET = "no-secret-provided"  # noqa: S105 - it says that there is none
_VERSION = "2021-10-20"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    One request to one subscriber, as its bytes.
    """

    url: str
    body: bytes
    signature: str


def sign(body: bytes, *, secret: str | None) -> str:
    """
    Return the signature of a body, or the words that Cal.com sends in its place.
    """
    return hmac.new(secret.encode(), body, sha256).hexdigest() if secret else NO_SECRET


class Courier:
    """
    Make deliveries, at once or later, and count how they ended.
    """

    def __init__(self, *, transport: httpx.AsyncBaseTransport | None, limit_seconds: float) -> None:
        self.counts = Counter(sent=0, dropped=0, doubled=0, failed=0)
        # Cal.com itself waits without end, which would let a dead subscriber hang the sandbox.
        self._limit_seconds = limit_seconds
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._later: set[asyncio.Task[None]] = set()

    async def deliver(self, delivery: Delivery) -> None:
        """
        Send a webhook. What the subscriber answers is nobody's concern, and neither is that it does not.
        """
        headers = {
            "Content-Type": "application/json",
            "X-Cal-Signature-256": delivery.signature,
            "X-Cal-Webhook-Version": _VERSION,
        }
        try:
            async with asyncio.timeout(self._limit_seconds):
                await self._opened().post(delivery.url, content=delivery.body, headers=headers)
        except (TimeoutError, OSError, httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError) as exc:
            self.counts["failed"] += 1
            log.warning("a webhook did not reach %s: %s %s", delivery.url, type(exc).__name__, exc)
        else:
            self.counts["sent"] += 1

    def deliver_after(self, wait: Callable[[], Awaitable[object]], *, delivery: Delivery) -> None:
        """
        Send a webhook when a wait is over, while everybody else goes on.
        """

        async def run() -> None:
            await wait()
            await self.deliver(delivery)

        task = asyncio.create_task(run())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    @property
    def to_come(self) -> int:
        return len(self._later)

    def forget(self) -> None:
        """
        Begin anew: what has not been sent by now never is.
        """
        for task in self._later:
            task.cancel()
        self.counts = Counter(sent=0, dropped=0, doubled=0, failed=0)

    async def close(self) -> None:
        """
        Give up what is on its way, and the connections.
        """
        self.forget()
        if self._client is not None:
            await self._client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            transport = self._transport or AiohttpTransport(trust_env=False)
            self._client = httpx.AsyncClient(transport=transport, timeout=self._limit_seconds, trust_env=False)
        return self._client
