"""
The sandbox as a process: how it starts, and that nothing keeps it from ending.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from tests.integration.sandbox.client import Client, eventually
from tests.integration.sandbox.sandbox_process import SandboxProcess

HEADERS = {"Authorization": "Bearer cal_owner", "cal-api-version": "2024-08-13"}


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_at_once_with_calls_in_flight(ending: signal.Signals) -> None:
    with SandboxProcess() as sandbox:
        async with httpx.AsyncClient(base_url=sandbox.url, headers=HEADERS) as http:
            client = Client(http)
            await client.queue("late_commit_timeout", seconds=60)
            held = asyncio.create_task(client.book())
            await eventually(lambda: is_held(client))
            sandbox.process.send_signal(ending)

            assert 0 == await asyncio.to_thread(sandbox.process.wait, 2)
            with pytest.raises(httpx.TransportError):
                await held


async def test_a_profile_comes_from_a_file_and_the_limit_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_bytes(orjson.dumps({"seed": 1, "faults": [{"kind": "error_before_commit", "operation": "create"}]}))
    with SandboxProcess("--faults", str(file), "--rate-limit", "7") as sandbox:
        async with httpx.AsyncClient(base_url=sandbox.url, headers=HEADERS) as http:
            answer = await Client(http).book()

    assert (500, "7") == (answer.status_code, answer.headers["X-RateLimit-Limit-Default"])


def test_an_unknown_profile_is_a_wrong_usage() -> None:
    command = [sys.executable, "-m", "adapters.sandbox", "--faults", "tempest"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)

    assert 2 == finished.returncode
    assert "tempest is neither a file nor one of none, default, storm" in finished.stderr


def test_it_tells_a_descriptor_when_it_listens() -> None:
    readable, writable = os.pipe()
    code = (
        "from adapters.sandbox.server import run; from adapters.sandbox.faults import Profile; "
        f"run(host='127.0.0.1', port=0, faults=Profile(), rate_limit=0, ready_fd={writable})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], pass_fds=[writable], stdout=subprocess.DEVNULL)
    os.close(writable)
    with os.fdopen(readable, "rb") as ready:
        address = urlsplit(orjson.loads(ready.read())["url"])

    socket.create_connection((address.hostname, address.port), timeout=2).close()
    process.terminate()
    assert 0 == process.wait(2)


async def is_held(client: Client) -> bool:
    return bool((await client.stats())["late_commits_to_come"])
