"""Buckets of tokens in Redis, one for all processes, emptied by `tokens.lua` by Redis's own clock."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from redis.asyncio import Redis

from adapters.fair_timeout import fair_timeout
from adapters.limits.ports import Bucket, Grant, Limits, SharedTokensAway

KEYS = "rate_limit:"
_MICROSECONDS = 1_000_000


@cache
def script() -> str:
    """Return the script that runs in Redis."""
    return Path(__file__).with_name("tokens.lua").read_text(encoding="utf-8")


class RedisTokens:
    """The buckets of a fleet; whoever asks waits `limit` seconds for Redis at most."""

    def __init__(self, client: Redis, limits: Limits, *, limit: float) -> None:
        self._run = client.register_script(script())
        self._limit = limit
        self._times = {
            kind: (_MICROSECONDS / one.per_second, _MICROSECONDS / one.per_second * one.burst)
            for kind, one in limits.items()
        }

    async def lease(self, wanted: Sequence[tuple[Bucket, int]]) -> Sequence[Grant]:
        """
        Take so many tokens, or as many as there are, out of each bucket.

        Raises:
            SharedTokensAway: Redis did not answer in time, and may have given the tokens or not.

        """
        keys = [f"{KEYS}{kind}:{whose}" for (kind, whose), _ in wanted]
        args = [figure for (kind, _), tokens in wanted for figure in (*self._times[kind], tokens)]
        try:
            async with fair_timeout(self._limit):
                flat = await self._run(keys=keys, args=args)
            told = [int(figure) for figure in flat]
        except Exception as error:
            # What a broken server, or a foreign value under our keys, makes the client raise has no common name.
            raise SharedTokensAway(f"{type(error).__name__}: {error}") from error
        return [
            Grant(tokens=tokens, wait=wait / _MICROSECONDS) for tokens, wait in zip(told[::2], told[1::2], strict=True)
        ]
