"""
An outage of Cal.com: bookings are taken and wait, and are made once it is well again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import select

from adapters.bootstrap import Application
from adapters.breakers.events import BreakerEvents
from adapters.breakers.ports import Breakers
from adapters.database.breaker_events import StoredBreakerEvents
from adapters.database.tables import appointments
from adapters.verify import verify
from domain import events as e
from domain.breaker_words import Command
from sagas.wishes import BookingResult, RescheduleAppointment
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    HALF_HOUR,
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    eventually,
    named,
    quick,
    quiet,
    reaches,
    story,
)

OPEN_SECONDS = 1.5
QUICK_BREAKER: Mapping[str, Mapping[str, float]] = {
    "calcom": {"failure_threshold": 3, "open_seconds": OPEN_SECONDS, "open_cap_seconds": OPEN_SECONDS}
}
IMPATIENT = 1.0
PER_SECOND = 4


def guarded(database_url: str, account: Account, **more: object) -> Installation:
    return Installation(settings=quick(database_url, account, circuits=QUICK_BREAKER, retry_cap_seconds=60, **more))


async def state(app: Application) -> str:
    return (await app.resilience.breakers.snapshot("calcom")).state


async def is_closed(app: Application) -> bool:
    return await state(app) == "closed"


async def breaks_down(app: Application, account: Account) -> None:
    """
    Let Cal.com fail until the breaker knows.
    """
    account.breaks_always({"kind": "html_502", "commit": False}, {"kind": "html_502", "operation": "me"})
    for number in range(100, 103):
        await app.orchestrator.book(a_wish(number), patience=0.1)

    async def is_open() -> bool:
        return await state(app) == "open"

    # Nobody has waited for the last of these failures.
    await eventually(is_open, "the breaker is open")


async def test_bookings_wait_while_cal_com_is_down_and_are_made_afterwards(database_url: str, account: Account) -> None:
    here = guarded(database_url, account)
    await here.define(account.event_type())
    async with here.opened() as app:
        await breaks_down(app, account)
        # The first to be refused is told so by the breaker; from then on this process knows.
        await app.orchestrator.book(a_wish(200), patience=IMPATIENT)
        before = account.calls("create")
        answers = await asyncio.gather(
            *(app.orchestrator.book(a_wish(number), patience=IMPATIENT) for number in range(1, 9))
        )
        assert before == account.calls("create")
        assert {"pending"} == {answer.booking.status.value for answer in answers}
        account.breaks_always()
        for answer in answers:
            await reaches(app, answer.booking.booking_id, "booked")
        await quiet(app)
        told = [await story(app.store, answer.booking.booking_id) for answer in answers]
        assert "closed" == await state(app)

    for one in told:
        assert ["BookingInitiated", "BookingDeferred"] == named(one)[:2]
        assert ["CalcomBookingCreated", "AppointmentBooked"] == named(one)[-2:]
        assert {"breaker_open"} == {it.reason for it in one if isinstance(it, e.BookingDeferred)}
    assert 12 == len(account.live())
    assert [] == await here.faults(account.ledger())


@pytest.mark.parametrize("processes", [1, 2])
async def test_those_who_waited_go_on_in_the_order_of_their_appointments_and_no_faster_than_they_may(
    database_url: str, account: Account, processes: int
) -> None:
    here = guarded(database_url, account, circuit_drain_per_second=PER_SECOND, worker_concurrency=8)
    await here.define(account.event_type())
    numbers = [*range(1, 17)]
    Random(16).shuffle(numbers)
    async with AsyncExitStack() as stack:
        apps = [await stack.enter_async_context(here.opened()) for _ in range(processes)]
        rests = Command(action="open", actor="ann", reason="they move house", seconds=10.0)
        for app in apps:
            await app.resilience.breakers.control("calcom", rests)
        for at, number in enumerate(numbers):
            await apps[at % processes].orchestrator.book(a_wish(number), patience=IMPATIENT)
        assert [] == account.ledger()
        await quiet(apps[0])
    made = account.ledger()

    starts = [START + number * HALF_HOUR for number in sorted(numbers)]
    order = [starts.index(datetime.fromisoformat(one["start"])) for one in made]
    # Two processes have two at once in hand, either of which may be the quicker one.
    assert max(abs(place - at) for at, place in enumerate(order)) < processes
    times = [datetime.fromisoformat(one["created_at"]) for one in made]
    assert (times[-1] - times[0]).total_seconds() > 0.8 * (len(numbers) / processes - 1) / PER_SECOND
    assert [] == await here.faults(made)


async def test_how_the_breaker_moves_is_listed_by_whoever_made_it_move(database_url: str, account: Account) -> None:
    here = guarded(database_url, account)
    await here.define(account.event_type())
    async with here.opened() as app:
        await breaks_down(app, account)
        account.breaks_always()
        await eventually(lambda: is_closed(app), "Cal.com is well again")
    async with here.opened(background=False) as app:
        # Nobody has waited for the last of them to be written.
        await app.followers.catch_up()
        stored = StoredBreakerEvents(engine=app.store.engine, readers=app.store.readers)
        page = await stored.page(service="calcom", limit=200, cursor=None)
        assert [] == await verify(app.store, policy=app.settings.policy())

    moves = [*reversed(page.events)]
    assert ("closed", "open", "failure_rate" if moves[0].calls >= 10 else "failures") == (
        moves[0].from_state,
        moves[0].to_state,
        moves[0].cause,
    )
    assert ("half_open", "closed", "probes_succeeded") == (moves[-1].from_state, moves[-1].to_state, moves[-1].cause)
    assert list(range(1, len(moves) + 1)) == [one.epoch for one in moves]
    assert [one.to_state for one in moves[:-1]] == [one.from_state for one in moves[1:]]
    # Without Redis it is the breaker of the one process that moved it.
    assert {(False, moves[0].instance)} == {(one.shared, one.instance) for one in moves}


async def test_what_moved_last_is_written_before_the_process_ends(
    database_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = guarded(database_url, account)

    async def never(_events: BreakerEvents, _breakers: Breakers) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(BreakerEvents, "run", never)
    async with here.opened() as app:
        await app.resilience.breakers.control("calcom", Command(action="open", actor="ann", reason="maintenance"))
    async with here.opened(background=False) as app:
        entries = await app.store.log.read_all(after=0, limit=10)

    assert ["maintenance"] == [one.event.reason for one in entries]  # type: ignore[union-attr]


async def test_whoever_has_to_wait_longer_than_they_would_is_told_at_once(sqlite_url: str, account: Account) -> None:
    slow = {"calcom": {**QUICK_BREAKER["calcom"], "open_seconds": 600, "open_cap_seconds": 600}}
    here = Installation(settings=quick(sqlite_url, account, circuits=slow, retry_cap_seconds=900))
    await here.define(account.event_type())
    async with here.opened() as app:
        await breaks_down(app, account)
        wish = a_wish()
        async with asyncio.timeout(PATIENT / 2):
            first = await app.orchestrator.book(wish, patience=PATIENT)
            again = await app.orchestrator.book(wish, patience=PATIENT)

    assert (first.booking.booking_id, True) == (again.booking.booking_id, again.replayed)
    assert {"pending"} == {first.booking.status.value, again.booking.status.value}


async def test_the_row_says_that_the_breaker_was_open_and_since_when(database_url: str, account: Account) -> None:
    here = guarded(database_url, account)
    await here.define(account.event_type())
    async with here.opened() as app:
        await breaks_down(app, account)
        answer = await app.orchestrator.book(a_wish(), patience=0.1)
        account.breaks_always()
        booking = await reaches(app, answer.booking.booking_id, "booked")
        with app.store.engine.connect() as connection:
            query = select(appointments).where(appointments.c.booking_id == answer.booking.booking_id)
            row = connection.execute(query).one()
        (deferred, *_) = [
            one for one in await story(app.store, booking.booking_id) if isinstance(one, e.BookingDeferred)
        ]

    assert ("circuit_breaker", deferred.at) == (row.resilience_strategy, row.circuit_breaker_open_at_booking)


@pytest.mark.parametrize("down_for", [0.5, 5.0])
async def test_an_outage_of_any_length_ends_without_a_herd(sqlite_url: str, account: Account, down_for: float) -> None:
    here = guarded(sqlite_url, account)
    await here.define(account.event_type())
    async with here.opened() as app:
        await breaks_down(app, account)
        asked = [account.calls("create")]
        for number in range(1, 11):
            await app.orchestrator.book(a_wish(number), patience=0.01)
            await asyncio.sleep(down_for / 10)
        asked.append(account.calls("create"))
        account.breaks_always()
        await quiet(app)

    # While it is open, whether for the first time or after a probe that failed, no create is sent.
    assert asked[0] == asked[1]
    assert 13 == len(account.live())
    assert [] == await here.faults(account.ledger())


async def test_what_is_too_late_by_then_fails_as_expired(sqlite_url: str, account: Account) -> None:
    here = guarded(sqlite_url, account, booking_expiry_hours=timedelta(seconds=1) / timedelta(hours=1))
    await here.define(account.event_type())
    async with here.opened() as app:
        await breaks_down(app, account)
        answer = await app.orchestrator.book(a_wish(), patience=0.01)
        booking = await reaches(app, answer.booking.booking_id, "failed")
        account.breaks_always()
        await quiet(app)

    assert booking.failure is not None
    assert "expired" == booking.failure.reason
    assert [] == account.live()


async def moved(app: Application, booking_id: UUID, number: int) -> BookingResult:
    wish = RescheduleAppointment(
        company_id="default", booking_id=booking_id, starts_at=START + number * HALF_HOUR, reason="a train was late"
    )
    return await app.orchestrator.reschedule(wish, patience=IMPATIENT)


async def test_moves_and_cancellations_wait_while_cal_com_is_down_and_are_done_afterwards(
    database_url: str, account: Account
) -> None:
    here = guarded(database_url, account)
    await here.define(account.event_type())
    async with here.opened() as app:
        stood = [await app.orchestrator.book(a_wish(number), patience=PATIENT) for number in range(6)]
        to_move, to_cancel = stood[:3], stood[3:]
        await breaks_down(app, account)
        asked = [account.calls(operation) for operation in ("reschedule", "cancel")]
        answers = [
            *[await moved(app, one.booking.booking_id, 20 + at) for at, one in enumerate(to_move)],
            *[
                await app.orchestrator.cancel(a_cancellation(one.booking.booking_id), patience=PATIENT)
                for one in to_cancel
            ],
        ]
        # Longer than what fails would be tried, and through several probes that fail.
        await asyncio.sleep(2 * OPEN_SECONDS)
        assert asked == [account.calls(operation) for operation in ("reschedule", "cancel")]
        account.breaks_always()
        for one in to_move:
            await reaches(app, one.booking.booking_id, "booked")
        for one in to_cancel:
            await reaches(app, one.booking.booking_id, "cancelled")
        await quiet(app)
        told = [await story(app.store, one.booking.booking_id) for one in stood]
        with app.store.engine.connect() as connection:
            rows = {row.booking_id: row for row in connection.execute(select(appointments))}

    assert ["rescheduling"] * 3 + ["cancelling"] * 3 == [answer.booking.status.value for answer in answers]
    for at, one in enumerate(to_move):
        row = rows[one.booking.booking_id]
        assert ("booked", START + (20 + at) * HALF_HOUR) == (row.status, row.starts_at)
        assert {"CalcomRescheduleDeferred", "BookingRescheduled"} <= {*named(told[at])}
    for at, one in enumerate(to_cancel, 3):
        assert "cancelled" == rows[one.booking.booking_id].status
        assert {"CalcomCancelDeferred", "BookingCancelled"} <= {*named(told[at])}
        assert "CompensationFailed" not in named(told[at])
    assert [] == await here.faults(account.ledger())


async def test_a_move_that_is_too_late_by_then_leaves_the_appointment_where_it_is(
    sqlite_url: str, account: Account
) -> None:
    here = guarded(sqlite_url, account)
    await here.define(account.event_type())
    async with here.opened() as app:
        stood = await app.orchestrator.book(a_wish(), patience=PATIENT)
    hasty = guarded(sqlite_url, account, booking_expiry_hours=timedelta(seconds=1) / timedelta(hours=1))
    async with hasty.opened() as app:
        await breaks_down(app, account)
        await moved(app, stood.booking.booking_id, 20)
        booking = await reaches(app, stood.booking.booking_id, "booked")
        account.breaks_always()
        await quiet(app)

    assert booking.move_failure is not None
    assert ("expired", START) == (booking.move_failure.reason, booking.starts_at)
    assert [] == await here.faults(account.ledger())
