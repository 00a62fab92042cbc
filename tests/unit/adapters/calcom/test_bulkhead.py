"""
Calls to Cal.com beyond those that it takes at once.
"""

from __future__ import annotations

import asyncio

import httpx

from adapters.breakers.local import LocalBreakers
from adapters.calcom.circuit import CALCOM, Circuit
from adapters.calcom.replies import Answer, Unsent
from adapters.resilience.bulkhead import Bulkhead
from tests.breakers.listening import Heard
from tests.unit.adapters.calcom.building import an_account, succeeds


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
    assert {"me": {"succeeded": 3, "ignored": 1}} == (await breakers.snapshot(CALCOM)).operations
