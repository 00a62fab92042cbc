"""
The reconciler on a schedule: it goes on whatever one round came to, and says what it has found.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from adapters.reconciling import ReconcilerRunner
from domain.errors import AppointmentDatabaseError
from sagas.reconciling import Finding, Sweep

FINDING = Finding(company_id="acme", uid="uid-1", kind="ghost", repair="look", evidence="gone", booking_id=None)
DIFFERS = Sweep(company_id="acme", event_type_id=1, seen=3, findings=(FINDING,))
AWAY = AppointmentDatabaseError("away", kind="connection_lost")
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


class _Passes:
    """
    Passes of which some are for others, or cannot be noted; all others are ours. None can be noted twice.
    """

    def __init__(self, *given: bool | Exception, pause: timedelta | Exception = timedelta(0)) -> None:
        self.given = list(given)
        self.pause = pause
        self.going_on = asyncio.Queue[None]()

    async def begin(self, *, every: timedelta) -> bool:
        mine = self.given.pop(0) if self.given else True
        if isinstance(mine, Exception):
            raise mine
        return mine

    async def go_on(self) -> None:
        self.going_on.put_nowait(None)
        raise AWAY

    async def until_next(self, *, every: timedelta) -> timedelta:
        if isinstance(self.pause, Exception):
            raise self.pause
        return self.pause


async def _run(reconciler: Any, passes: _Passes | None = None) -> None:  # noqa: ANN401 - a reconciler that is none
    runner = _runner(reconciler, passes or _Passes())
    running = asyncio.create_task(runner.run())
    async with asyncio.timeout(5):
        await reconciler.over.wait()
    await runner.stop()
    await running


def _runner(reconciler: Any, passes: _Passes, *, seconds: float = 0.001) -> ReconcilerRunner:  # noqa: ANN401 - as above
    return ReconcilerRunner(reconciler, passes, seconds=seconds)  # type: ignore[arg-type]


async def test_what_is_found_and_what_could_not_be_seen_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    await _run(_Reconciler([DIFFERS, BLIND]))

    assert ["reconciler.difference.found", "reconciler.sweep.failed"] == caplog.messages
    assert "uid-1" == caplog.records[0].uid  # type: ignore[attr-defined]


async def test_a_round_that_fails_is_logged_and_followed_by_another(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        await _run(_Reconciler(AWAY, ZeroDivisionError(), [], [DIFFERS]))

    assert ["reconciler.left", "reconciler.crashed", "reconciler.difference.found"] == caplog.messages


async def test_a_pass_that_somebody_else_has_made_is_left_to_them() -> None:
    passes = _Passes(False, False)
    await _run(_Reconciler([]), passes)

    assert [] == passes.given


async def test_a_pass_that_cannot_be_noted_is_not_made(caplog: pytest.LogCaptureFixture) -> None:
    passes = _Passes(AWAY, pause=AWAY)
    await _run(_Reconciler([]), passes)

    assert (["reconciler.left"], []) == (caplog.messages, passes.given)


async def test_a_pass_is_noted_again_as_long_as_it_is_under_way_even_if_a_note_fails() -> None:
    passes = _Passes()

    class _Long(_Reconciler):
        noted = 0

        async def reconcile(self) -> Sequence[Sweep]:
            while self.noted < 3:
                await passes.going_on.get()
                self.noted += 1
            return await super().reconcile()

    reconciler = _Long([])
    await _run(reconciler, passes)

    assert 3 == reconciler.noted


async def test_it_ends_in_the_middle_of_a_pause() -> None:
    runner = _runner(_Reconciler([]), _Passes(pause=timedelta(hours=1)), seconds=3600)
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(0)
    await runner.stop()

    async with asyncio.timeout(1):
        await running
