"""
Calls to Cal.com beyond those that it takes at once.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx

from adapters.breakers.local import LocalBreakers
from adapters.calcom.circuit import CALCOM, Circuit
from adapters.calcom.replies import Answer, Unsent
from adapters.resilience.bulkhead import Bulkhead
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command
from sagas.outcomes import NotSent
from tests.breakers.listening import Heard
from tests.fakes.time import FakeClock, run_virtually
from tests.unit.adapters.calcom.building import ATTEMPT, NOW, Account, a_booking, an_account, succeeds


async def test_who_finds_no_connection_has_not_sent_anything_and_blames_nobody() -> None:
    gate, answer = asyncio.Event(), succeeds({"id": 9})

    async def slow(request: httpx.Request) -> httpx.Response:
        await gate.wait()
        return answer(request)  # type: ignore[return-value]

    account = an_account(slow)
    breakers = LocalBreakers({}, listener=Heard())
    account.circuit = Circuit(breakers)
    calendars = account.calendars()
    calendars.bulkhead = Bulkhead("Cal.com", at_once=2, in_line=1, patience=30)
    calendar = await calendars.of("acme")
    pings = [asyncio.create_task(calendar.ping()) for _ in range(4)]
    done, _ = await asyncio.wait(pings, return_when=asyncio.FIRST_COMPLETED)
    refused = [one.result() for one in done]
    full = calendars.bulkhead.state
    gate.set()
    replies = await asyncio.gather(*pings)

    assert [("bulkhead_full", True)] == [(one.reason, one.defer) for one in refused if isinstance(one, Unsent)]
    assert (2, 1, 1) == (full.in_use, full.waiting, full.timeouts)
    assert 3 == sum(isinstance(reply, Answer) for reply in replies)
    assert {"me": {"succeeded": 3}} == (await breakers.snapshot(CALCOM)).operations


def queued(account: Account, *, policy: BreakerPolicy) -> tuple[LocalBreakers, list[float | None]]:
    """
    Give an account a breaker on the loop's clock, and return that and how long calls are said to have taken.
    """
    clock = asyncio.get_running_loop().time
    breakers = LocalBreakers({CALCOM: policy}, listener=Heard(), clock=clock)
    took: list[float | None] = []
    account.circuit = Circuit(breakers, count=lambda *told: took.append(told[-1]), clock=clock)
    account.seconds = clock  # type: ignore[assignment]
    return breakers, took


def test_our_own_queue_does_not_make_cal_com_look_slow() -> None:
    async def main() -> None:
        answer = succeeds({"id": 9})

        async def quick(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.05)
            return answer(request)  # type: ignore[return-value]

        account = an_account(quick)
        breakers, took = queued(account, policy=BreakerPolicy(slow_seconds=0.1))
        calendars = account.calendars()
        calendars.bulkhead = Bulkhead("Cal.com", at_once=1, patience=30)
        calendar = await calendars.of("acme")

        replies = await asyncio.gather(*(calendar.ping() for _ in range(40)))

        snapshot = await breakers.snapshot(CALCOM)
        assert 40 == sum(isinstance(reply, Answer) for reply in replies)
        assert ("closed", 0) == (snapshot.state, snapshot.slow)
        assert [0.05] * 40 == [round(seconds or 0, 3) for seconds in took]

    run_virtually(main(), FakeClock())


async def test_who_is_refused_after_the_wait_gives_the_place_back_and_who_would_be_does_not_wait() -> None:
    begun, gate, answer = asyncio.Event(), asyncio.Event(), succeeds({"id": 9})

    async def slow(request: httpx.Request) -> httpx.Response:
        begun.set()
        await gate.wait()
        return answer(request)  # type: ignore[return-value]

    account = an_account(slow)
    breakers = LocalBreakers({}, listener=Heard())
    account.circuit = Circuit(breakers)
    calendars = account.calendars()
    calendars.bulkhead = Bulkhead("Cal.com", at_once=1, patience=30)
    calendar = await calendars.of("acme")
    first = asyncio.create_task(calendar.ping())
    waiting = [asyncio.create_task(calendar.ping()) for _ in range(3)]
    await asyncio.wait_for(begun.wait(), 30)
    for _ in range(10):
        await asyncio.sleep(0)
    assert 3 == calendars.bulkhead.state.waiting
    await breakers.control(CALCOM, Command(action="open", actor="ada", reason="they move house"))
    gate.set()
    refused = await asyncio.gather(*waiting)
    left = calendars.bulkhead.state.in_use

    assert isinstance(await first, Answer)
    assert ["breaker_open"] * 3 == [one.reason for one in refused if isinstance(one, Unsent)]
    assert 0 == left
    # Had it to stand in line, it would be told that there is no place.
    await calendars.bulkhead.enter()
    calendars.bulkhead._patience = 0
    create = await calendar.create(a_booking(), attempt_id=ATTEMPT, send_by=NOW + timedelta(seconds=5))
    assert isinstance(create, NotSent)
    assert "breaker_open" == create.reason
