"""What is remembered of webhooks: that they were processed, for a day."""

from collections.abc import Callable
from uuid import UUID

from adapters.idempotency.marks import KEPT_SECONDS, Marks
from adapters.metrics import Outcome, Tier


class WebhookHints:
    """The port of the same name; the id of a webhook is made of its company and its body's digest."""

    def __init__(self, marks: Marks, *, count: Callable[[Tier, Outcome], None]) -> None:
        self._marks = marks
        self._count = count

    async def seen(self, webhook_id: UUID) -> bool:
        """Tell whether the webhook seems to have been processed."""
        return await self._marks.seen(_name(webhook_id))

    def processed(self, webhook_id: UUID) -> None:
        """Mark a webhook that the log holds as processed."""
        self._marks.put(_name(webhook_id), word="processed", seconds=KEPT_SECONDS)

    def judged(self, *, repeated: bool) -> None:
        """Count what the log has said."""
        self._count("log", "hit" if repeated else "miss")


def _name(webhook_id: UUID) -> str:
    return f"webhook:{webhook_id}"
