"""
Tokens by the handful: who waits, who is refused without asking, and what becomes of tokens that nobody takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from adapters.limits.leasing import LeasingLimiter, handful
from adapters.limits.ports import Bucket, Exceeded, Grant, Limits, Names, RateLimit, SharedTokensAway

HERE: Names = {"key": "k", "company": "acme"}
COMPANY: Limits = {"company": RateLimit(per_second=10, burst=50)}
BOTH: Limits = {"key": RateLimit(per_second=10, burst=20), **COMPANY}


@dataclass
class Shared:
    """
    A fleet's buckets with `left` tokens each; `away` if nobody answers, `hangs` if nobody answers for long.
    """

    left: dict[str, int]
    away: bool = False
    hangs: bool = False
    asked: list[dict[str, int]] = field(default_factory=list)

    async def lease(self, wanted: Sequence[tuple[Bucket, int]]) -> Sequence[Grant]:
        self.asked.append({kind: count for (kind, _), count in wanted})
        await asyncio.sleep(3600 if self.hangs else 0)
        if self.away:
            raise SharedTokensAway("gone")
        return [self._grant(kind, count) for (kind, _), count in wanted]

    def _grant(self, kind: str, count: int) -> Grant:
        granted = min(self.left[kind], count)
        self.left[kind] -= granted
        return Grant(tokens=granted, wait=0.1)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Process:
    shared: Shared
    limits: Limits = field(default_factory=lambda: COMPANY)
    within: float = 30.0
    alone: list[int] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.limiter = LeasingLimiter(
            self.limits, self.shared, within=self.within, rest=5.0, alone=self.alone.append, clock=self.clock
        )

    async def take(self, times: int = 1) -> list[str | None]:
        answers = [await self.limiter.take(HERE) for _ in range(times)]
        return [None if answer is None else answer.kind for answer in answers]

    async def take_at_once(self, times: int) -> list[Exceeded | None]:
        return await asyncio.gather(*(self.limiter.take(HERE) for _ in range(times)))


async def test_one_request_in_a_handful_asks() -> None:
    process = Process(Shared({"company": 100}))

    assert [None] * 11 == await process.take(11)
    assert [{"company": 5}] * 3 == process.shared.asked


async def test_all_who_come_at_once_ask_once() -> None:
    process = Process(Shared({"company": 100}))

    assert [None] * 30 == await process.take_at_once(30)
    assert [{"company": 30}] == process.shared.asked


async def test_both_buckets_are_asked_in_one_word() -> None:
    process = Process(Shared({"key": 100, "company": 100}), BOTH)
    await process.take()

    assert [{"key": 2, "company": 5}] == process.shared.asked


async def test_a_flood_does_not_ask_again_before_there_can_be_a_token() -> None:
    process = Process(Shared({"company": 3}))
    refused = (await process.take_at_once(10))[3:]
    assert ["company"] * 100 == await process.take(100)
    asked = len(process.shared.asked)
    process.clock.now += 0.11
    process.shared.left["company"] = 1

    assert [None, "company"] == await process.take(2)
    assert all(answer is not None and answer.wait == 0.1 for answer in refused)
    assert [1, 2] == [asked, len(process.shared.asked)]


async def test_a_flood_of_the_company_costs_no_token_of_the_key() -> None:
    process = Process(Shared({"key": 100, "company": 2}), BOTH)
    await process.take(2)

    assert ["company"] * 50 == await process.take(50)
    assert 100 - process.shared.left["key"] <= 4


async def test_the_token_of_one_bucket_is_not_lost_when_the_other_is_empty() -> None:
    process = Process(Shared({"key": 100, "company": 0}), BOTH)
    refused = await process.take()
    process.shared.left["company"] = 100
    others: Names = {"key": "k", "company": "another"}
    answers = [await process.limiter.take(others) for _ in range(2)]

    assert ["company", None, None] == [*refused, *answers]
    assert [{"key": 2, "company": 5}, {"company": 5}] == process.shared.asked


async def test_who_goes_away_leaves_the_token_to_others() -> None:
    process = Process(Shared({"company": 5}))
    gone = asyncio.ensure_future(process.take())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])

    assert [None] * 5 == await process.take(5)


async def test_no_more_than_a_handful_is_kept() -> None:
    process = Process(Shared({"company": 1000}))
    many = [asyncio.ensure_future(process.take()) for _ in range(200)]
    await asyncio.sleep(0)
    for one in many:
        one.cancel()
    await asyncio.wait(many)
    # The tokens that nobody came for are in hand, as far as they fit.
    await process.take(handful(COMPANY["company"]))

    assert 1 == len(process.shared.asked)
    await process.take()
    assert 2 == len(process.shared.asked)


async def test_while_redis_is_away_this_process_counts_alone() -> None:
    process = Process(Shared({"company": 1000}, away=True))

    assert [None] * 50 + ["company"] == await process.take(51)
    assert 1 == len(process.shared.asked)
    process.shared.away = False
    process.clock.now += 5.1
    assert [None] == await process.take()
    assert [1, 0] == process.alone
    assert 2 == len(process.shared.asked)


async def test_one_caller_tries_whether_redis_is_back() -> None:
    process = Process(Shared({"company": 1000}, away=True))
    await process.take()
    process.clock.now += 5.1

    assert [None] * 20 == await process.take_at_once(20)
    assert 2 == len(process.shared.asked)
    assert [1] == process.alone


async def test_nobody_waits_for_long() -> None:
    process = Process(Shared({"company": 1000}, hangs=True), within=0.01)

    assert [None] * 50 + ["company"] * 10 == [answer and answer.kind for answer in await process.take_at_once(60)]


async def test_tokens_of_too_many_buckets_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.limits.leasing.MOST_BUCKETS", 3)
    process = Process(Shared({"company": 1000}))
    for company in "abcd":
        await process.limiter.take({"company": company})

    assert [("company", "d")] == list(process.limiter._hands)
