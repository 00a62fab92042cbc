"""
Webhooks as a real server gets them over a real socket.
"""

from __future__ import annotations

import asyncio
import hmac
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from hashlib import sha256
from time import monotonic
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web

from tests.integration.sandbox.client import Client, eventually
from tests.integration.sandbox.sandbox_process import SandboxProcess

SECRET = "hush"
HEADERS = {"Authorization": "Bearer cal_owner", "cal-api-version": "2024-08-13"}


async def nothing(_body: dict[str, Any]) -> None: ...


class Receiver:
    """
    A server that keeps what it is sent; `reacts` is what it does before it answers.
    """

    def __init__(self) -> None:
        self.url = ""
        self.got: list[tuple[dict[str, Any], bytes, Mapping[str, str]]] = []
        self.reacts: Callable[[dict[str, Any]], Awaitable[None]] = nothing

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.got.append((orjson.loads(raw), raw, request.headers))
        await self.reacts(self.got[-1][0])
        return web.Response()

    @property
    def triggers(self) -> list[str]:
        return [body["triggerEvent"] for body, _, _ in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.SockSite(runner, listener).start()
        receiver.url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        yield receiver
        await runner.cleanup()


async def subscribe(client: Client, url: str) -> None:
    wish = {"active": True, "subscriberUrl": url, "triggers": ["BOOKING_CREATED", "BOOKING_CANCELLED"]}
    (await client.http.post("/v2/webhooks", json=wish | {"secret": SECRET})).raise_for_status()


async def test_a_booking_is_told_before_it_is_answered_and_its_cancelling_before_it_is_done(
    client: Client, receiver: Receiver
) -> None:
    await subscribe(client, receiver.url)
    booked = asyncio.Event()
    seen: list[Any] = []

    async def look(body: dict[str, Any]) -> None:
        status = (await client.http.get(f"/v2/bookings/{body['payload']['uid']}")).json()["data"]["status"]
        seen.append((body["triggerEvent"], booked.is_set(), status))

    receiver.reacts = look
    uid = (await client.book(metadata={"attempt": "1"})).json()["data"]["uid"]
    booked.set()
    await client.cancel(uid)

    assert [("BOOKING_CREATED", False, "accepted"), ("BOOKING_CANCELLED", True, "accepted")] == seen
    assert ["cancelled"] == [booking["status"] for booking in await client.ledger()]


async def test_the_bytes_that_arrive_are_those_that_are_signed(client: Client, receiver: Receiver) -> None:
    await subscribe(client, receiver.url)
    uid = (await client.book(metadata={"attempt": "1"})).json()["data"]["uid"]

    ((body, raw, headers),) = receiver.got
    assert (uid, {"attempt": "1"}) == (body["payload"]["uid"], body["payload"]["metadata"])
    assert hmac.new(SECRET.encode(), raw, sha256).hexdigest() == headers["X-Cal-Signature-256"]
    assert ("2021-10-20", "application/json") == (headers["X-Cal-Webhook-Version"], headers["Content-Type"])


async def test_a_connection_that_drops_does_not_stop_a_webhook(client: Client, receiver: Receiver) -> None:
    await subscribe(client, receiver.url)
    await client.queue("drop_after_commit")
    await client.queue("webhook_after_response")

    with pytest.raises(httpx.RemoteProtocolError):
        await client.book()
    await eventually(lambda: has_got(receiver, 1))
    assert ["BOOKING_CREATED"] == receiver.triggers


async def test_webhooks_are_doubled_delayed_and_dropped(client: Client, receiver: Receiver) -> None:
    await subscribe(client, receiver.url)
    await client.queue("webhook_delay", seconds=0.3, match={"trigger": "BOOKING_CREATED"})
    await client.queue("webhook_twice", seconds=0.05, match={"trigger": "BOOKING_CANCELLED"})
    await client.queue("webhook_drop", match={"metadata": {"attempt": "2"}})
    uid = (await client.book()).json()["data"]["uid"]
    await client.cancel(uid)
    await client.book(metadata={"attempt": "2"})
    await eventually(lambda: has_got(receiver, 3))

    assert ["BOOKING_CANCELLED", "BOOKING_CANCELLED", "BOOKING_CREATED"] == receiver.triggers
    counted = (await client.stats())["webhooks"]
    assert (1, 1, 0) == (counted["dropped"], counted["doubled"], counted["failed"])


async def test_nobody_at_the_url_is_no_trouble_for_a_booking(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        url = f"http://127.0.0.1:{closing.getsockname()[1]}/hook"
    for bad in (url, "http://", "no url"):
        await subscribe(client, bad)

    assert 201 == (await client.book()).status_code
    assert 3 == (await client.stats())["webhooks"]["failed"]


async def test_a_subscriber_that_never_answers_costs_five_seconds(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        await subscribe(client, f"http://127.0.0.1:{silent.getsockname()[1]}/hook")
        client.http.timeout = httpx.Timeout(15)
        began = monotonic()

        assert 201 == (await client.book()).status_code
    assert 5 <= monotonic() - began < 8
    assert 1 == (await client.stats())["webhooks"]["failed"]


async def test_it_ends_at_once_with_webhooks_on_their_way() -> None:
    with SandboxProcess() as sandbox, socket.create_server(("127.0.0.1", 0)) as silent:
        async with httpx.AsyncClient(base_url=sandbox.url, headers=HEADERS) as http:
            client = Client(http)
            await subscribe(client, f"http://127.0.0.1:{silent.getsockname()[1]}/hook")
            await client.queue("webhook_delay", seconds=60)
            await client.book()
            held = asyncio.create_task(client.book(event_type=3))
            accepted, _ = await asyncio.to_thread(silent.accept)
            with accepted:
                sandbox.process.send_signal(signal.SIGTERM)

                assert 0 == await asyncio.to_thread(sandbox.process.wait, 2)
                with pytest.raises(httpx.TransportError):
                    await held


async def has_got(receiver: Receiver, count: int) -> bool:
    return len(receiver.got) >= count
