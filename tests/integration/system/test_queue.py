"""
What the queue tells of those who wait.
"""

from __future__ import annotations

from uuid import UUID

from adapters.bootstrap import Application
from adapters.database.queue import Queued, RetryQueue
from domain.breaker_words import Command
from sagas.wishes import RescheduleAppointment
from tests.integration.system.account import Account
from tests.integration.system.composites import a_row, define_row
from tests.integration.system.installation import (
    HALF_HOUR,
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    eventually,
    quiet,
)

ALWAYS = [{"kind": "error_before_commit", "operation": operation} for operation in ("create", "cancel", "reschedule")]


async def queue(app: Application) -> dict[tuple[str, bool], Queued]:
    """
    Return who waits, by its status and whether it is a composite.
    """
    await app.followers.catch_up()
    stored = RetryQueue(engine=app.store.engine, readers=app.store.readers, decoded=app.store.log.decoded)
    return {(one.status, one.service_id == "color"): one for one in (await stored.page(None)).queued}


async def all_booked(app: Application) -> list[UUID]:
    """
    Book what is to be moved, what is to be cancelled, and a composite that is to be cancelled, too.
    """
    single = [await app.orchestrator.book(a_wish(number), patience=PATIENT) for number in (20, 21)]
    several = await app.orchestrator.book_composite(a_row(), patience=PATIENT)
    return [one.booking.booking_id for one in (*single, several)]


async def change_all(app: Application, booked: list[UUID], *, patience: float) -> None:
    """
    Ask for the move and the cancellations.
    """
    moved, *cancelled = booked
    move = RescheduleAppointment(company_id="default", booking_id=moved, starts_at=START + 30 * HALF_HOUR, reason="")
    await app.orchestrator.reschedule(move, patience=patience)
    for booking_id in cancelled:
        await app.orchestrator.cancel(a_cancellation(booking_id), patience=patience)


async def test_a_move_and_a_cancellation_wait_since_they_were_asked_for_and_not_since_the_booking_was(
    installation: Installation, account: Account
) -> None:
    await installation.define(account.event_type())
    await define_row(installation, account)

    async with installation.opened() as app:
        booked = await all_booked(app)
        account.breaks_always(*ALWAYS)
        began = app.store.clock.now()
        await change_all(app, booked, patience=0.1)
        await app.orchestrator.book(a_wish(22), patience=0.1)
        waiting = {key: one.since for key, one in (await queue(app)).items()}
        account.breaks_always()
        await quiet(app)

    asked = [("rescheduling", False), ("cancelling", False), ("cancelling", True), ("pending", False)]
    assert {*asked} == {*waiting}
    assert all(began <= waiting[one] for one in asked)
    assert waiting[asked[0]] <= waiting[asked[1]] <= waiting[asked[2]] <= waiting[asked[3]]


async def test_what_cal_com_is_not_to_be_asked_for_waits_for_cal_com_and_not_for_another_try(
    installation: Installation, account: Account
) -> None:
    await installation.define(account.event_type())
    await define_row(installation, account)

    async with installation.opened() as app:
        booked = await all_booked(app)
        breakers = app.resilience.breakers
        await breakers.control("calcom", Command(action="open", actor="ada", reason="they move house"))
        await change_all(app, booked, patience=PATIENT)
        put_off = {key: one.waits_for for key, one in (await queue(app)).items()}
        account.breaks_always(*ALWAYS)
        await breakers.control("calcom", Command(action="close", actor="ada", reason="they have moved"))

        async def are_tried_again() -> bool:
            return {one.waits_for for one in (await queue(app)).values()} == {"retry"}

        await eventually(are_tried_again, "what fails waits for another try")
        account.breaks_always()
        await quiet(app)

    assert dict.fromkeys([("rescheduling", False), ("cancelling", False), ("cancelling", True)], "calcom") == put_off
