"""
The two ways between calsaga and Cal.com, in one process: requests that go out, webhooks that come in or do not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import httpx
import orjson
from starlette.types import ASGIApp

from tests.machine.mortal import Death, Mortal

Way = Literal["at once", "slowly", "nowhere"]
WAYS: Final[tuple[Way, ...]] = ("at once", "slowly", "nowhere")


class Cable(httpx.AsyncBaseTransport):
    """
    A process's way to Cal.com. What has left goes on there, whatever becomes of who has sent it.
    """

    def __init__(self, calcom: ASGIApp, owner: Mortal) -> None:
        self._calcom = httpx.ASGITransport(calcom)
        self._owner = owner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._owner.must_live()
        # The body leaves in one piece, and only once its sender has let it go.
        body = await request.aread()
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=body)
        return await asyncio.shield(asyncio.ensure_future(self._calcom.handle_async_request(sent)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """
    A webhook on its way, as its bytes.
    """

    path: str
    body: bytes
    headers: httpx.Headers

    def __str__(self) -> str:
        said = orjson.loads(self.body)
        return f"{said['triggerEvent']} of {said['payload']['uid']}, starting {said['payload']['startTime']}"


class PostOffice(httpx.AsyncBaseTransport):
    """
    Takes Cal.com's webhooks, and delivers them at once, or when it is told to, or never.
    """

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.way: Way = "slowly"
        self.has_lost = False
        self.door: Callable[[], ASGIApp] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        letter = Letter(path=request.url.path, body=await request.aread(), headers=request.headers)
        match self.way:
            case "at once":
                await self.deliver(letter)
            case "slowly":
                self.letters.append(letter)
            case "nowhere":
                self.has_lost = True
        return httpx.Response(200)

    async def deliver(self, letter: Letter) -> str:
        """
        Bring a webhook to the door, and return what is said there; nobody tries again if nobody opens.
        """
        assert self.door is not None
        try:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self.door()), base_url="http://calsaga.example"
            ) as http:
                answer = await http.post(letter.path, content=letter.body, headers=letter.headers)
        except Death:
            self.has_lost = True
            return "nobody opens"
        if not answer.is_success:
            self.has_lost = True
        return answer.text

    def lose(self, letter: Letter) -> None:
        self.letters.remove(letter)
        self.has_lost = True
