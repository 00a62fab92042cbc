"""
A company that asks for too much, of servers in processes of their own, and another one beside it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from adapters.bootstrap import application
from adapters.limits.leasing import handful
from adapters.limits.ports import RateLimit
from adapters.settings import Settings
from tests.integration.system.installation import eventually
from tests.integration.web.server_process import ServerProcess

LIMIT = RateLimit(per_second=5, burst=40)
RATE = {"api_rate_per_second": "5", "api_rate_burst": "40"}
PROCESSES = 2
# On a busy machine an answer of Redis takes longer than the 50 ms after which a process would decide alone, as
# `test_a_fleet_without_redis_counts_by_the_process` has it do.
PATIENT_WITH_REDIS = {"redis_seconds": "30"}

# Which database it is makes no difference.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Caller:
    """
    A company's program, with its key at both servers.
    """

    servers: list[httpx.AsyncClient]
    answers: list[httpx.Response] = field(default_factory=list)

    async def ask(self, turn: int) -> httpx.Response:
        answer = await self.servers[turn % len(self.servers)].get("/api/bookings")
        self.answers.append(answer)
        return answer

    @property
    def refused_by(self) -> set[httpx.URL]:
        return {answer.request.url for answer in self.answers if answer.status_code == 429}

    @property
    def statuses(self) -> Counter[int]:
        return Counter(answer.status_code for answer in self.answers)


@asynccontextmanager
async def two_servers(settings: Settings, **more: str) -> AsyncIterator[tuple[Caller, Caller]]:
    async with application(settings, background=False) as opened:
        keys = [
            (await opened.directory.keys.create(company_id=company, scopes=["bookings:read"]))[1]
            for company in ("greedy", "modest")
        ]
    async with AsyncExitStack() as stack:
        given: dict[str, Any] = {
            "database_url": settings.database_url,
            "calcom_base_url": settings.calcom_base_url,
            **RATE,
            **more,
        }
        urls = [stack.enter_context(ServerProcess(**given)).url for _ in range(PROCESSES)]
        callers = [
            Caller(
                [
                    await stack.enter_async_context(
                        httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)
                    )
                    for url in urls
                ]
            )
            for key in keys
        ]
        yield callers[0], callers[1]


async def flood(greedy: Caller, modest: Caller) -> float:
    """
    Have one company ask without end from 24 connections while the other asks 30 times; return how many seconds it took.
    """
    over = asyncio.Event()

    async def ask_without_end(turn: int) -> None:
        while not over.is_set():
            await greedy.ask(turn)

    began = time.monotonic()
    asking = [asyncio.create_task(ask_without_end(turn)) for turn in range(24)]
    await eventually(lambda: _is_refused_everywhere(greedy), "the flood has come up against its limit at each server")
    for turn in range(30):
        await modest.ask(turn)
    over.set()
    await asyncio.gather(*asking)
    return time.monotonic() - began


async def _is_refused_everywhere(caller: Caller) -> bool:
    return len(caller.refused_by) == PROCESSES


async def test_one_companys_flood_is_its_own_affair(app_settings: Settings, redis_url: str) -> None:
    async with two_servers(app_settings, redis_url=redis_url, **PATIENT_WITH_REDIS) as (greedy, modest):
        took = await flood(greedy, modest)

    assert {200: 30} == modest.statuses
    assert {200, 429} == set(greedy.statuses)
    assert greedy.statuses[200] <= LIMIT.burst + LIMIT.per_second * took + PROCESSES * handful(LIMIT)
    refused = next(answer for answer in greedy.answers if answer.status_code == 429)
    assert 1 == int(refused.headers["Retry-After"])


async def test_a_fleet_without_redis_counts_by_the_process(app_settings: Settings) -> None:
    async with two_servers(app_settings) as (greedy, modest):
        took = await flood(greedy, modest)

    assert {200: 30} == modest.statuses
    assert (
        PROCESSES * LIMIT.burst
        <= greedy.statuses[200]
        <= math.ceil(PROCESSES * (LIMIT.burst + LIMIT.per_second * took))
    )


async def test_a_key_may_have_less_than_its_company(app_settings: Settings, redis_url: str) -> None:
    limits = {**PATIENT_WITH_REDIS, "api_key_rate_burst": "3"}
    async with two_servers(app_settings, redis_url=redis_url, **limits) as (greedy, modest):
        for turn in range(10):
            await greedy.ask(turn)
        await modest.ask(0)

    assert 3 <= greedy.statuses[200] <= 5
    assert '"key";q=3;w=1' == greedy.answers[-1].headers["RateLimit-Policy"]
    assert {200: 1} == modest.statuses
