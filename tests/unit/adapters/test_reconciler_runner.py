"""
The reconciler on a schedule: it goes on whatever one round came to, and says what it has found.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.reconciling import ReconcilerRunner
from domain.errors import AppointmentDatabaseError
from sagas.reconciling import Finding, Sweep

FINDING = Finding(company_id="acme", uid="uid-1", kind="ghost", repair="look", evidence="gone", booking_id=None)
DIFFERS = Sweep(company_id="acme", event_type_id=1, seen=3, findings=(FINDING,))
BLIND = Sweep(company_id="acme", event_type_id=2, seen=0, findings=(), problem="http_502")


class _Reconciler:
    """
    Comes to one thing after the other, and tells when it has come to all.
    """

    def __init__(self, *rounds: Sequence[Sweep] | Exception) -> None:
        self.rounds = list(rounds)
        self.over = asyncio.Event()

    async def reconcile(self) -> Sequence[Sweep]:
        came_to = self.rounds.pop(0)
        if not self.rounds:
            self.over.set()
        if isinstance(came_to, Exception):
            raise came_to
        return came_to


class _Store:
    engine: Any = None


async def _run(reconciler: Any) -> None:  # noqa: ANN401 - a reconciler that is none
    runner = ReconcilerRunner(reconciler, _Store(), seconds=0.001)  # type: ignore[arg-type]
    running = asyncio.create_task(runner.run())
    async with asyncio.timeout(5):
        await reconciler.over.wait()
    await runner.stop()
    await running


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """
    Whether it is this process's turn; always, once these are used up.
    """
    given: list[bool] = []

    @asynccontextmanager
    async def turn(_: object, __: str) -> AsyncIterator[bool]:
        yield given.pop(0) if given else True

    monkeypatch.setattr("adapters.reconciling.turn", turn)
    return given


async def test_what_is_found_and_what_could_not_be_seen_is_logged(
    turns: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    await _run(_Reconciler([DIFFERS, BLIND]))

    assert ["reconciler.difference.found", "reconciler.sweep.failed"] == caplog.messages
    assert "uid-1" == caplog.records[0].uid  # type: ignore[attr-defined]


async def test_a_round_that_fails_is_logged_and_followed_by_another(
    turns: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    away = AppointmentDatabaseError("away", kind="connection_lost")

    with caplog.at_level(logging.WARNING):
        await _run(_Reconciler(away, ZeroDivisionError(), [], [DIFFERS]))

    assert ["reconciler.left", "reconciler.crashed", "reconciler.difference.found"] == caplog.messages


async def test_whoever_has_not_the_turn_leaves_it_to_others(turns: list[bool]) -> None:
    turns.extend([False, False])
    reconciler = _Reconciler([])
    await _run(reconciler)

    assert [] == turns


async def test_it_ends_in_the_middle_of_a_pause(turns: list[bool]) -> None:
    runner = ReconcilerRunner(_Reconciler([]), _Store(), seconds=3600)  # type: ignore[arg-type]
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(0)
    await runner.stop()

    async with asyncio.timeout(1):
        await running
