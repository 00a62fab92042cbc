"""What came of comparing both sides about one uid."""

from dataclasses import dataclass
from uuid import UUID

from domain.webhook import WebhookOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Converged:
    """
    What came of it. Without an `outcome` it is to be tried again, because of `detail`; `retry_after` in seconds.

    `gone` says that Cal.com has the booking as cancelled or rejected.
    """

    outcome: WebhookOutcome | None
    detail: str = ""
    booking_id: UUID | None = None
    retry_after: float | None = None
    gone: bool = False
