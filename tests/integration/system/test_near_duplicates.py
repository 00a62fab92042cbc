"""
One customer who asks for the same thing of several people is booked once, in real processes over each kind of database.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from adapters.bootstrap import Application
from adapters.verify import verify
from domain.booking import Booking
from domain.wish import BookAppointment, LegWish
from sagas.wishes import BookingResult, RescheduleAppointment
from tests.integration.system.account import Account
from tests.integration.system.barbers import PEOPLE, all_at_once, barbers, for_anybody
from tests.integration.system.composites import a_row
from tests.integration.system.installation import HALF_HOUR, PATIENT, START, Installation, a_wish, eventually, quiet

CUSTOMERS = 8


def by_name(person: str, number: int = 0, **more: Any) -> BookAppointment:  # noqa: ANN401 - any field of a wish
    return a_wish(number, key=None, service_id=f"cut-{person}", **more)


def through_the_group(number: int = 0, **more: Any) -> BookAppointment:  # noqa: ANN401 - any field of a wish
    return for_anybody(number, key=None, **more)


async def in_turn(app: Application, *wishes: BookAppointment) -> list[BookingResult]:
    return [await app.orchestrator.book(one, patience=PATIENT) for one in wishes]


def why(result: BookingResult) -> tuple[object, object] | None:
    failure = result.booking.failure
    return None if failure is None else (failure.reason, failure.conflicting_booking_id)


async def test_of_processes_that_choose_different_people_for_one_customer_one_wins(
    installation: Installation, account: Account
) -> None:
    await barbers(installation, account)
    routes = [
        *([by_name(person, number) for number in range(CUSTOMERS)] for person in PEOPLE),
        [through_the_group(number) for number in range(CUSTOMERS)],
    ]
    answers = all_at_once(installation, routes)
    async with installation.opened() as app:
        await quiet(app)
        bookings = [await app.engine.load(UUID(booking_id)) for booking_id in {one for _, one, _ in answers}]
        assert [] == await verify(app.store)

    customers: dict[object, list[Booking]] = {}
    for one in bookings:
        customers.setdefault(one.facts.customer_id, []).append(one)
    assert (CUSTOMERS, {len(routes)}) == (len(customers), {len(them) for them in customers.values()})
    for them in customers.values():
        _one_is_booked_and_all_others_name_it(them)
    assert CUSTOMERS == len(account.ledger()) == account.calls("create")
    assert [] == await installation.faults(account.ledger())


def _one_is_booked_and_all_others_name_it(bookings: Sequence[Booking]) -> None:
    [winner] = [one for one in bookings if one.failure is None]
    others = [one.failure for one in bookings if one.failure is not None]
    assert Counter({("near_duplicate", winner.booking_id): len(others)}) == Counter(
        (one.reason, one.conflicting_booking_id) for one in others
    )
    assert "booked" == winner.status.value


async def test_by_name_or_through_the_group_whoever_comes_second_is_told_of_the_first(
    installation: Installation, account: Account
) -> None:
    await barbers(installation, account)
    async with installation.opened(background=False) as app:
        group_first = await in_turn(app, through_the_group(0), *(by_name(one, 0) for one in ("ben", "cal")))
        name_first = await in_turn(app, by_name("cal", 1), through_the_group(1), by_name("ben", 1))
        wanted = await in_turn(app, by_name("ben", 2), through_the_group(2, allow_near_duplicate=True))
        later = await in_turn(app, by_name("ben", 3), through_the_group(3, starts_at=START + 12 * HALF_HOUR))

    for first, *others in (group_first, name_first):
        assert [None, *[("near_duplicate", first.booking.booking_id)] * 2] == [why(one) for one in (first, *others)]
    assert [None] * 4 == [why(one) for one in (*wanted, *later)]
    assert [] == await installation.faults(account.ledger())


async def test_one_that_is_wanted_beside_others_is_in_the_way_before_calcom_has_answered(
    installation: Installation, account: Account
) -> None:
    await barbers(installation, account)
    account.breaks("delay", operation="create", seconds=1.0, moment="before")
    async with installation.opened(background=False) as app:
        beside = asyncio.create_task(app.orchestrator.book(by_name("ada", allow_near_duplicate=True), patience=PATIENT))
        await eventually(lambda: _is_asked(account), "Cal.com is asked, and has not answered yet")
        plain = await app.orchestrator.book(by_name("ben"), patience=PATIENT)
        booked = await beside

    assert ("booked", ("near_duplicate", booked.booking.booking_id)) == (booked.booking.status.value, why(plain))
    assert [] == await installation.faults(account.ledger())


async def _is_asked(account: Account) -> bool:
    return account.calls("create") == 1 and not account.ledger()


async def test_a_move_meets_what_somebody_else_of_the_group_does(installation: Installation, account: Account) -> None:
    await barbers(installation, account)
    async with installation.opened(background=False) as app:
        there, moving = await in_turn(app, by_name("ada"), by_name("ben", starts_at=START + 4 * HALF_HOUR))
        stays = await app.orchestrator.reschedule(
            RescheduleAppointment(company_id="default", booking_id=moving.booking.booking_id, starts_at=START),
            patience=PATIENT,
        )

    assert stays.not_moved is not None
    assert ("near_duplicate", there.booking.booking_id, START + 4 * HALF_HOUR) == (
        stays.not_moved.reason,
        stays.not_moved.conflicting_booking_id,
        stays.booking.starts_at,
    )
    assert [] == await installation.faults(account.ledger())


async def test_legs_of_one_wish_are_no_near_duplicates_but_meet_those_of_others(
    installation: Installation, account: Account
) -> None:
    await barbers(installation, account)
    twins = [LegWish(service_id=f"cut-{person}", starts_at=START) for person in ("ada", "ben")]
    async with installation.opened(background=False) as app:
        both = await app.orchestrator.book_composite(a_row(legs=tuple(twins), key="both"), patience=PATIENT)
        third = await app.orchestrator.book(
            by_name("cal", customer=a_row().customer, starts_at=START), patience=PATIENT
        )
        await quiet(app)
        assert [] == await verify(app.store)

    assert ("booked", ("near_duplicate", both.booking.booking_id)) == (both.booking.status.value, why(third))
    assert [] == await installation.faults(account.ledger())


@pytest.mark.parametrize(
    "wishes",
    [[by_name(one) for one in PEOPLE], [through_the_group(source=one) for one in PEOPLE]],
    ids=["by name", "through the group"],
)
async def test_several_at_once_in_one_process_are_one_booking(
    installation: Installation, account: Account, wishes: list[BookAppointment]
) -> None:
    await barbers(installation, account)
    async with installation.opened() as app:
        results = await asyncio.gather(*(app.orchestrator.book(one, patience=PATIENT) for one in wishes))
        await quiet(app)

    _one_is_booked_and_all_others_name_it([one.booking for one in results])
    assert [] == await installation.faults(account.ledger())
