from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from adapters.bootstrap import application
from adapters.settings import Settings
from adapters.web.server import serve
from tests.integration.web.conftest import connected, server, wish


@pytest.fixture
def slow_calcom(calcom_url: str) -> Iterator[None]:
    """
    Cal.com answers every booking a second late.
    """
    fault = {"kind": "delay", "seconds": 1.0, "moment": "before", "operation": "create"}
    httpx.put(f"{calcom_url}/_sandbox/faults", json={"seed": 1, "faults": [fault]}).raise_for_status()
    yield
    httpx.post(f"{calcom_url}/_sandbox/reset")


@pytest.mark.parametrize("workers", [1, 2])
async def test_it_serves_until_it_is_told_to_stop(app_settings: Settings, key: str, workers: int) -> None:
    with server(app_settings, workers=workers) as running:
        async with httpx.AsyncClient(base_url=running.url, headers={"Authorization": key}, timeout=60) as client:
            ready = await client.get("/readyz")
            answers = await asyncio.gather(*(client.post("/api/bookings", json=wish(n)) for n in range(8)))
        running.terminate()
        began = time.monotonic()
        code = running.process.wait(timeout=60)

    assert 200 == ready.status_code, ready.text
    assert [201] * 8 == [answer.status_code for answer in answers]
    assert 0 == code
    assert time.monotonic() - began < 15
    assert running.said.startswith("calsaga serves http://127.0.0.1:")
    assert "" == running.rest


async def test_a_request_under_way_is_answered_before_the_end(
    app_settings: Settings, key: str, slow_calcom: None
) -> None:
    with server(app_settings) as running:
        async with httpx.AsyncClient(base_url=running.url, headers={"Authorization": key}, timeout=60) as client:
            await client.get("/livez")
            booking = asyncio.create_task(client.post("/api/bookings", json=wish()))
            await asyncio.sleep(0.4)
            running.terminate()
            answer = await booking

    assert (201, "booked") == (answer.status_code, answer.json()["booking"]["status"])
    assert 0 == running.process.returncode


async def test_what_a_caller_did_not_wait_for_is_finished_before_the_end(
    app_settings: Settings, key: str, slow_calcom: None
) -> None:
    headers = {"Authorization": key, "Prefer": "respond-async"}
    with server(app_settings) as running:
        async with httpx.AsyncClient(base_url=running.url, headers=headers, timeout=60) as client:
            answer = await client.post("/api/bookings", json=wish())
    async with application(app_settings, background=False) as opened, connected(opened, company_id="default") as client:
        after = await client.get(answer.headers["Location"])

    assert (202, "booked") == (answer.status_code, after.json()["booking"]["status"])


async def test_a_malformed_request_breaks_nothing(app_settings: Settings, key: str) -> None:
    with server(app_settings) as running:
        host, port = running.url.removeprefix("http://").split(":")
        for raw in (
            b"\x00\x01\r\n\r\n",
            b"POST /api/bookings HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"GET / HTTP/9\r\n\r\n",
        ):
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(raw)
                connection.recv(4096)
        async with httpx.AsyncClient(base_url=running.url) as client:
            answer = await client.get("/livez")

    assert 200 == answer.status_code


def test_an_address_in_use_is_an_error(app_settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(app_settings, host="127.0.0.1", port=taken.getsockname()[1], workers=1, background=False)
