"""
What the queue tells of those who wait.
"""

from __future__ import annotations

from datetime import datetime

from adapters.bootstrap import Application
from adapters.database.queue import RetryQueue
from sagas.wishes import RescheduleAppointment
from tests.integration.system.account import Account
from tests.integration.system.composites import a_row, define_row
from tests.integration.system.installation import HALF_HOUR, PATIENT, START, Installation, a_cancellation, a_wish, quiet

ALWAYS = [{"kind": "error_before_commit", "operation": operation} for operation in ("create", "cancel", "reschedule")]


async def since(app: Application) -> dict[tuple[str, bool], datetime]:
    """
    Return since when each waits, by its status and whether it is a composite.
    """
    await app.followers.catch_up()
    queue = RetryQueue(engine=app.store.engine, readers=app.store.readers, decoded=app.store.log.decoded)
    page = await queue.page(None)
    return {(one.status, one.service_id == "color"): one.since for one in page.queued}


async def test_a_move_and_a_cancellation_wait_since_they_were_asked_for_and_not_since_the_booking_was(
    installation: Installation, account: Account
) -> None:
    await installation.define(account.event_type())
    await define_row(installation, account)

    async with installation.opened() as app:
        moved, cancelled = [
            (await app.orchestrator.book(a_wish(number), patience=PATIENT)).booking for number in (20, 21)
        ]
        several = (await app.orchestrator.book_composite(a_row(), patience=PATIENT)).booking
        account.breaks_always(*ALWAYS)
        began = app.store.clock.now()
        move = RescheduleAppointment(
            company_id="default", booking_id=moved.booking_id, starts_at=START + 30 * HALF_HOUR, reason=""
        )
        await app.orchestrator.reschedule(move, patience=0.1)
        for one in (cancelled, several):
            await app.orchestrator.cancel(a_cancellation(one.booking_id), patience=0.1)
        await app.orchestrator.book(a_wish(22), patience=0.1)
        waiting = await since(app)
        account.breaks_always()
        await quiet(app)

    asked = [("rescheduling", False), ("cancelling", False), ("cancelling", True), ("pending", False)]
    assert {*asked} == {*waiting}
    assert all(began <= waiting[one] for one in asked)
    assert waiting[asked[0]] <= waiting[asked[1]] <= waiting[asked[2]] <= waiting[asked[3]]
