"""
Cal.com's webhooks on their way: lost, doubled, late, and always to whichever process is there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from domain.errors import AppointmentDatabaseError
from sagas.inbox import Inbox, IncomingWebhook
from tests.fakes.calcom import CalcomBooking

AT_ONCE = (0.0,)


class Post:
    """
    Delivers what Cal.com announces; `pending` is what is still on its way.
    """

    def __init__(self, company_id: str, deliveries: Sequence[Sequence[float]], inbox: Callable[[], Inbox]) -> None:
        self._company_id = company_id
        self._deliveries = deque(deliveries)
        self._inbox = inbox
        self._sent = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.pending = 0

    def announce(self, trigger: str, booking: CalcomBooking, former_uid: str | None) -> None:
        self._sent += 1
        # A cancellation carries no metadata.
        gone = trigger == "BOOKING_CANCELLED"
        webhook = IncomingWebhook(
            company_id=self._company_id,
            digest=f"{self._sent:064x}",
            trigger=trigger,
            uid=booking.uid,
            former_uid=former_uid,
            attempt_id=None if gone else booking.attempt_id,
            booking_id=None if gone else booking.booking_id,
        )
        for delay in self._deliveries.popleft() if self._deliveries else AT_ONCE:
            self.pending += 1
            task = asyncio.get_running_loop().create_task(self._deliver(webhook, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, webhook: IncomingWebhook, delay: float) -> None:
        await asyncio.sleep(delay)
        self.pending -= 1
        try:
            await self._inbox().receive(webhook)
        except AppointmentDatabaseError:
            # Cal.com does not ask how it went, and does not send it again.
            return
