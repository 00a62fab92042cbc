"""
The edge of HTTP: who sends a request slowly, or never whole, is not waited for, and what is not HTTP is a problem, too.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from fastapi import FastAPI

from adapters.settings import Settings
from adapters.web import body
from adapters.web.app import create_api
from adapters.web.protocol import EdgeProtocol
from adapters.web.server import _configured
from tests.unit.adapters.web.conftest import connect
from tests.unit.adapters.web.fake_backend import FakeBackend

HEAD = b"GET /livez HTTP/1.1\r\nHost: calsaga\r\n"
SHORT = 0.5
GENEROUS = 10.0
"""Seconds that nothing takes here, however busy the machine."""

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def client(backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    """
    A connection to a server that is configured as ours, and waits for headers only for a moment.
    """
    monkeypatch.setattr(EdgeProtocol, "head_seconds", SHORT)
    async with connected(create_api(backend.as_backend())) as client:
        yield client


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[Client]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(_configured(app, Settings(), lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        yield reader, writer
        writer.close()
        server.should_exit = True
        await serving


def problem_in(answer: bytes) -> tuple[int, str]:
    """
    Return the status and the type of a problem after which the connection has ended.
    """
    head, body = answer.split(b"\r\n\r\n")
    status, *headers = head.lower().split(b"\r\n")
    assert {b"connection: close", b"content-type: application/problem+json"} <= {*headers}
    assert f"content-length: {len(body)}".encode() in headers
    problem = json.loads(body)
    assert int(status.split()[1]) == problem["status"]
    return problem["status"], problem["type"]


async def read_answer(client: Client) -> bytes:
    """
    Return the status line of one answer, and leave nothing of it behind.
    """
    head = await client[0].readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await client[0].readexactly(int(length.split(b":")[1]))
    return head.split(b"\r\n")[0]


@pytest.mark.parametrize("sent", [b"GET", HEAD])
async def test_headers_that_do_not_come_end_the_connection(client: Client, sent: bytes) -> None:
    client[1].write(sent)
    async with asyncio.timeout(GENEROUS):
        answer = await client[0].read()

    assert (408, "urn:calsaga:problem:too-slow") == problem_in(answer)


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
async def test_a_connection_that_asks_nothing_is_ended_in_silence(client: Client, sent: bytes) -> None:
    async with asyncio.timeout(GENEROUS):
        if sent:
            client[1].write(HEAD + b"\r\n")
            await read_answer(client)
        client[1].write(sent)

        assert b"" == await client[0].read()


async def test_a_body_that_nobody_reads_ends_its_connection(client: Client) -> None:
    client[1].write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n")
    async with asyncio.timeout(GENEROUS):
        answer = await read_answer(client)
        rest = await client[0].read()

    assert (b"HTTP/1.1 200 OK", b"") == (answer, rest)


async def test_bytes_behind_a_request_do_not_cost_it_its_answer() -> None:
    api, going_on = FastAPI(), asyncio.Event()

    @api.get("/livez")
    async def slow() -> str:
        await going_on.wait()
        return "done"

    async with connected(api) as client, asyncio.timeout(GENEROUS):
        client[1].write(HEAD + b"\r\n\0\0")
        await asyncio.sleep(0.1)
        client[1].write(b"\0")
        await asyncio.sleep(0.1)
        going_on.set()

        assert b"HTTP/1.1 200 OK" == await read_answer(client)
        with suppress(ConnectionResetError):
            assert b"" == await client[0].read()


@pytest.mark.parametrize("sent", [b"\x00\r\n\r\n", b"GET / HTTP/9\r\n\r\n", HEAD + b"Idempotency-Key: a\x01\r\n\r\n"])
async def test_what_is_not_http_is_refused_in_our_form(client: Client, sent: bytes) -> None:
    client[1].write(sent)
    async with asyncio.timeout(GENEROUS):
        answer = await client[0].read()

    assert (400, "urn:calsaga:problem:bad-request") == problem_in(answer)


async def test_headers_that_come_a_byte_at_a_time_end_it_too(client: Client) -> None:
    async def dribble() -> None:
        for byte in b"X-Slow: " + b"a" * 10_000:
            client[1].write(bytes([byte]))
            await asyncio.sleep(SHORT / 20)

    client[1].write(HEAD)
    dribbling = asyncio.create_task(dribble())
    async with asyncio.timeout(GENEROUS):
        answer = await client[0].read()
    dribbling.cancel()

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_connection_may_rest_between_requests_and_the_next_has_its_own_time(client: Client) -> None:
    async with asyncio.timeout(GENEROUS):
        client[1].write(HEAD + b"\r\n")
        first = await read_answer(client)
        await asyncio.sleep(2.5 * SHORT)
        client[1].write(HEAD + b"\r\n")
        second = await read_answer(client)
        client[1].write(HEAD)
        end = await client[0].read()

    assert (b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK") == (first, second)
    assert end.startswith(b"HTTP/1.1 408 ")


async def test_who_is_being_answered_is_not_cut_for_a_next_request_that_hesitates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EdgeProtocol, "head_seconds", SHORT)
    api = FastAPI()

    @api.get("/livez")
    async def slow() -> str:
        await asyncio.sleep(3 * SHORT)
        return "at last"

    async with connected(api) as client, asyncio.timeout(GENEROUS):
        client[1].write(HEAD + b"\r\n" + HEAD)
        first = await read_answer(client)
        end = await client[0].read()

    assert b"HTTP/1.1 200 OK" == first
    assert end.startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_does_not_come_is_refused(backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)

    async def halting() -> AsyncIterator[bytes]:
        yield b'{"service_id": '
        await asyncio.sleep(GENEROUS)

    async with connect(backend) as client:
        answer = await client.post("/api/bookings", content=halting())

    assert (408, "urn:calsaga:problem:too-slow") == (answer.status_code, answer.json()["type"])
    assert "close" == answer.headers["Connection"]
    assert not backend.bookings.booked


async def test_such_a_body_ends_its_connection(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)
    client[1].write(
        b"POST /api/bookings HTTP/1.1\r\nHost: calsaga\r\nAuthorization: Bearer acme/bookings:write\r\n"
        b'Content-Length: 100\r\n\r\n{"service_id": '
    )
    async with asyncio.timeout(GENEROUS):
        answer = await client[0].read()

    assert answer.startswith(b"HTTP/1.1 408 ")
