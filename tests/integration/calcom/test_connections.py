"""
What can be said of a request when the connection breaks, seen from both ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from adapters.calcom.calendars import CalComCalendars
from sagas.outcomes import CreateOutcome, Made, NotSent, Unknown
from tests.integration.calcom.conftest import Calendars
from tests.integration.calcom.raw_server import answers, drops, raw_server, response, self_signed, success
from tests.unit.adapters.calcom.building import ATTEMPT, a_booking, a_row

ROOT = Path(__file__).parents[3]


async def create(calendars: CalComCalendars, *, send_within: float = 2.0) -> CreateOutcome:
    calendar = await calendars.of("acme")
    return await calendar.create(
        a_booking(), attempt_id=ATTEMPT, send_by=datetime.now(UTC) + timedelta(seconds=send_within)
    )


async def test_an_answer_in_time_is_read(calendars: Calendars) -> None:
    async with raw_server(answers(success(a_row()))) as server:
        assert isinstance(await create(calendars(server.url)), Made)


async def test_head_and_body_leave_together(calendars: Calendars) -> None:
    async with raw_server(answers(success(a_row()))) as server:
        await create(calendars(server.url))

    head, body = server.requests[0].split(b"\r\n\r\n")
    assert b"POST /v2/bookings HTTP/1.1" == head.split(b"\r\n")[0]
    assert b"transfer-encoding" not in head.lower()
    assert ATTEMPT == orjson.loads(body)["metadata"]["calsaga_attempt_id"]


async def test_a_connection_dropped_after_the_request_is_unknown(calendars: Calendars) -> None:
    async with raw_server(drops) as server:
        unknown = await create(calendars(server.url))

    assert isinstance(unknown, Unknown)
    assert "disconnected" == unknown.reason
    assert 1 == len(server.requests)


async def test_a_kept_connection_that_dies_is_unknown_and_nothing_is_sent_twice(calendars: Calendars) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
        behavior = answers(success(a_row())) if len(server.requests) == 1 else drops
        await behavior(reader, writer, request)

    async with raw_server(once) as server:
        kept = calendars(server.url)
        assert isinstance(await create(kept), Made)
        assert isinstance(await create(kept), Unknown)

    assert 2 == len(server.requests)
    assert 1 == server.connections


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(calendars: Calendars) -> None:
    async with raw_server(answers(success(a_row()), then_close=True)) as server:
        kept = calendars(server.url)
        assert isinstance(await create(kept), Made)
        await asyncio.sleep(0.05)
        assert isinstance(await create(kept), Made)

    assert 2 == server.connections


@pytest.mark.parametrize(
    "payload",
    [
        success(a_row())[:-10],
        success(a_row())[:40],
        b"HTTP/1.1 what?\r\n\r\n",
        b"\x16\x03\x01 not HTTP at all\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_half_an_answer_is_unknown(calendars: Calendars, payload: bytes) -> None:
    async with raw_server(answers(payload, then_close=True)) as server:
        assert isinstance(await create(calendars(server.url)), Unknown)


async def test_a_slow_answer_is_unknown(calendars: Calendars) -> None:
    async with raw_server(answers(success(a_row()), slowly=5.0)) as server:
        unknown = await create(calendars(server.url, attempt_seconds=0.1))

    assert isinstance(unknown, Unknown)
    assert "timeout" == unknown.reason


async def test_a_page_of_a_proxy_is_unknown(calendars: Calendars) -> None:
    async with raw_server(answers(response(502, b"<html><h1>502</h1></html>"))) as server:
        unknown = await create(calendars(server.url))

    assert isinstance(unknown, Unknown)
    assert "http_502" == unknown.reason


async def test_a_redirect_is_not_followed(calendars: Calendars) -> None:
    async with raw_server(answers(response(307, b"", headers="Location: /v2/elsewhere\r\n"))) as server:
        assert isinstance(await create(calendars(server.url)), Unknown)

    assert 1 == len(server.requests)


async def test_cookies_are_neither_kept_nor_sent(calendars: Calendars) -> None:
    body = orjson.dumps({"status": "success", "data": a_row()})
    async with raw_server(answers(response(201, body, headers="Set-Cookie: session=1\r\n"))) as server:
        kept = calendars(server.url)
        await create(kept)
        await create(kept)

    assert b"cookie" not in server.requests[1].lower()


async def test_proxies_of_the_environment_are_not_used(calendars: Calendars, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with raw_server(answers(success(a_row()))) as server:
        assert isinstance(await create(calendars(server.url)), Made)


async def test_a_refused_connection_sent_nothing(calendars: Calendars) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    not_sent = await create(calendars(f"http://127.0.0.1:{port}"))

    assert isinstance(not_sent, NotSent)
    assert ("unreachable", False) == (not_sent.reason, not_sent.defer)


async def test_a_name_that_does_not_resolve_sent_nothing(calendars: Calendars) -> None:
    not_sent = await create(calendars("http://calcom.invalid"))

    assert isinstance(not_sent, NotSent)


async def test_a_host_that_does_not_answer_the_knock_gets_nothing(calendars: Calendars) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with socket.create_connection(deaf.getsockname()), socket.socket() as second:
            # The queue of the listener is full now, so no further connection is made.
            second.setblocking(False)
            second.connect_ex(deaf.getsockname())
            not_sent = await create(calendars(url), send_within=0.2)

    assert isinstance(not_sent, NotSent)
    assert "send_by_passed" == not_sent.reason


async def test_who_waits_too_long_for_a_free_connection_sends_nothing(calendars: Calendars) -> None:
    async with raw_server(answers(success(a_row()), slowly=0.5)) as server:
        crowded = calendars(server.url, max_connections=1)
        first = asyncio.create_task(create(crowded))
        await asyncio.sleep(0.1)

        assert isinstance(await create(crowded, send_within=0.1), NotSent)
        assert isinstance(await first, Made)

    assert 1 == len(server.requests)


async def test_a_caller_who_gives_up_leaves_no_connection_behind(calendars: Calendars) -> None:
    async with raw_server(answers(success(a_row()), slowly=0.3)) as server:
        crowded = calendars(server.url, max_connections=1)
        task = asyncio.create_task(create(crowded))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert isinstance(await create(crowded), Made)


class Crash(BaseException):
    """
    What a probe of the crash tests raises.
    """


@pytest.mark.parametrize("error", [Crash, LookupError])
@pytest.mark.parametrize("op", ["create.before", "create.after"])
async def test_what_a_probe_raises_comes_through(calendars: Calendars, error: type[BaseException], op: str) -> None:
    def crash(point: str) -> None:
        if point == f"calcom.{op}":
            raise error

    async with raw_server(answers(success(a_row()))) as server:
        with pytest.raises(error):
            await create(calendars(server.url, probe=crash))

    assert (op == "create.after") == bool(server.requests)


STOPPED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime, timedelta
from tests.integration.calcom.conftest import SystemClock
from tests.unit.adapters.calcom.building import ATTEMPT, a_booking
from adapters.calcom.calendars import CalComCalendars

async def key(_):
    return "cal_owner"

def probe(point):
    if point == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGSTOP)

async def main():
    calendars = CalComCalendars(base_url=sys.argv[1], api_key_of=key, clock=SystemClock(), send_seconds=60,
        probe=probe)
    outcome = await (await calendars.of("acme")).create(
        a_booking(), attempt_id=ATTEMPT, send_by=datetime.now(UTC) + timedelta(seconds=float(sys.argv[2])))
    print(type(outcome).__name__, getattr(outcome, "reason", ""))
    await calendars.aclose()

asyncio.run(main())
"""


