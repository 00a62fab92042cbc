"""
One request to Cal.com and what came of it, for one API key.

Whether a request may have reached Cal.com is never read from the kind of an exception,
since the layers below translate those crudely (a server that hangs up after the write
arrives here as `httpx.ConnectTimeout`). It is known from the departure of the body.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import aiohttp
import httpx
import structlog

from adapters.calcom.circuit import Circuit
from adapters.calcom.departure import Departure, TooLate, boottime
from adapters.calcom.endpoints import Call
from adapters.calcom.key_watch import KeyWatch
from adapters.calcom.rate_limit import BLOCK_SECONDS, RateLimit, retry_after
from adapters.calcom.replies import Answer, Reply, Unanswered, Unsent
from adapters.calcom.wording import fit_for_log
from adapters.resilience.bulkhead import Bulkhead, BulkheadFull

ANSWER_LIMIT = 2 * 1024 * 1024
"""How many bytes an answer may have before it is left unread."""

WHILE_FULL = 1.0
"""How many seconds who found no place among the calls under way stays away."""

_TOO_MANY_REQUESTS = 429
_log = structlog.get_logger(__name__)


class _TooLarge(Exception):
    """The answer is larger than anybody wants to read."""


@dataclass(slots=True, kw_only=True)
class Wire:
    """
    Send requests with one API key; `watch` hears every answer, and holds back what the key is of no use for.

    A request that has a `send_by` leaves before that instant, as `now` tells the
    database's time, and within `send_seconds`.

    The transport must write nothing before it has read the body: aiohttp's does not,
    httpx's own does.
    """

    transport: httpx.AsyncBaseTransport
    base_url: str
    api_key: str = field(repr=False)
    rate_limit: RateLimit
    user_agent: str
    attempt_seconds: float
    send_seconds: float
    now: Callable[[], datetime]
    probe: Callable[[str], None]
    watch: KeyWatch
    circuit: Circuit | None = None
    bulkhead: Bulkhead | None = None
    clock: Callable[[], float] = boottime
    _headers: dict[tuple[str | None, bool], httpx.Headers] = field(default_factory=dict, init=False, repr=False)

    async def send(
        self, call: Call, *, body: bytes | None = None, send_by: datetime | None = None, size_limit: int = ANSWER_LIMIT
    ) -> Reply:
        """Send a request, unless it is too late or too much, and read the whole answer."""
        held = self._held_back(call) or self._refused_lately(call)
        if held is not None:
            return held
        if self.bulkhead is None:
            return await self._send_with_leave(call, body=body, send_by=send_by, size_limit=size_limit)
        try:
            await self.bulkhead.enter()
        except BulkheadFull as error:
            return Unsent(reason="bulkhead_full", detail=str(error), retry_after=WHILE_FULL, defer=True)
        try:
            return await self._send_with_leave(call, body=body, send_by=send_by, size_limit=size_limit)
        finally:
            self.bulkhead.leave()

    def held_back(self, call: Call) -> Unsent | None:
        """Return why a call may not go now, as far as this process knows."""
        return self._held_back(call) or (None if self.circuit is None else self.circuit.held_back(call))

    def _refused_lately(self, call: Call) -> Unsent | None:
        # Who would be refused need not stand in line for it. A read may be the probe that is waited for.
        return None if self.circuit is None or call.method == "GET" else self.circuit.held_back(call)

    async def _send_with_leave(
        self, call: Call, *, body: bytes | None, send_by: datetime | None, size_limit: int
    ) -> Reply:
        # Asked for after the wait in line: the breaker takes the time from here on for Cal.com's.
        if self.circuit is None:
            return await self._send(call, body=body, send_by=send_by, size_limit=size_limit)
        permit = await self.circuit.enter(call)
        if isinstance(permit, Unsent):
            return permit
        reply: Reply | None = None
        began = self.clock()
        try:
            reply = await self._send(call, body=body, send_by=send_by, size_limit=size_limit)
        finally:
            await self.circuit.leave(permit, reply, seconds=self.clock() - began)
        return reply

    async def _send(self, call: Call, *, body: bytes | None, send_by: datetime | None, size_limit: int) -> Reply:
        # Asked once more, and nothing is awaited from here to `begin`: while this one stood in line, or waited for a
        # permit, others have gone.
        held = self._held_back(call)
        if held is not None:
            return held
        if send_by is not None:
            self.probe(f"calcom.{call.op}.announced")
        seconds = self.attempt_seconds if send_by is None else self._left(send_by)
        departure = Departure(
            body=body or b"",
            deadline=self.clock() + seconds,
            answer_seconds=self.attempt_seconds,
            clock=self.clock,
            reached=lambda: self.probe(f"calcom.{call.op}.before"),
            send_by=send_by,
            now=self.now,
        )
        sent_at = self.rate_limit.begin()
        try:
            async with asyncio.timeout(seconds) as departure.limit:
                answer = await self._exchange(call, departure, has_body=body is not None, size_limit=size_limit)
        except TimeoutError:
            return self._failed(call, departure, reason="timeout", detail="no answer in time")
        except _TooLarge:
            return self._failed(call, departure, reason="unreadable", detail="the answer is too large")
        except (TooLate, httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as error:
            return self._failed(call, departure, reason="disconnected", detail=_innermost(error), error=error)
        finally:
            departure.abandoned = True
            self.rate_limit.end()
        return self._answered(call, answer, sent_at=sent_at)

    def _left(self, send_by: datetime) -> float:
        return min((send_by - self.now()).total_seconds(), self.send_seconds)

    def _held_back(self, call: Call) -> Unsent | None:
        if not self.api_key:
            return Unsent(reason="unauthorized", detail="the company has no usable API key", defer=True)
        rejected = self.watch.held_back(call)
        if rejected is not None:
            return rejected
        wait = self.rate_limit.wait(spends_reserve=call.spends_reserve)
        if wait is None:
            return None
        detail = "held back, so that Cal.com's rate limit is kept"
        return Unsent(reason="rate_limited", detail=detail, retry_after=wait, defer=True)

    async def _exchange(self, call: Call, departure: Departure, *, has_body: bool, size_limit: int) -> Answer:
        request = httpx.Request(
            call.method,
            _url(self.base_url + call.target),
            headers=self._standing_headers(call, has_body=has_body),
            stream=departure if has_body else None,
        )
        # They are ours: nobody has to find out how they are written.
        request.headers.encoding = "ascii"
        if has_body:
            request.headers["Content-Length"] = str(len(departure.body))
        else:
            departure.reached()
            departure.left = True
        response = await self.transport.handle_async_request(request)
        try:
            body = await _read(response, size_limit)
        finally:
            await response.aclose()
        return Answer(response.status_code, _plain(response.headers), body)

    def _standing_headers(self, call: Call, *, has_body: bool) -> httpx.Headers:
        # httpx reads headers with care, and copies in a moment what it has read.
        known = self._headers.get((call.version, has_body))
        if known is None:
            known = self._headers[call.version, has_body] = httpx.Headers(self._written(call, has_body=has_body))
        return known

    def _written(self, call: Call, *, has_body: bool) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self.api_key}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": self.user_agent,
        }
        if call.version is not None:
            headers["cal-api-version"] = call.version
        if has_body:
            headers["Content-Type"] = "application/json"
        return headers

    def _answered(self, call: Call, answer: Answer, *, sent_at: float) -> Answer:
        self.probe(f"calcom.{call.op}.after")
        self.rate_limit.note(answer.headers, sent_at=sent_at)
        self.watch.heard(answer)
        if answer.status == _TOO_MANY_REQUESTS:
            self.rate_limit.block(retry_after(answer.headers) or BLOCK_SECONDS)
        _log.debug(
            f"calcom.{call.op}.answered", status=answer.status, request_id=answer.headers.get("x-request-id", "")[:64]
        )
        return answer

    def _failed(
        self, call: Call, departure: Departure, *, reason: str, detail: str, error: BaseException | None = None
    ) -> Unsent | Unanswered:
        if departure.interruption is not None:
            raise departure.interruption
        _log.debug(f"calcom.{call.op}.failed", reason=reason, detail=detail, left=departure.left)
        if departure.left and not _found_it_closed(error):
            return Unanswered(reason=reason, detail=detail)
        if departure.is_late:
            return Unsent(reason="send_by_passed", detail="the request did not leave in time")
        return Unsent(reason="unreachable", detail=detail)


async def _read(response: httpx.Response, size_limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        return response.content
    async for piece in stream:
        size += len(piece)
        if size > size_limit:
            raise _TooLarge
        pieces.append(piece)
    return b"".join(pieces)


@lru_cache(maxsize=64)
def _url(text: str) -> httpx.URL:
    # Nearly every request is a create, and reading a URL costs as much as reading the answer.
    return httpx.URL(text)


def _plain(headers: httpx.Headers) -> dict[str, str]:
    # Each look into httpx's own headers goes through all of them.
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.raw}


def _found_it_closed(error: BaseException | None) -> bool:
    # A kept connection that the server had closed: aiohttp says this text before it writes anything.
    cause = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectionResetError):
            return str(cause) == "Cannot write to closing transport"
        cause = cause.__cause__
    return False


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return fit_for_log(f"{type(error).__name__}: {error}")
