"""
Tokens of the fleet's buckets, fetched by the handful, so that few requests wait for Redis (ADR-023).

A process holds at most one handful of each bucket. So in any span of `t` seconds a fleet of `n` processes lets no more
than `burst + per_second * t + n * handful` requests through.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TypeAlias

import structlog

from adapters.fair_timeout import fair_timeout
from adapters.left_alone import REST_SECONDS, LeftAlone
from adapters.limits.local import MOST_BUCKETS, LocalLimiter
from adapters.limits.ports import Bucket, Exceeded, Grant, Limits, Names, RateLimit, SharedTokens, SharedTokensAway

HANDFULS = 10
"""How many handfuls make a bucket."""

_Answer: TypeAlias = "asyncio.Future[float | None]"
"""In how many seconds there is a token, 0 for one that was granted; None if nobody can say."""
_log = structlog.get_logger("calsaga.limits")


def handful(limit: RateLimit) -> int:
    """Return how many tokens are fetched at once; of a small bucket one, which makes its limit exact."""
    return max(limit.burst // HANDFULS, 1)


@dataclass(slots=True)
class _Hand:
    """What this process holds of a bucket, or until when there is nothing to be had."""

    tokens: int = 0
    empty_until: float = 0.0


class LeasingLimiter:
    """
    Counts the requests of a fleet; while the shared buckets are away, those of this process alone.

    A caller waits `within` seconds at most, and only if no token is at hand. `alone` is given 1 while the process
    decides alone.
    """

    def __init__(
        self,
        limits: Limits,
        shared: SharedTokens,
        *,
        within: float,
        rest: float = REST_SECONDS,
        alone: Callable[[int], None] = lambda _alone: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._limits = limits
        self._shared = shared
        self._local = LocalLimiter(limits, clock=clock)
        self._within = within
        self._alone = alone
        self._clock = clock
        self._hands: dict[Bucket, _Hand] = {}
        self._asked: dict[Bucket, list[_Answer]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._left_alone = LeftAlone(rest=rest, clock=clock)

    async def take(self, names: Names) -> Exceeded | None:
        """Take a token out of each bucket of whoever asks, or tell why not."""
        if not self._left_alone.may_try():
            return self._local.take_now(names)
        buckets: list[Bucket] = [(kind, names[kind]) for kind in self._limits]
        # Before anything is spent: a flood costs neither tokens of its other bucket nor a word to Redis.
        exceeded = self._known_empty(buckets)
        if exceeded is not None:
            return exceeded
        missing = [bucket for bucket in buckets if not self._spend(bucket)]
        if not missing:
            return None
        waits = dict.fromkeys(buckets, 0.0) | dict(zip(missing, await self._ask(missing), strict=True))
        short = {bucket: wait for bucket, wait in waits.items() if wait != 0}
        if not short:
            return None
        for bucket in waits.keys() - short.keys():
            self._put_back(bucket)
        told = [self._exceeded(bucket, wait) for bucket, wait in short.items() if wait is not None]
        return told[0] if told else self._local.take_now(names)

    def _known_empty(self, buckets: Sequence[Bucket]) -> Exceeded | None:
        for bucket in buckets:
            hand = self._hands.get(bucket)
            if hand is not None and not hand.tokens and (wait := hand.empty_until - self._clock()) > 0:
                return self._exceeded(bucket, wait)
        return None

    def _exceeded(self, bucket: Bucket, wait: float) -> Exceeded:
        return Exceeded(kind=bucket[0], limit=self._limits[bucket[0]], wait=wait)

    def _spend(self, bucket: Bucket) -> bool:
        hand = self._hands.get(bucket)
        if hand is None or not hand.tokens:
            return False
        hand.tokens -= 1
        return True

    def _put_back(self, bucket: Bucket, tokens: int = 1) -> _Hand:
        if bucket not in self._hands and len(self._hands) >= MOST_BUCKETS:
            # What was in hand is lost, which lets fewer through, never more.
            self._hands.clear()
        hand = self._hands.setdefault(bucket, _Hand())
        hand.tokens = min(hand.tokens + tokens, handful(self._limits[bucket[0]]))
        return hand

    async def _ask(self, buckets: Sequence[Bucket]) -> list[float | None]:
        """Have a token of each bucket fetched, together with whatever else is asked for meanwhile."""
        loop = asyncio.get_running_loop()
        answers: list[_Answer] = [loop.create_future() for _ in buckets]
        for bucket, answer in zip(buckets, answers, strict=True):
            self._asked.setdefault(bucket, []).append(answer)
        if self._asking is None:
            self._asking = loop.create_task(self._fetch(), name="rate limits")
        try:
            async with fair_timeout(self._within):
                return [await answer for answer in answers]
        except TimeoutError:
            return [None] * len(answers)
        finally:
            for answer in answers:
                answer.cancel()

    async def _fetch(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, {}
                try:
                    await self._fetch_for(asked)
                finally:
                    _tell([answer for answers in asked.values() for answer in answers], None)
        finally:
            self._asking = None

    async def _fetch_for(self, asked: dict[Bucket, list[_Answer]]) -> None:
        wanted = [(bucket, max(len(answers), handful(self._limits[bucket[0]]))) for bucket, answers in asked.items()]
        try:
            grants = await self._shared.lease(wanted)
        except SharedTokensAway as error:
            self._degrade(error)
            # Whoever has come meanwhile is not kept waiting for the same.
            late, self._asked = self._asked, {}
            _tell([answer for answers in late.values() for answer in answers], None)
            return
        self._recover()
        for (bucket, count), grant in zip(wanted, grants, strict=True):
            self._hand_out(bucket, asked[bucket], grant, short=grant.tokens < count)

    def _hand_out(self, bucket: Bucket, answers: Sequence[_Answer], grant: Grant, *, short: bool) -> None:
        waiting = [answer for answer in answers if not answer.done()]
        _tell(waiting[: grant.tokens], 0.0)
        _tell(waiting[grant.tokens :], grant.wait)
        hand = self._put_back(bucket, tokens=max(grant.tokens - len(waiting), 0))
        if short:
            hand.empty_until = self._clock() + grant.wait

    def _degrade(self, error: SharedTokensAway) -> None:
        if self._left_alone.lost():
            self._alone(1)
            _log.warning("rate_limits.shared.lost", reason=str(error))
        # Whoever tries again must have a reason to ask.
        self._hands.clear()

    def _recover(self) -> None:
        if self._left_alone.found():
            self._alone(0)
            _log.info("rate_limits.shared.recovered")


def _tell(answers: Sequence[_Answer], wait: float | None) -> None:
    for answer in answers:
        # Whoever asked may have gone away meanwhile.
        if not answer.done():
            answer.set_result(wait)