@pytest.mark.parametrize("point", ["calcom.create.announced", "calcom.create.before"])
@pytest.mark.parametrize(
    ("send_within", "expected", "requests"), [(0.5, "NotSent send_by_passed", 0), (60.0, "Made", 1)]
)
async def test_a_process_stopped_before_the_write_sends_nothing_late(
    send_within: float, expected: str, requests: int, point: str
) -> None:
    async with raw_server(answers(success(a_row()))) as server:
        process = subprocess.Popen(  # noqa: ASYNC220 - asyncio does not tell of a child that stops
            [sys.executable, "-c", STOPPED, server.url, str(send_within), point], stdout=subprocess.PIPE, cwd=ROOT
        )
        try:
            await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WSTOPPED)
            await asyncio.sleep(0.7)
            process.send_signal(signal.SIGCONT)
            printed, _ = await asyncio.to_thread(process.communicate, timeout=20)
        finally:
            process.kill()
            process.wait()

    assert expected == printed.decode().splitlines()[-1].strip()
    assert requests == len(server.requests)


async def test_a_server_with_a_certificate_of_its_own_gets_nothing(calendars: Calendars, tmp_path: Path) -> None:
    async with raw_server(answers(success(a_row())), tls=self_signed(tmp_path)) as server:
        not_sent = await create(calendars(server.url))

    assert isinstance(not_sent, NotSent)
    assert "unreachable" == not_sent.reason
    assert [] == server.requests


async def test_the_kernel_drops_what_nobody_acknowledges_in_time(calendars: Calendars) -> None:
    async with raw_server(answers(success(a_row()))) as server:
        kept = calendars(server.url, attempt_seconds=1.5)
        await create(kept)
        (pool,) = kept._transport.client.connector._conns.values()  # type: ignore[attr-defined]
        made = [connection.transport.get_extra_info("socket") for connection, _ in pool]

        # Linux alone can be told so; elsewhere it is enough that the connection is made and kept.
        option = getattr(socket, "TCP_USER_TIMEOUT", None)
        told = [1500 if option is None else it.getsockopt(socket.IPPROTO_TCP, option) for it in made]
        assert [1500] == told
