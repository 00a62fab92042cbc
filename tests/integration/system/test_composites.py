"""
Several services in a row at the real databases and the sandbox: all of them stand in both places, or none does.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.bootstrap import Application
from adapters.database.tables import appointments, slot_claims
from domain import events as e
from domain.composite import LegEvent
from domain.errors import CannotBeMoved, CustomerValidationError, KeyReused
from domain.idempotency import leg_key
from domain.wish import LegWish
from sagas.wishes import RescheduleAppointment
from tests.integration.persistence.interference import Once, Stranger
from tests.integration.system.account import Account
from tests.integration.system.composites import a_row
from tests.integration.system.installation import (
    HALF_HOUR,
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    named,
    quiet,
    story,
)

COLOR, CUT, RINSE = 1, 2, 3


def _rows(app: Application, booking_id: UUID) -> list[tuple[int, str, str]]:
    with app.store.engine.connect() as connection:
        query = appointments.select().where(appointments.c.booking_id == booking_id).order_by(appointments.c.leg)
        return [(row.leg, row.status, row.idempotency_key) for row in connection.execute(query)]


def _claims(app: Application) -> int:
    with app.store.engine.connect() as connection:
        return len(connection.execute(slot_claims.select()).all())


def _undone(happened: list[str]) -> list[str]:
    return [name for name in happened if name.endswith("CalcomCancelAttempted")]


async def test_all_legs_stand_in_both_places_after_as_many_commits_as_calls_and_one_more(
    installation: Installation, account: Account, event_types: dict[str, int]
) -> None:
    async with installation.opened() as app:
        result = await app.orchestrator.book_composite(a_row(), patience=PATIENT)
        booking = result.booking
        recorded = await app.store.log.read(booking.booking_id)
        rows, claims = _rows(app, booking.booking_id), _claims(app)
        again = await app.orchestrator.book_composite(a_row(), patience=PATIENT)
        with pytest.raises(KeyReused):
            await app.orchestrator.book_composite(a_row(source="other"), patience=PATIENT)
        with pytest.raises(KeyReused):
            await app.orchestrator.book(a_wish(service_id="cut", key="row"), patience=PATIENT)
        later = START + timedelta(days=1)
        move = RescheduleAppointment(company_id="default", booking_id=booking.booking_id, starts_at=later)
        with pytest.raises(CannotBeMoved):
            await app.orchestrator.reschedule(move)

    assert ("booked", START, START + 3 * HALF_HOUR) == (booking.status.value, booking.starts_at, booking.ends_at)
    assert [(leg, "booked", leg_key(booking.booking_id, leg)) for leg in (1, 2, 3)] == rows
    assert (0, 4) == (claims, len({one.append_id for one in recorded}))
    assert (True, booking.booking_id) == (again.replayed, again.booking.booking_id)
    assert {str(booking.booking_id)} == {one["metadata"]["calsaga_booking_id"] for one in account.live()}
    assert [] == await installation.faults(account.ledger())


async def test_what_the_second_leg_is_refused_undoes_the_first(
    installation: Installation, account: Account, event_types: dict[str, int]
) -> None:
    await asyncio.to_thread(account.person_books, event_types["rinse"], start=START + 2 * HALF_HOUR)

    async with installation.opened() as app:
        result = await app.orchestrator.book_composite(a_row(), patience=PATIENT)
        happened = named(await story(app.store, result.booking.booking_id))
        rows, claims = _rows(app, result.booking.booking_id), _claims(app)

    failure = result.booking.failure
    assert ("failed", "slot_taken") == (result.booking.status.value, None if failure is None else failure.reason)
    assert ["2 CalcomCancelAttempted", "1 CalcomCancelAttempted"] == _undone(happened)
    assert ([], 0) == (rows, claims)
    assert [] == await installation.faults(account.ledger())


async def test_a_row_in_the_way_of_the_last_leg_undoes_all_of_them(
    installation: Installation, account: Account, event_types: dict[str, int]
) -> None:
    stranger = Stranger(installation.settings.database_url)
    walks_in = Once(
        lambda: stranger.inserts(
            staff_id="ann", starts_at=START + 2 * HALF_HOUR, ends_at=START + 3 * HALF_HOUR, service_id="rinse"
        )
    )

    async with installation.opened(on_point=walks_in) as app:
        result = await app.orchestrator.book_composite(a_row(), patience=PATIENT)
        happened = named(await story(app.store, result.booking.booking_id))
        rows = _rows(app, result.booking.booking_id)

    assert "failed" == result.booking.status.value
    assert ["3 CalcomCancelAttempted", "2 CalcomCancelAttempted", "1 CalcomCancelAttempted"] == _undone(happened)
    assert [] == rows
    assert [] == account.live()
    assert [] == await installation.faults(account.ledger())


async def test_an_answer_that_is_lost_is_adopted_and_the_row_goes_on(
    installation: Installation, account: Account, event_types: dict[str, int]
) -> None:
    account.breaks("drop_after_commit", operation="create", match={"event_type_id": event_types["cut"]})

    async with installation.opened() as app:
        result = await app.orchestrator.book_composite(a_row(), patience=PATIENT)
        events = await story(app.store, result.booking.booking_id)

    created = [one for one in events if isinstance(one, LegEvent) and isinstance(one.event, e.CalcomBookingCreated)]
    assert "booked" == result.booking.status.value
    assert [(1, "made"), (2, "adopted"), (3, "made")] == [
        (one.leg, one.event.how) for one in created if isinstance(one.event, e.CalcomBookingCreated)
    ]
    assert [] == await installation.faults(account.ledger())


@pytest.mark.parametrize("point", ["calcom.create.before", "calcom.create.after"])
async def test_another_process_goes_on_from_the_log_alone(
    installation: Installation, account: Account, event_types: dict[str, int], point: str
) -> None:
    class Died(BaseException):
        """
        The process is gone.
        """

    seen: list[str] = []

    def dies(name: str) -> None:
        seen.append(name)
        if name == point and seen.count(point) == 2:
            raise Died

    wish = a_row()
    with pytest.raises(Died):
        async with installation.opened(background=False, on_point=dies) as app:
            await app.orchestrator.book_composite(wish, patience=PATIENT)

    async with installation.opened() as app:
        await quiet(app)
        result = await app.orchestrator.book_composite(wish, patience=PATIENT)

    assert (True, "booked") == (result.replayed, result.booking.status.value)
    assert 3 == len(account.live())
    assert [] == await installation.faults(account.ledger())


async def test_one_key_makes_one_composite_however_often_at_once(
    installation: Installation, account: Account, event_types: dict[str, int]
) -> None:
    async with installation.opened() as one, installation.opened() as other:
        answers = await asyncio.gather(
            *((one, other)[n % 2].orchestrator.book_composite(a_row(key=None), patience=PATIENT) for n in range(5))
        )

    assert 1 == len({answer.booking.booking_id for answer in answers})
    assert ["booked"] * 5 == [answer.booking.status.value for answer in answers]
    assert (4, 3) == (sum(answer.replayed for answer in answers), account.calls("create"))
    assert [] == await installation.faults(account.ledger())


async def test_whoever_holds_one_slot_keeps_the_whole_composite_out(
    installation: Installation, account: Account, event_types: dict[str, int]
) -> None:
    async with installation.opened() as app:
        first = await app.orchestrator.book(
            a_wish(service_id="cut", starts_at=START + HALF_HOUR, key="first"), patience=PATIENT
        )
        result = await app.orchestrator.book_composite(a_row(key=None), patience=PATIENT)
        claims = _claims(app)
        await app.orchestrator.cancel(a_cancellation(first.booking.booking_id), patience=PATIENT)
        next_one = await app.orchestrator.book_composite(a_row(key=None), patience=PATIENT)

    failure = result.booking.failure
    assert failure is not None
    assert ("failed", "slot_taken", first.booking.booking_id) == (
        result.booking.status.value,
        failure.reason,
        failure.conflicting_booking_id,
    )
    assert (0, "booked", 1) == (claims, next_one.booking.status.value, next_one.booking.facts.generation)
    assert result.booking.booking_id != next_one.booking.booking_id
    assert 4 == account.calls("create")
    assert [] == await installation.faults(account.ledger())


async def test_legs_are_no_near_duplicates_of_each_other_but_of_other_bookings(
    installation: Installation, account: Account, event_types: dict[str, int]
) -> None:
    await installation.define(account.event_type(), service_id="brows")
    two = (LegWish(service_id="brows", starts_at=START), LegWish(service_id="brows", starts_at=START))
    apart = (two[0], LegWish(service_id="brows", starts_at=START + timedelta(minutes=4)))

    async with installation.opened() as app:
        twins = await app.orchestrator.book_composite(a_row(legs=apart, key=None), patience=PATIENT)
        near = await app.orchestrator.book_composite(a_row(legs=two, key="2"), patience=PATIENT)
        legs = (LegWish(service_id="color", starts_at=START), LegWish(service_id="rinse", starts_at=START))
        with pytest.raises(CustomerValidationError) as wrong:
            await app.orchestrator.book_composite(a_row(legs=legs, key="3"), patience=PATIENT)

    # Cal.com's own host has one place at a time: the second leg is refused there, and not by our claims.
    assert "slot_taken" == (None if twins.booking.failure is None else twins.booking.failure.reason)
    assert 2 <= account.calls("create")
    assert "slot_taken" == (None if near.booking.failure is None else near.booking.failure.reason)
    assert ["legs[1].starts_at"] == [error.field for error in wrong.value.errors]
    assert [] == await installation.faults(account.ledger())


async def test_a_cancellation_goes_backwards_and_frees_all_rows_in_one_commit(
    installation: Installation, account: Account, event_types: dict[str, int]
) -> None:
    async with installation.opened() as app:
        booking = (await app.orchestrator.book_composite(a_row(), patience=PATIENT)).booking
        answers = [
            await app.orchestrator.cancel(a_cancellation(booking.booking_id, key="c"), patience=PATIENT)
            for _ in range(2)
        ]
        recorded = await app.store.log.read(booking.booking_id)
        rows = _rows(app, booking.booking_id)

    happened = named([one.event for one in recorded if isinstance(one.event, LegEvent)])
    ends = {
        one.append_id
        for one in recorded
        if isinstance(one.event, LegEvent) and isinstance(one.event.event, e.BookingCancelled)
    }
    assert [("cancelled", False), ("cancelled", True)] == [(it.booking.status.value, it.replayed) for it in answers]
    assert ["3 CalcomCancelAttempted", "2 CalcomCancelAttempted", "1 CalcomCancelAttempted"] == _undone(happened)
    assert ({"cancelled"}, 1) == ({status for _, status, _ in rows}, len(ends))
    assert [] == account.live()
    assert [] == await installation.faults(account.ledger())
