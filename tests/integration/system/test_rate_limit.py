"""
Cal.com's rate limit: who comes too much is asked to wait, and nobody fails for it.
"""

from __future__ import annotations

import asyncio

from domain import events as e
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    PATIENT,
    Installation,
    a_wish,
    quick,
    quiet,
    reaches,
    story,
)

LIMIT, SURPLUS = 120, 15


async def test_a_burst_above_the_limit_is_booked_later(sqlite_url: str, account: Account) -> None:
    here = Installation(
        settings=quick(sqlite_url, account, calcom_send_seconds=10, calcom_horizon_seconds=15, lease_seconds=15)
    )
    await here.define(account.event_type())
    account.limits(LIMIT, seconds=3)

    async with here.opened() as app:
        wishes = [a_wish(number) for number in range(1, LIMIT + SURPLUS + 1)]
        answers = await asyncio.gather(*(app.orchestrator.book(wish, patience=0.1) for wish in wishes))
        for answer in answers:
            await reaches(app, answer.booking.booking_id, "booked")
        await quiet(app)
        bookings = [await app.engine.load(answer.booking.booking_id) for answer in answers]
        stories = [await story(app.store, answer.booking.booking_id) for answer in answers]

    deferred = [one for one in stories if any(isinstance(it, e.BookingDeferred) for it in one)]
    assert len(deferred) >= SURPLUS
    assert {"rate_limited"} == {it.reason for one in deferred for it in one if isinstance(it, e.BookingDeferred)}
    assert {1} == {booking.ledger.counted_attempts for booking in bookings}
    assert LIMIT + SURPLUS == len(account.live()) == account.answers("create", 201)
    # What is known to be too much is held back here, and does not knock at the door again and again.
    assert account.answers("create", 429) <= LIMIT + SURPLUS
    assert [] == await here.faults(account.ledger())


async def test_the_limit_is_kept_while_each_call_asks_redis_for_a_permit(
    sqlite_url: str, redis_url: str, account: Account
) -> None:
    few, reserve, crowd = 40, 4, 48
    here = Installation(settings=quick(sqlite_url, account, redis_url=redis_url, redis_seconds=5))
    await here.define(account.event_type())
    account.limits(few, seconds=60)
    before = account.all_calls()

    async with here.opened(background=False) as app:
        await app.orchestrator.book(a_wish(), patience=PATIENT / 3)
        wishes = [a_wish(number) for number in range(1, crowd + 1)]
        await asyncio.gather(*(app.orchestrator.book(wish, patience=PATIENT / 3) for wish in wishes))
        left = few - (account.all_calls() - before)

    assert 0 == account.answers("create", 429)
    assert reserve == left


async def test_a_call_that_is_throttled_is_no_attempt(installation: Installation, account: Account) -> None:
    here = Installation(settings=installation.settings.model_copy(update={"create_attempts": 1}))
    await here.define(account.event_type())
    # With headers, which say how long the block lasts: a second at most.
    account.limits(1000, seconds=1)
    too_often = 2
    account.breaks("rate_limited", operation="create", times=too_often)

    async with here.opened() as app:
        result = await app.orchestrator.book(a_wish(), patience=PATIENT)
        await quiet(app)

    assert "booked" == result.booking.status.value
    assert 1 == result.booking.ledger.counted_attempts == account.answers("create", 201)
    assert too_often == account.answers("create", 429)
    assert [] == await installation.faults(account.ledger())
