"""
A wire between us and PostgreSQL that can be cut at the worst moment.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
from contextlib import suppress
from typing import Self

from sqlalchemy import make_url

SO_ATTACH_FILTER = 26
KEEP_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A packet filter of one instruction: of every packet, take zero bytes."""


class Proxy:
    def __init__(self, url: str, *, slowness: float = 0) -> None:
        """
        Take connections to `url`, each `slowness` seconds late.
        """
        self._target = make_url(url)
        self._slowness = slowness
        self._server: asyncio.Server | None = None
        self._wires: set[asyncio.StreamWriter] = set()
        self._ours: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._fatal: bytes | None = None
        self.swallowed = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def url(self) -> str:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return self._target.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)

    def cut(self) -> None:
        """
        Cut every connection; new ones are taken.
        """
        for wire in self._wires:
            wire.transport.abort()

    def forget(self) -> None:
        """
        Let every connection go on without its other end, as after a power cut; new ones are taken.

        Nothing that is sent arrives or is acknowledged any more, and nothing comes back.
        """
        program = ctypes.create_string_buffer(KEEP_NOTHING)
        described = struct.pack("HL", 1, ctypes.addressof(program))
        for wire in self._ours:
            wire.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)
            wire.transport.pause_reading()  # type: ignore[attr-defined]
        self._forgotten |= self._ours

    def fall_silent(self) -> None:
        """
        Keep every connection, and pass nothing on, as a server that is stopped; new ones are taken.
        """
        self._forgotten |= self._ours

    def swallow_answers_after(self, words: bytes) -> None:
        """
        Let the next message with these words through, but none of the server's answer, and cut the connection.
        """
        self._fatal = words

    async def close(self) -> None:
        """
        Cut every connection and take no more.
        """
        if self._server is not None:
            self._server.close()
            self.cut()
            with suppress(OSError):
                await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._slowness)
        with suppress(OSError):
            upstream = await asyncio.open_connection(self._target.host, self._target.port)
            self._wires |= {writer, upstream[1]}
            self._ours.add(writer)
            deaf = asyncio.Event()
            await asyncio.gather(
                self._carry(reader, upstream[1], deaf, writer), self._answer(upstream[0], writer, deaf)
            )
        self._ours.discard(writer)

    async def _carry(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, deaf: asyncio.Event, us: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                fatal = self._fatal is not None and self._fatal in data
                if fatal:
                    self._fatal = None
                    deaf.set()
                if us not in self._forgotten:
                    server.write(data)
                    await server.drain()
                if fatal:
                    self.swallowed += 1
                    # Long enough for the server to commit.
                    await asyncio.sleep(0.3)
                    us.transport.abort()
        server.close()

    async def _answer(self, server: asyncio.StreamReader, us: asyncio.StreamWriter, deaf: asyncio.Event) -> None:
        with suppress(OSError):
            while data := await server.read(65536):
                if not deaf.is_set() and us not in self._forgotten:
                    us.write(data)
                    await us.drain()
        us.close()
