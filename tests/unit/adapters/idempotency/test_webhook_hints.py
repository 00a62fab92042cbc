from __future__ import annotations

from collections import Counter
from uuid import UUID

from adapters.idempotency.marks import KEPT_SECONDS, Marks
from adapters.idempotency.process_marks import ProcessMarks
from adapters.idempotency.webhook_hints import WebhookHints
from tests.fakes.time import FakeClock


async def test_a_processed_webhook_is_remembered_for_a_day_and_the_log_is_counted() -> None:
    clock = FakeClock()
    counted: Counter[tuple[str, str]] = Counter()

    def count(tier: str, outcome: str) -> None:
        counted[tier, outcome] += 1

    process = ProcessMarks(clock=lambda: clock.seconds)
    hints = WebhookHints(Marks(redis=None, count=count, process=process), count=count)
    before = await hints.seen(UUID(int=1))
    hints.processed(UUID(int=1))
    after = [await hints.seen(UUID(int=1)), await hints.seen(UUID(int=2))]
    clock.advance(KEPT_SECONDS + 1)
    after.append(await hints.seen(UUID(int=1)))
    hints.judged(repeated=True)
    hints.judged(repeated=False)

    assert (False, [True, False, False]) == (before, after)
    assert (1, 1) == (counted["log", "hit"], counted["log", "miss"])
