"""
A defect of ours: a process whose background has died of one ends, and a saga that fails unheard is told of.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from sagas import callers
from tests.integration.system.account import Account
from tests.integration.system.environment import environment
from tests.integration.system.installation import Installation, a_wish, eventually, quick

SLOW = {"kind": "delay", "operation": "create", "seconds": 0.7, "moment": "after"}
"""Cal.com makes the booking, and takes its time to say so."""

DOOMED = """
import sys
from {module} import {name}
from adapters.cli.app import app

async def run(self):
    raise RuntimeError("a defect")

{name}.run = run
app()
"""


@pytest.mark.parametrize(("module", "name"), [("sagas.worker", "Worker"), ("adapters.followers", "Followers")])
@pytest.mark.parametrize("command", [("worker",), ("serve", "--port", "0")])
async def test_a_process_whose_background_has_died_ends(
    sqlite_url: str, account: Account, module: str, name: str, command: tuple[str, ...]
) -> None:
    settings = quick(sqlite_url, account, log_format="json")
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", DOOMED.format(module=module, name=name), *command],
        env={**os.environ, **environment(settings)},
        capture_output=True,
        text=True,
        timeout=90,
    )

    assert 1 == ended.returncode
    critical = [line for line in ended.stderr.splitlines() if '"background.died"' in line]
    assert 1 == len(critical)
    assert '"critical"' in critical[0]


async def test_a_saga_that_fails_once_its_caller_has_left_is_told_of(
    database_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Installation(settings=quick(database_url, account))
    await here.define(account.event_type())
    account.breaks_always(SLOW)

    def trip(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    said: list[str] = []
    monkeypatch.setattr(callers.log, "error", lambda event, **_: said.append(event))
    monkeypatch.setattr("sagas.recording.record_create", trip)
    async with here.opened(background=False) as app:
        await app.orchestrator.book(a_wish(), patience=0)
        await eventually(said, "the failure is in the log")

    assert ["orchestrator.saga.crashed"] == said
