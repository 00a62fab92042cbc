"""
Two tiers of marks: this process in front, Redis behind it where there is one.

    if await marks.seen(f"webhook:{digest}"):
        ...  # very probably a repeat: the database knows for certain
    marks.put(f"webhook:{digest}", word="processed", seconds=KEPT_SECONDS)
"""

from collections.abc import Callable
from uuid import UUID

from adapters.idempotency.process_marks import ProcessMarks
from adapters.metrics import Outcome, Tier
from adapters.redis.errors import RedisAway
from adapters.redis.marks import RedisMarks

KEPT_SECONDS = 24 * 60 * 60.0


class Marks:
    """What was seen lately, here or, with Redis, anywhere."""

    def __init__(
        self, *, redis: RedisMarks | None, count: Callable[[Tier, Outcome], None], process: ProcessMarks | None = None
    ) -> None:
        self._process = process or ProcessMarks()
        self._redis = redis
        self._count = count

    async def seen(self, name: str) -> bool:
        """Tell whether there is a mark; a wrong answer must cost no more than time."""
        known = self._process.has(name)
        self._count("process", "hit" if known else "miss")
        return known or (self._redis is not None and await self._seen_elsewhere(name, self._redis))

    def put(self, name: str, *, word: str, seconds: float) -> None:
        """Leave a mark; `word` is for people who look into Redis."""
        self._process.put(name, seconds=seconds)
        if self._redis is not None:
            self._redis.put(name, word=word, seconds=seconds)

    def announce(self, booking_id: UUID) -> None:
        """Tell the other processes that a booking is over."""
        if self._redis is not None:
            self._redis.announce(booking_id)

    async def _seen_elsewhere(self, name: str, redis: RedisMarks) -> bool:
        try:
            known = await redis.has(name)
        except RedisAway:
            self._count("redis", "error")
            return False
        self._count("redis", "hit" if known else "miss")
        return known
