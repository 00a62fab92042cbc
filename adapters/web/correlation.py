"""
The outermost layer of every request: its correlation id, and the last word when something breaks.

Plain ASGI, because every booking passes through it.
"""

import asyncio
import logging
import re
from functools import partial
from time import perf_counter
from uuid import uuid4

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.phrases import Language, Phrase, phrase
from adapters.web.answer_times import note_answer
from adapters.web.language import language_of
from adapters.web.problems import INTERNAL, UNAVAILABLE, Problem

HEADER = "X-Correlation-Id"
RESTART_SECONDS = 5
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+/=-]{0,127}")
_GUARDS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
log = structlog.get_logger("calsaga.web")
# Asked first, because a line that nobody reads costs a tenth of a millisecond to compose.
_access = logging.getLogger("calsaga.web")


def correlation_id_of(request: Request) -> str:
    """Return the id that the caller gave, or that was made for this request."""
    return str(request.state.correlation_id)


class CorrelationMiddleware:
    """Gives each request a correlation id, binds it to the log lines, and echoes it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = _given(scope) or uuid4().hex
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        mark = (HEADER.lower().encode(), correlation_id.encode())
        answered = 0
        began = perf_counter()

        async def send_marked(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
                message["headers"] = [*message["headers"], mark, *_GUARDS]
                note_answer(scope, answered, perf_counter() - began)
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._app(scope, receive, send_marked)
            except asyncio.CancelledError:
                # Only a server that ends cancels a request, and then it closes the connection.
                log.warning("http.request.cut_off", method=scope["method"], route=_route(scope))
                if answered:
                    raise
                await _cut_off(correlation_id, language_of(Request(scope)))(scope, receive, send_marked)
            except Exception:
                # The edge of a request: the log has the traceback, its caller a problem with the correlation id.
                log.exception("http.request.crashed", method=scope["method"], route=_route(scope))
                if answered:
                    raise
                await _broken(correlation_id)(scope, receive, send_marked)
            if _access.isEnabledFor(logging.DEBUG):
                log.debug(
                    "http.request.answered",
                    method=scope["method"],
                    route=_route(scope),
                    status=answered,
                    milliseconds=round((perf_counter() - began) * 1000, 2),
                )


def _given(scope: Scope) -> str | None:
    given = Headers(scope=scope).get(HEADER)
    return given if given is not None and _SANE.fullmatch(given) else None


def _route(scope: Scope) -> str:
    # The template, not the path: what callers put into a path is theirs.
    return str(getattr(scope.get("route"), "path", "(none)"))


def _cut_off(correlation_id: str, language: Language) -> ASGIApp:
    detail = "This process is being stopped. What was asked may go on all the same: send the same request again."
    headers = {"Retry-After": str(RESTART_SECONDS)}
    say = partial(phrase, Phrase.REFUSED)
    return Problem(kind=UNAVAILABLE, detail=detail, headers=headers, say=say).answer(correlation_id, language)


def _broken(correlation_id: str) -> ASGIApp:
    detail = "This is our fault. Give the correlation id to whoever runs this service."
    return Problem(kind=INTERNAL, detail=detail).answer(correlation_id)
