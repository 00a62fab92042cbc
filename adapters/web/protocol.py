"""
What uvicorn leaves to a proxy: how long a request is waited for, and an answer in our form to what is not HTTP.

Without a limit a client that sends its request slowly, or never whole, would keep a connection for ever. The figures
are those of Apache's mod_reqtimeout.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from adapters.web.problems import BAD_REQUEST, TOO_SLOW, Problem

HEAD_SECONDS: Final = 20.0
"""From a connection's beginning, or from a later request's first byte, to the end of the headers."""

_NOT_HTTP: Final = Problem(
    kind=BAD_REQUEST,
    detail="This is not HTTP/1.1; perhaps a header holds a control character. Nothing was done; the rest is not read.",
)
_TOO_SLOW: Final = Problem(
    kind=TOO_SLOW,
    detail=f"The headers must have come after {HEAD_SECONDS:g} seconds. Nothing was done. Send them again.",
)


class EdgeProtocol(HttpToolsProtocol):
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

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own form
        """Answer what is not HTTP."""
        self._end_with(_NOT_HTTP)

    def _look_later(self) -> None:
        # One timer for all requests of a connection, not two calls into the loop for each.
        self._look = self.loop.call_later(self.head_seconds, self._look_now)

    def _look_now(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        is_answered = cycle is None or cycle.response_complete
        if self._began is None or self.loop.time() - self._began < self.head_seconds or not is_answered:
            self._look_later()
        elif not self.transport.is_closing():
            self._end_with(_TOO_SLOW)

    def _end_with(self, problem: Problem) -> None:
        answer = problem.answer(str(uuid4()))
        status = HTTPStatus(answer.status_code)
        head = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode()), b"connection: close"]
        head += [b"%s: %s" % header for header in answer.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()
