"""
How long we read a request: a client that sends it slowly, or never whole, would keep a connection for ever.

uvicorn limits only the time between requests. The figures are those of Apache's mod_reqtimeout, for each part.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 20.0
"""From a connection's beginning, or from a later request's first byte, to the end of the headers."""
BODY_SECONDS: Final = 20.0
"""From there to the end of the body; `adapters.web.body` heeds it."""

_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, which also ends a connection whose headers do not come, after twice the time at most."""

    head_seconds = HEAD_SECONDS
    _began: float | None = None
    _look: asyncio.TimerHandle

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvicorn's own form
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._began = self.loop.time()
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._look.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for the headers."""
        super().on_message_begin()
        self._began = self._began or self.loop.time()

    def on_headers_complete(self) -> None:
        """Wait for them no more."""
        self._began = None
        super().on_headers_complete()

    def _look_later(self) -> None:
        # One timer for all requests of a connection, not two calls into the loop for each.
        self._look = self.loop.call_later(self.head_seconds, self._look_now)

    def _look_now(self) -> None:
        if self._began is None or self.loop.time() - self._began < self.head_seconds:
            self._look_later()
        elif not self.transport.is_closing():
            self.transport.write(_TOO_SLOW)
            self.transport.close()
