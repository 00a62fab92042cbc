"""
Who gets webhooks in the process of the test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson

URL = "http://subscriber.example/hook"
SECRET = "hush"


async def nothing(_body: dict[str, Any]) -> None:
    """
    Take a webhook and do nothing about it.
    """


class Subscriber:
    """
    Keep every webhook; `reacts` is what happens while its sender waits.
    """

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.reacts: Callable[[dict[str, Any]], Awaitable[None]] = nothing
        self._told = asyncio.Condition()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await self.reacts(orjson.loads(request.content))
        async with self._told:
            self._told.notify_all()
        return httpx.Response(200)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [orjson.loads(request.content) for request in self.requests]

    @property
    def triggers(self) -> list[str]:
        return [body["triggerEvent"] for body in self.bodies]

    async def hears(self, count: int) -> None:
        """
        Return once so many webhooks have come.
        """
        async with asyncio.timeout(5), self._told:
            await self._told.wait_for(lambda: len(self.requests) >= count)
