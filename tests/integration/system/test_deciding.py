"""
What people decide on the command line about what was found, and what becomes of it in the sweeps to come.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any
from uuid import UUID, uuid4

import orjson

from domain.findings import InconsistencyResolved
from tests.integration.system.account import Account
from tests.integration.system.environment import environment
from tests.integration.system.installation import PATIENT, START, Installation, a_wish


async def test_what_a_person_keeps_here_is_not_found_again(installation: Installation, account: Account) -> None:
    await _missed(installation, account)
    (found,) = await _failures(installation)

    wish = ("resolve", found["id"], "--keep-local", "--note", "she knows, and comes")
    code, decided = await _calsaga(installation, "sync-failures", *wish)
    again = [await _calsaga(installation, "reconcile") for _ in range(2)]

    assert ("manual_review", "ghost") == (found["status"], found["failure_type"])
    assert (0, "resolved") == (code, decided["sync_failure"]["status"])
    assert [(0, []), (0, [])] == [(ended, said["sweeps"][0]["findings"]) for ended, said in again]
    (row,) = await _failures(installation)
    assert decided["sync_failure"] == row
    assert ("keep_local", 1) == (row["resolution"], row["attempt_count"])
    assert "she knows, and comes" == await _remark(installation, UUID(row["booking_id"]))
    _, told = await _calsaga(installation, "show", row["booking_id"])
    assert "she knows" not in str(told)


async def test_a_retry_compares_once_more_and_a_wrong_answer_hears_what_fits(
    installation: Installation, account: Account
) -> None:
    event_type = account.event_type()
    await installation.define(event_type)
    forged = {"calsaga_booking_id": str(uuid4()), "calsaga_attempt_id": uuid4().hex}
    uid = account.person_books(event_type, start=START, metadata=forged)
    await _calsaga(installation, "reconcile")
    (found,) = await _failures(installation)

    still = await _calsaga(installation, "sync-failures", "retry", found["id"])
    wrong = await asyncio.to_thread(_ran, installation, "sync-failures", "resolve", found["id"], "--absent")
    account.person_cancels(uid)
    over = await _calsaga(installation, "sync-failures", "retry", found["id"])

    assert [(0, "manual_review"), (0, "resolved")] == [
        (code, decided["sync_failure"]["status"]) for code, decided in (still, over)
    ]
    assert "cancelled" == over[1]["booking"]["status"]
    assert (2, True) == (wrong.returncode, "keep_local fits, and so does a retry" in wrong.stderr)


async def _missed(here: Installation, account: Account) -> None:
    """
    Let Cal.com forget what is booked here, and a sweep miss it.
    """
    event_type = account.event_type()
    await here.define(event_type)
    async with here.opened() as app:
        result = await app.orchestrator.book(a_wish(), patience=PATIENT)
        assert "booked" == result.booking.status.value
    account.forgets_everything()
    account.change(event_type)
    code, _ = await _calsaga(here, "reconcile")
    assert 1 == code


async def _remark(here: Installation, booking_id: UUID) -> str | None:
    async with here.opened(background=False) as app:
        events = [one.event for one in await app.store.log.read(booking_id)]
    (resolved,) = [one for one in events if isinstance(one, InconsistencyResolved)]
    return None if resolved.person is None else resolved.person.reason


async def _failures(here: Installation) -> list[dict[str, Any]]:
    _, listed = await _calsaga(here, "sync-failures", "list")
    found: list[dict[str, Any]] = listed["sync_failures"]
    return found


async def _calsaga(here: Installation, *words: str) -> tuple[int, dict[str, Any]]:
    ended = await asyncio.to_thread(_ran, here, *words, "--json")
    assert ended.stdout, ended.stderr
    return ended.returncode, orjson.loads(ended.stdout)


def _ran(here: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "adapters.cli", *words],
        env={**os.environ, **environment(here.settings), "CALSAGA_RECONCILE_CALLS_PER_MINUTE": "6000"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
