"""
Hints that every process shares, and that may lie.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from domain.booking import Booking


class FakeHints:
    """
    Remembers every booking it was told of; what `lie` returns, if it is not None, is said instead of what is known.
    """

    def __init__(self, lie: Callable[[UUID], bool | None] = lambda _booking_id: None) -> None:
        self.lie = lie
        self.known: set[UUID] = set()
        self.asked = 0
        self.judgments: list[bool] = []

    async def seen(self, booking_id: UUID) -> bool:
        self.asked += 1
        said = self.lie(booking_id)
        return booking_id in self.known if said is None else said

    def told(self, booking: Booking) -> None:
        self.known.add(booking.booking_id)

    def judged(self, booking: Booking, *, repeated: bool) -> None:
        self.judgments.append(repeated)


class FakeWebhookHints:
    """
    Remembers the webhooks that were processed; `lie` is as for `FakeHints`.
    """

    def __init__(self, lie: Callable[[UUID], bool | None] = lambda _webhook_id: None) -> None:
        self.lie = lie
        self.known: set[UUID] = set()
        self.judgments: list[bool] = []

    async def seen(self, webhook_id: UUID) -> bool:
        said = self.lie(webhook_id)
        return webhook_id in self.known if said is None else said

    def processed(self, webhook_id: UUID) -> None:
        self.known.add(webhook_id)

    def judged(self, *, repeated: bool) -> None:
        self.judgments.append(repeated)
