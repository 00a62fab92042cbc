"""
Connections that break: a real abort of the TCP connection, seen by the client as such.

ASGI has no word for it, so the protocol puts its transport into the ``state`` of every request.
"""

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_TRANSPORT = "sandbox_transport"


class DroppableProtocol(AutoHTTPProtocol):  # type: ignore[valid-type, misc]
    """
    Speak HTTP/1.1 as uvicorn does, with httptools if it is installed, and let the application see the transport.
    """

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.Transport) -> None:
        """
        Put the transport where :class:`Drop` finds it.
        """
        self.app_state = {**self.app_state, _TRANSPORT: transport}
        super().connection_made(transport)


class Drop(Response):
    """
    Answer with nothing: close the connection, at once or when the client has waited long enough.
    """

    def __init__(self, *, after_seconds: float = 0.0) -> None:
        super().__init__()
        self._after_seconds = after_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the form of ASGI
        """
        Abort the connection, and return once uvicorn knows of it.

        Raises:
            ConnectionResetError: the application runs in the process of its client, without a connection.
        """
        transport: asyncio.Transport | None = scope.get("state", {}).get(_TRANSPORT)
        if self._after_seconds:
            await _disconnected(receive, within=self._after_seconds)
        if transport is None:
            message = "the sandbox dropped the connection"
            raise ConnectionResetError(message)
        transport.abort()
        await _disconnected(receive, within=None)


async def _disconnected(receive: Receive, *, within: float | None) -> None:
    try:
        async with asyncio.timeout(within):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return
