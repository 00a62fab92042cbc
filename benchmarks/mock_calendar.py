"""
A calendar that answers like Cal.com's API v2 and does nothing else, as fast as Python can.

It speaks just enough HTTP/1.1 to measure what calsaga itself costs. It is no double of
Cal.com: for that there is the sandbox. Bookings of the event type `DOOMED_EVENT_TYPE`
get uids that the database holds already, so that their appointments are refused.

    python -m benchmarks.mock_calendar PORT LATENCY_MS
"""

import asyncio
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

import orjson
import uvloop

LENGTH = timedelta(minutes=30)
DOOMED_EVENT_TYPE = 2
DOOMED_UIDS = 5_000


@dataclass(slots=True)
class Calendar:
    """The bookings, by uid."""

    bookings: dict[str, dict[str, object]] = field(default_factory=dict)
    doomed: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(DOOMED_UIDS)))
    cancels: int = 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        """Return status and data for a request."""
        if path == "/stats":
            live = sum(one["status"] == "accepted" for one in self.bookings.values())
            return 200, {"created": len(self.bookings), "live": live, "cancels": self.cancels}
        if path == "/v2/me":
            return 200, _data({"id": 1})
        uid = path.removeprefix("/v2/bookings").partition("?")[0].strip("/").partition("/")[0]
        if method == "GET":
            return (
                (200, _data(self.bookings[uid]))
                if uid
                else (200, {**_data(list(self.bookings.values())), **_LAST_PAGE})
            )
        if not uid:
            return 201, _data(self._create(orjson.loads(body)))
        self.cancels += 1
        self.bookings[uid]["status"] = "cancelled"
        return 200, _data(self.bookings[uid])

    def _create(self, wish: dict[str, object]) -> dict[str, object]:
        doomed = wish["eventTypeId"] == DOOMED_EVENT_TYPE
        uid = f"doomed{next(self.doomed)}" if doomed else f"uid{len(self.bookings)}"
        start = datetime.fromisoformat(str(wish["start"]))
        now = datetime.now(UTC).isoformat()
        self.bookings[uid] = {
            "id": len(self.bookings),
            "uid": uid,
            "status": "accepted",
            "start": start.isoformat(),
            "end": (start + LENGTH).isoformat(),
            "eventTypeId": wish["eventTypeId"],
            "metadata": wish["metadata"],
            "createdAt": now,
            "updatedAt": now,
        }
        return self.bookings[uid]


_LAST_PAGE = {"pagination": {"hasNextPage": False}}


def _data(data: object) -> dict[str, object]:
    return {"status": "success", "data": data}


class Http(asyncio.Protocol):
    """One connection."""

    def __init__(self, calendar: Calendar, latency: float) -> None:
        self._calendar = calendar
        self._latency = latency
        self._buffer = b""
        self._transport = asyncio.Transport()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            line, *headers = self._buffer[:end].decode().split("\r\n")
            length = next((int(h.partition(":")[2]) for h in headers if h.lower().startswith("content-length:")), 0)
            whole = end + 4 + length
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            method, path, _ = line.split(" ", 2)
            self._answer(*self._calendar.answer(method, path, body), delay=self._latency if method == "POST" else 0)

    def _answer(self, status: int, data: object, *, delay: float) -> None:
        body = orjson.dumps(data)
        head = b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
        if delay:
            asyncio.get_running_loop().call_later(delay, self._transport.write, head + body)
        else:
            self._transport.write(head + body)


async def serve(port: int, latency_ms: float) -> None:
    """Serve until killed; says `ready` on stdout."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Http, Calendar(), latency_ms / 1000), "127.0.0.1", port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2])))
