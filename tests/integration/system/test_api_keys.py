"""
What a key of Cal.com's API may do, and what becomes of bookings when that changes.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from adapters.bootstrap import Application
from domain import events as e
from domain.errors import CustomerValidationError
from sagas.outcomes import CancelFailed, Moved
from sagas.steps import CancelAtCalcom
from tests.crash.judge import bookings_in
from tests.integration.persistence.interference import Once
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    PATIENT,
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


async def test_a_key_that_cannot_list_makes_no_service(installation: Installation, account: Account) -> None:
    event_type = account.event_type()
    account.loses_its_sight()

    with pytest.raises(CustomerValidationError) as caught:
        await installation.define(event_type)

    assert caught.value.has_field_error("calcom_event_type_id")
    account.is_well_again()
    await installation.define(event_type)


async def test_what_a_key_cannot_see_is_not_absent(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    account.breaks("drop_after_commit", operation="create")

    async with installation.opened(on_point=Once(account.loses_its_sight, at="calcom.create.before")) as app:
        waiting = (await app.orchestrator.book(a_wish(), patience=1)).booking

        async def looked() -> bool:
            happened = await story(app.store, waiting.booking_id)
            attempt = next(one for one in happened if isinstance(one, e.CalcomBookingAttempted))
            counts_from = installation.settings.policy().absent_from(attempt.answer_by)
            late = [one for one in happened if isinstance(one, e.CalcomLooked) and one.started_at >= counts_from]
            return len(late) > 2 or "CalcomAttemptAbsent" in named(happened)

        await eventually(looked, "it was looked for after the time from which on a look counts")
        unseen = await story(app.store, waiting.booking_id)
        assert "CalcomAttemptAbsent" not in named(unseen)
        account.is_well_again()
        await reaches(app, waiting.booking_id, "booked")
        await quiet(app)

    assert not any(one.counted for one in unseen if isinstance(one, e.CalcomLooked))
    assert 1 == account.calls("create") == len(account.ledger())
    assert [] == await installation.faults(account.ledger())


async def test_a_key_that_is_rejected_defers_all_bookings_and_fails_none(
    installation: Installation, account: Account
) -> None:
    await installation.define(account.event_type())
    account.loses_its_key()
    wishes = [a_wish(number) for number in range(1, 13)]

    async with installation.opened() as app:
        answers = await asyncio.gather(*(app.orchestrator.book(wish, patience=1) for wish in wishes))
        told = {answer.booking.status.value for answer in answers}
        stories = [await story(app.store, answer.booking.booking_id) for answer in answers]
        made = len(account.ledger())
        account.is_well_again()
        for answer in answers:
            await reaches(app, answer.booking.booking_id, "booked")
        await quiet(app)
        later = [await app.engine.load(answer.booking.booking_id) for answer in answers]

    assert ({"pending"}, 0) == (told, made)
    for happened in stories:
        because = {one.reason for one in happened if isinstance(one, e.BookingDeferred)}
        # Where many try again at once, the budget for that may be spent first.
        assert {"unauthorized"} == because - {"retry_budget"}
    # A call that the guard of the key sent back is no attempt, however often that was.
    assert {1} == {booking.ledger.counted_attempts for booking in later}
    assert {"degradation"} == {booking.resilience_strategy for booking in later}
    assert 12 == len(account.live())
    assert [] == await installation.faults(account.ledger())


async def test_a_deferred_booking_can_be_cancelled(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    account.loses_its_key()

    async with installation.opened() as app:
        deferred = (await app.orchestrator.book(a_wish(), patience=1)).booking
        assert "pending" == deferred.status.value
        cancelled = await app.orchestrator.cancel(a_cancellation(deferred.booking_id), patience=PATIENT)
        account.is_well_again()
        await quiet(app)
        happened = named(await story(app.store, deferred.booking_id))

    assert "cancelled" == cancelled.booking.status.value
    assert 1 == happened.count("CancellationRequested") == happened.count("BookingCancelled")
    assert [] == account.ledger()
    assert [] == await installation.faults(account.ledger())


async def test_a_key_that_is_rejected_while_undoing_is_waited_for(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())

    async with installation.opened() as app:
        booked = (await app.orchestrator.book(a_wish(), patience=PATIENT)).booking
        account.loses_its_key()
        cancelling = (await app.orchestrator.cancel(a_cancellation(booked.booking_id), patience=1)).booking
        account.is_well_again()
        await reaches(app, booked.booking_id, "cancelled")
        await quiet(app)

    assert "cancelling" == cancelling.status.value
    assert [] == account.live()
    assert [] == await installation.faults(account.ledger())


async def test_a_booking_that_a_blind_key_cannot_find_is_not_gone(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    policy = installation.settings.policy()

    async with installation.opened(background=False) as app:
        booked = (await app.orchestrator.book(a_wish(), patience=PATIENT)).booking
        (line,) = booked.ledger.lines
        calendar = await app.calendars.of("default")
        cancel = CancelAtCalcom(
            uid="nowhere",
            attempt_id=line.attempt_id,
            purpose="compensation",
            number=1,
            since=line.attempted_at - timedelta(minutes=10) - policy.visibility,
        )
        account.loses_its_sight()
        blind = await calendar.cancel(booked, cancel)
        account.is_well_again()
        seeing = await calendar.cancel(booked, cancel)

    assert isinstance(blind, CancelFailed)
    assert "cannot_see" == blind.reason
    assert Moved(to_uid=booked.kept_uid or "") == seeing


async def test_a_key_that_cannot_be_decrypted_any_more_defers_the_booking(
    installation: Installation, account: Account
) -> None:
    first, second = (Fernet.generate_key().decode() for _ in range(2))
    before, rotated, unset = (
        Installation(settings=installation.settings.model_copy(update={"encryption_key": secret}))
        for secret in (SecretStr(first), SecretStr(second), None)
    )
    await before.define(account.event_type())
    async with before.opened(background=False) as app:
        await app.directory.companies.put("default", calcom_key=account.key, webhook_secrets=None)

    for number, wrong in enumerate((rotated, unset), start=1):
        async with wrong.opened(background=False) as app:
            waiting = (await app.orchestrator.book(a_wish(number), patience=1)).booking
            happened = await story(app.store, waiting.booking_id)
        assert "pending" == waiting.status.value
        because = {one.reason for one in happened if isinstance(one, e.BookingDeferred)}
        # Where many try again at once, the budget for that may be spent first.
        assert {"unauthorized"} == because - {"retry_budget"}
    assert [] == account.ledger()

    await before.recovers()
    assert 2 == len(account.live())
    assert [] == await before.faults(account.ledger())


async def test_two_installations_on_one_account_leave_each_other_alone(
    account: Account, sqlite_url: str, postgres_url: str
) -> None:
    # Anybody may have any slot at Cal.com, so that nothing but the attempt ids keeps them apart.
    event_type = account.event_type(always_open=True)
    ours, theirs = (Installation(settings=quick(url, account)) for url in (sqlite_url, postgres_url))
    for one in (ours, theirs):
        await one.define(event_type)
    account.breaks("drop_after_commit", operation="create", times=3)
    account.breaks("drop_before_commit", operation="create", times=3)
    wishes = [a_wish(number) for number in range(6)]

    async with ours.opened() as here, theirs.opened() as there:
        answers = [
            await asyncio.gather(*(app.orchestrator.book(wish, patience=PATIENT) for wish in wishes))
            for app in (here, there)
        ]
        both = await asyncio.gather(
            *(app.orchestrator.book(wish, patience=PATIENT) for app in (here, there) for wish in wishes)
        )
        await here.orchestrator.cancel(a_cancellation(answers[0][0].booking.booking_id), patience=PATIENT)
        await quiet(here)
        await quiet(there)
        attempts = [await _attempts(app) for app in (here, there)]

    assert {"booked"} == {answer.booking.status.value for answer in (*answers[0], *answers[1], *both)}
    ledger = account.ledger()
    parts = [[one for one in ledger if one["metadata"]["calsaga_attempt_id"] in known] for known in attempts]
    assert len(ledger) == len(parts[0]) + len(parts[1])
    assert [5, 6] == [sum(one["status"] == "accepted" for one in part) for part in parts]
    assert [] == await ours.faults(parts[0])
    assert [] == await theirs.faults(parts[1])


async def _attempts(app: Application) -> set[str]:
    return {line.attempt_id for booking in (await bookings_in(app.store)).values() for line in booking.ledger.lines}
