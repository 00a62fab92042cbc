"""
What each kind of service says, and what that means; over real sockets where there is no other way to know.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from unittest.mock import Mock

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from adapters.calcom.replies import Answer, Reply, Unanswered, Unsent
from adapters.health.probes import Probe, make
from adapters.health.services import CalComProbe, DatabaseProbe, HttpProbe, SmtpProbe
from domain.health import Check, ProbePolicy, Status
from tests.fakes.time import START

POLICY = ProbePolicy(interval_seconds=30, limit_seconds=5, slow_seconds=2.5)
# As its guard says it.
KEY_REJECTED = b"""{"status": "error", "error": {"code": "UnauthorizedException",
"message": "ApiAuthStrategy - Your api key is not valid"}}"""


async def found(probe: object) -> Check:
    asked = Probe(service="calcom", policy=POLICY, ask=probe.ask)  # type: ignore[attr-defined]
    return await make(asked, now=lambda: START)


@pytest.mark.parametrize(
    ("reply", "status", "detail"),
    [
        (Answer(200, {}, b"{}"), "healthy", ""),
        (Answer(401, {}, KEY_REJECTED), "degraded", "it rejects the API key"),
        (Answer(401, {}, b"{}"), "degraded", "HTTP 401: it answers, but not as it should"),
        (Answer(429, {}, b""), "degraded", "HTTP 429: its rate limit is used up"),
        (Answer(404, {}, b"<html>"), "degraded", "HTTP 404: it answers, but not as it should"),
        (Answer(408, {}, b""), "down", "HTTP 408"),
        (Answer(502, {}, b"<html>"), "down", "HTTP 502"),
        (Unsent(reason="breaker_open", detail="x"), "down", "not called: its circuit breaker is open"),
        (Unsent(reason="rate_limited", detail="x"), "unknown", "not asked, so that its rate limit is kept"),
        (Unsent(reason="unreachable", detail="hunter2"), "down", "no answer: unreachable"),
        (Unanswered(reason="timeout", detail="hunter2"), "down", "no answer: timeout"),
    ],
)
async def test_what_cal_com_answers(reply: Reply, status: Status, detail: str) -> None:
    async def ping() -> Reply:
        return reply

    async def nobody_new() -> None:
        raise AssertionError

    check = await found(CalComProbe(ping=ping, acquaint=nobody_new))

    assert (status, detail) == (check.status, check.detail)
    assert (check.response_time_ms is not None) is isinstance(reply, Answer)


@pytest.mark.parametrize(("becomes", "status"), [(Answer(200, {}, b"{}"), "healthy"), (None, "not_configured")])
async def test_a_process_that_knows_no_key_yet_looks_for_one(becomes: Reply | None, status: Status) -> None:
    known: list[str] = []

    async def ping() -> Reply | None:
        return becomes if known else None

    async def acquaint() -> None:
        known.append("a key")

    assert status == (await found(CalComProbe(ping=ping, acquaint=acquaint))).status


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        (204, "healthy", ""),
        (302, "healthy", ""),
        (404, "degraded", "HTTP 404: is the address the right one?"),
        (503, "down", "HTTP 503"),
    ],
)
async def test_what_an_address_answers(answer: int, status: Status, detail: str) -> None:
    asked: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(answer, headers={"Location": "https://elsewhere.test/"}, text="x" * 1000)

    check = await found(HttpProbe("https://retell.test/health", transport=httpx.MockTransport(respond)))

    assert (status, detail) == (check.status, check.detail)
    # It follows nobody anywhere.
    assert ["https://retell.test/health"] == [str(one.url) for one in asked]


async def test_an_address_that_does_not_answer_is_down_and_is_not_named() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("hunter2", request=request)

    check = await found(HttpProbe("https://retell.test/health", transport=httpx.MockTransport(refuse)))

    assert ("down", "no answer: ConnectError") == (check.status, check.detail)


@asynccontextmanager
async def mail_server(greeting: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    heard: list[bytes] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        if greeting:
            heard.append(await reader.readline())
        writer.close()
        over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard
        await over.wait()


@pytest.mark.parametrize(
    ("greeting", "status", "detail"),
    [
        (b"220 mail.test ESMTP\r\n", "healthy", ""),
        (b"220-mail.test\r\n220 ESMTP\r\n", "healthy", ""),
        (b"554 no\r\n", "down", "it takes no mail at the moment"),
        (b"", "down", "no answer: it hung up"),
    ],
)
async def test_what_a_mail_server_greets_with(greeting: bytes, status: Status, detail: str) -> None:
    async with mail_server(greeting) as (url, heard):
        check = await found(SmtpProbe(url))

    assert (status, detail) == (check.status, check.detail)
    assert [b"QUIT\r\n"] * len(heard) == heard


async def test_a_mail_server_that_is_not_there_is_down() -> None:
    assert "down" == (await found(SmtpProbe("smtp://127.0.0.1:1"))).status


def test_a_mail_server_has_the_port_of_its_kind() -> None:
    assert [25, 465, 2525] == [SmtpProbe(f"{url}")._port for url in ("smtp://a", "smtps://a", "smtp://a:2525")]


class StuckEngine:
    """
    Whoever asks it is kept until `lets_go`.
    """

    def __init__(self) -> None:
        self.questions = 0
        self.lets_go = threading.Event()

    def connect(self) -> Mock:
        self.questions += 1
        self.lets_go.wait(10)
        raise OperationalError("SELECT", {}, Exception("gone"))


@pytest.fixture
def stuck() -> Iterator[StuckEngine]:
    engine = StuckEngine()
    yield engine
    engine.lets_go.set()


async def test_a_database_that_hangs_is_asked_once_and_its_failure_is_nobodys(stuck: StuckEngine) -> None:
    probe = DatabaseProbe(stuck)  # type: ignore[arg-type]
    quick = ProbePolicy(interval_seconds=30, limit_seconds=0.02, slow_seconds=0.01)

    checks = [await make(Probe(service="database", policy=quick, ask=probe.ask), now=lambda: START) for _ in range(3)]
    joining = asyncio.create_task(probe.ask())
    await asyncio.sleep(0)
    stuck.lets_go.set()
    with pytest.raises(OperationalError):
        await joining
    asked_then = stuck.questions
    after = await found(probe)

    assert {"down"} == {one.status for one in checks}
    assert [1, 2] == [asked_then, stuck.questions]
    assert ("down", "no answer: OperationalError") == (after.status, after.detail)
    probe.close()
