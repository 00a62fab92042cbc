"""
A sweep is in no hurry: each of its requests waits for its turn, and none is made from what is kept for looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

import httpx
import pytest

from adapters.calcom.calendar import CalComCalendar
from adapters.calcom.rate_limit import BLOCK_SECONDS
from adapters.pace import SteadyPace
from sagas.outcomes import Looked, LookFailed, Sighted, Sightings, Standing, Trace, TraceFailed
from tests.fakes.time import FakeClock, run_virtually
from tests.unit.adapters.calcom.building import (
    ATTEMPT,
    NOW,
    Account,
    Handler,
    ScriptedCalCom,
    a_booking,
    a_look,
    a_row,
    lists,
    refuses,
    succeeds,
)

T = TypeVar("T")
TURN = 12.0
"""Longer than all requests of a sweep may take."""
PER_MINUTE = 60 / TURN
TOTAL = 5.0


@dataclass
class Stage:
    """
    A Cal.com that takes `seconds` for each answer, and notes when it was asked for what.
    """

    answer: Handler
    seconds: float = 0.0
    clock: FakeClock = field(default_factory=FakeClock)
    asked: list[tuple[str, float]] = field(default_factory=list)

    def run(self, work: Callable[[CalComCalendar], Awaitable[T]]) -> T:
        async def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append((request.url.path, self.clock.seconds))
            await asyncio.sleep(self.seconds)
            answered = self.answer(request)
            assert isinstance(answered, httpx.Response)
            return answered

        async def main() -> T:
            account = Account(ScriptedCalCom(handle), total_seconds=TOTAL)
            return await work(await account.calendars().of("acme"))

        return run_virtually(main(), self.clock)

    @property
    def waits(self) -> list[float]:
        moments = [moment for _, moment in self.asked]
        return [round(after - before, 3) for before, after in pairwise(moments)]


@pytest.fixture(autouse=True)
def _virtual_rate_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.calcom.calendars.time.monotonic", lambda: asyncio.get_running_loop().time())


def _event_type(*pages: Handler, **headers: str) -> Handler:
    """
    Answer the list of changes with one page after the other, the other list with nothing, and let the key see.
    """
    left = list(pages)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/v2/event-types/"):
            chosen = succeeds({"id": 1})
        else:
            chosen = left.pop(0) if left and "afterUpdatedAt" in request.url.params else lists()
        answered = chosen(request)
        assert isinstance(answered, httpx.Response)
        answered.headers.update(headers)
        return answered

    return answer


def _pages(number: int) -> list[Handler]:
    rows = [
        a_row(f"uid{page}", updatedAt=f"2026-11-22T11:{page:02}:00.000Z", createdAt=f"2026-11-22T11:{page:02}:00.000Z")
        for page in range(number)
    ]
    return [lists(row, has_next=row is not rows[-1]) for row in rows]


async def _sweep(calendar: CalComCalendar) -> Sightings:
    pace = SteadyPace(per_minute=PER_MINUTE)
    return await calendar.sightings(1, changed_since=NOW - timedelta(hours=1), starting_after=NOW, pace=pace)


async def _trace(calendar: CalComCalendar) -> Trace:
    return await calendar.trace("uid1", pace=SteadyPace(per_minute=PER_MINUTE))


def test_each_request_of_a_sweep_waits_for_its_turn_however_long_that_takes() -> None:
    stage = Stage(_event_type(*_pages(4)))

    swept = stage.run(_sweep)

    assert isinstance(swept, Sighted)
    assert 4 == len(swept.seen)
    # Four pages of one list, one of the other, and whether the key sees the event type.
    assert ([TURN] * 5, "/v2/event-types/1") == (stage.waits, stage.asked[-1][0])


def test_each_request_of_a_trace_waits_for_its_turn() -> None:
    moved = {
        "uid1": succeeds(a_row("uid1", status="cancelled", rescheduledToUid="uid2")),
        "uid2": succeeds(a_row("uid2", status="cancelled", rescheduledFromUid="uid1", rescheduledToUid="uid3")),
        "uid3": succeeds(a_row("uid3", rescheduledFromUid="uid2")),
    }
    stage = Stage(lambda request: moved[request.url.path.rsplit("/", 1)[1]](request))

    traced = stage.run(_trace)

    assert isinstance(traced, Standing)
    assert ([TURN] * (len(stage.asked) - 1), "uid3") == (stage.waits, traced.uid)
    assert len(stage.asked) >= 3


def test_a_trace_that_nobody_paces_waits_for_nothing() -> None:
    stage = Stage(succeeds(a_row("uid1", rescheduledFromUid="uid0")))
    stage.run(lambda calendar: calendar.trace("uid1"))

    assert set(stage.waits) <= {0.0}


@pytest.mark.parametrize(
    ("work", "failed"),
    [
        (_sweep, LookFailed(started_at=NOW, reason="timeout")),
        (_trace, TraceFailed(reason="timeout")),
    ],
)
def test_what_the_requests_themselves_take_is_limited(
    work: Callable[[CalComCalendar], Awaitable[object]], failed: object
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "uid" not in request.url.path:
            return _event_type(*_pages(1))(request)  # type: ignore[return-value]
        number = int(request.url.path.rpartition("uid")[2])
        told = succeeds(a_row(f"uid{number}", status="cancelled", rescheduledToUid=f"uid{number + 1}"))(request)
        assert isinstance(told, httpx.Response)
        return told

    stage = Stage(answer, seconds=1.8)

    assert failed == stage.run(work)
    assert (3, [TURN] * 2) == (len(stage.asked), stage.waits)


def test_a_sweep_leaves_alone_what_is_kept_for_looks_and_goes_on_in_the_next_window() -> None:
    headers = {"X-RateLimit-Limit-default": "120", "X-RateLimit-Remaining-default": "12"}
    headers["X-RateLimit-Reset-default"] = "30"
    stage = Stage(_event_type(**headers))

    async def look_and_sweep(calendar: CalComCalendar) -> Sightings:
        looked = await calendar.look(a_booking(), a_look(ATTEMPT))
        assert isinstance(looked, Looked)
        return await _sweep(calendar)

    assert isinstance(stage.run(look_and_sweep), Sighted)
    # The look takes two requests at once. Each request of the sweep finds the window as good as used up.
    assert [0.0, 30.0, 30.0, 30.0] == stage.waits


def test_a_sweep_waits_for_the_end_of_a_block_once() -> None:
    stage = Stage(
        refuses(429, "ThrottlerException", "CustomThrottlerGuard - Too many requests. Please try again later.")
    )

    async def twice(calendar: CalComCalendar) -> list[Sightings]:
        return [await _sweep(calendar) for _ in range(2)]

    assert {"rate_limited"} == {one.reason for one in stage.run(twice) if isinstance(one, LookFailed)}
    assert [BLOCK_SECONDS] == stage.waits
