"""
A server below HTTP: it reads a request and does to the connection what a test wants.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

Behavior = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]


@dataclass
class RawServer:
    """
    What arrived: whole requests, and how many connections.
    """

    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def raw_server(behavior: Behavior) -> AsyncIterator[RawServer]:
    """
    Serve one behavior on a free port.
    """
    seen = RawServer()
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        writers.append(writer)
        try:
            while True:
                request = await read_request(reader)
                seen.requests.append(request)
                await behavior(reader, writer, request)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    seen.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield seen
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
    return head + body


def response(status: int, body: bytes, *, headers: str = "") -> bytes:
    """
    Write an answer as it goes over the wire.
    """
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def success(row: object, *, status: int = 201) -> bytes:
    return response(status, orjson.dumps({"status": "success", "data": row}))


def drops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> Awaitable[None]:
    """
    Close the connection without a word.
    """
    return _drop(writer)


async def _drop(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    raise ConnectionResetError


def answers(payload: bytes, *, then_close: bool = False, slowly: float = 0.0) -> Behavior:
    """
    Send bytes, perhaps slowly, perhaps as the last thing.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
        await asyncio.sleep(slowly)
        writer.write(payload)
        await writer.drain()
        if then_close:
            writer.close()
            raise ConnectionResetError

    return answer
