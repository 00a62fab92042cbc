"""
A far side that fails as a test wants it, and the errors it fails with.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field

import httpx

from adapters.resilience import Retry
from domain.retry import RetryPolicy

PASSING = ConnectionResetError("reset")
FOR_GOOD = ValueError("never")
QUICK = RetryPolicy(first_delay=0.001)


def answers(status: int, **headers: str) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "http://far.test")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.HTTPStatusError(
        "bad", request=request, response=httpx.Response(status, headers=named, request=request)
    )


def untrusted() -> httpx.ConnectError:
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
    return error


async def hangs() -> None:
    await asyncio.Event().wait()


@dataclass
class Far:
    """
    A far side that fails as it is told, and then answers; `heard` is what `on_retry` was told.
    """

    fails: list[Exception]
    calls: int = 0
    heard: list[Retry] = field(default_factory=list)

    def answer(self) -> str:
        self.calls += 1
        if self.fails:
            raise self.fails.pop(0)
        return "well"

    async def call(self) -> str:
        return self.answer()

    @property
    def waits(self) -> list[float]:
        return [one.wait for one in self.heard]
