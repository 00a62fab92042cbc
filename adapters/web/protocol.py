"""
What uvicorn leaves to a proxy: how long a request is waited for, and an answer in our form to what is not HTTP.

Without a limit a client that sends its request slowly, or never whole, would keep a connection for ever. The figures
are those of Apache's mod_reqtimeout.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final, Literal
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from adapters.web.problems import BAD_REQUEST, TOO_SLOW, Problem

HEAD_SECONDS: Final = 20.0
"""From a connection's beginning to a request, from its first byte to the end of the headers, from there to its end."""

_NOT_HTTP: Final = Problem(
    kind=BAD_REQUEST,
    detail="This is not HTTP/1.1; a header may hold a control character, or a body be longer than was said.",
)
_TOO_SLOW: Final = Problem(
    kind=TOO_SLOW,
    detail=f"The headers must have come after {HEAD_SECONDS:g} seconds. Nothing was done. Send them again.",
)


class EdgeProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, which also ends a connection that is waited for, after twice the time at most."""

    head_seconds = HEAD_SECONDS
    _awaited: Literal["nothing", "request", "head", "body"] = "nothing"
    _since = 0.0
    _look: asyncio.TimerHandle

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvicorn's own form
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await("request")
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait for a request if this begins none: uvicorn's own wait between requests ends with any byte."""
        super().data_received(data)
        if self._awaited == "nothing" and not self._is_answering:
            self._await("request")

    def on_message_begin(self) -> None:
        """Wait for the headers."""
        super().on_message_begin()
        self._await("head")

    def on_headers_complete(self) -> None:
        """Wait for the body, as `adapters.web.body` does; here it is for a body that nobody reads."""
        self._await("body")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for nothing."""
        self._await("nothing")
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own form
        """Answer what is not HTTP, unless a request before it is owed its own answer, which is the last then."""
        if self._is_answering and not self.cycle.more_body:
            self.cycle.keep_alive = False
        else:
            self._end_with(_NOT_HTTP)

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _await(self, what: Literal["nothing", "request", "head", "body"]) -> None:
        self._awaited, self._since = what, self.loop.time()

    def _look_later(self) -> None:
        # One timer for all requests of a connection, not two calls into the loop for each.
        self._look = self.loop.call_later(self.head_seconds, self._look_now)

    def _look_now(self) -> None:
        waits = self._awaited != "nothing" and not self._is_answering
        if not waits or self.loop.time() - self._since < self.head_seconds:
            self._look_later()
        elif self._awaited == "head":
            self._end_with(_TOO_SLOW)
        else:
            # Nothing was asked, or it is answered already.
            self.transport.close()

    def _end_with(self, problem: Problem) -> None:
        answer = problem.answer(str(uuid4()))
        status = HTTPStatus(answer.status_code)
        head = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode()), b"connection: close"]
        head += [b"%s: %s" % header for header in answer.raw_headers]
        if self.transport.is_closing():
            return
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()
