"""
Know when a call has had its answer, for those who have something to do afterwards.
"""

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_ANSWERED = "sandbox_answered"


class Answering:
    """
    Put an event into the ``state`` of every request that is set once its answer is written, or never will be.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve a request.
        """
        answered = asyncio.Event()
        scope.setdefault("state", {})[_ANSWERED] = answered
        try:
            await self._app(scope, receive, send)
        finally:
            answered.set()


def answered_of(request: Request) -> asyncio.Event:
    """
    Return the event of a request.
    """
    answered: asyncio.Event = request.scope["state"][_ANSWERED]
    return answered
