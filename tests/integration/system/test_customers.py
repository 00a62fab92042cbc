"""
Two processes that meet the same person at the same moment.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import cycle

import psycopg
import pytest

from adapters.verify import verify
from domain.errors import CustomerValidationError
from domain.wish import BookAppointment, CustomerWish
from tests.integration.storage.test_cost import counted
from tests.integration.system.account import Account
from tests.integration.system.installation import PATIENT, START, Installation, a_wish, quick, quiet

PHONE = "+491701234567"


def by(number: int, *, phone: str | None = PHONE, email: str | None = None) -> BookAppointment:
    customer = CustomerWish(name=f"Name {number}", phone=phone, email=email)
    return a_wish(number, key=None, customer=customer, starts_at=START + number * timedelta(minutes=30))


@pytest.mark.parametrize("phone", [PHONE, None], ids=["by phone", "by address"])
async def test_racing_wishes_of_one_person_make_one_customer(
    installation: Installation, account: Account, phone: str | None
) -> None:
    await installation.define(account.event_type())
    async with installation.opened(background=False) as here, installation.opened(background=False) as there:
        emails = cycle(["ada@example.com", "ADA@example.com"] if phone is None else [None, "ada@example.com"])
        wishes = [by(number, phone=phone, email=next(emails)) for number in range(12)]
        apps = [here if number % 3 else there for number in range(12)]
        answers = await asyncio.gather(
            *(app.orchestrator.book(wish, patience=PATIENT) for app, wish in zip(apps, wishes, strict=True))
        )
        await quiet(here)
        [known] = await here.directory.customers.list(
            company_id="default", phone=phone, email=None if phone else "ada@example.com"
        )

        assert {"booked"} == {one.booking.status.value for one in answers}
        assert {known.customer_id} == {one.booking.facts.customer_id for one in answers}
        assert (phone, "ada@example.com") == (known.phone, known.email and known.email.casefold())
        assert [] == await verify(here.store)
    assert [] == await installation.faults(account.ledger())


async def test_a_customer_is_the_same_by_the_other_route_in_another_process(
    installation: Installation, account: Account
) -> None:
    await installation.define(account.event_type())
    async with installation.opened(background=False) as here, installation.opened(background=False) as there:
        call = await here.orchestrator.book(by(0, email="ada@example.com"), patience=PATIENT)
        web = await there.orchestrator.book(by(3, phone=None, email="Ada@Example.com"), patience=PATIENT)
        near = await there.orchestrator.book(
            a_wish(
                key=None,
                customer=CustomerWish(name="Ada", email="ada@example.com"),
                starts_at=START + timedelta(minutes=5),
            ),
            patience=PATIENT,
        )
        again = await there.orchestrator.book(by(0, email="ada@example.com"), patience=PATIENT)

        assert call.booking.facts.customer_id == web.booking.facts.customer_id
        assert near.booking.failure is not None
        assert ("near_duplicate", call.booking.booking_id) == (
            near.booking.failure.reason,
            near.booking.failure.conflicting_booking_id,
        )
        assert (True, call.booking.booking_id) == (again.replayed, again.booking.booking_id)
        await quiet(here)
        assert [] == await verify(here.store)
    assert [] == await installation.faults(account.ledger())


async def test_whoever_turns_out_to_be_known_by_another_id_costs_three_statements_more(
    postgres_url: str, account: Account
) -> None:
    installed = Installation(settings=quick(postgres_url, account))
    await installed.define(account.event_type())
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        async with installed.opened(background=False) as app:
            known = await app.orchestrator.book(by(0, email="ada@example.com"), patience=PATIENT)
            await asyncio.to_thread(connection.execute, "SELECT pg_stat_statements_reset()")
            same = await app.orchestrator.book(by(6, email="ada@example.com"), patience=PATIENT)
            cost_of_the_same = await asyncio.to_thread(counted, connection)
            await asyncio.to_thread(connection.execute, "SELECT pg_stat_statements_reset()")
            other = await app.orchestrator.book(by(3, phone=None, email="ada@example.com"), patience=PATIENT)
            cost = await asyncio.to_thread(counted, connection)

    assert {known.booking.facts.customer_id} == {one.booking.facts.customer_id for one in (same, other)}
    assert ((2, 2), (5, 2)) == (cost_of_the_same, cost)


async def test_an_address_that_cal_com_makes_up_keeps_no_real_one_out(
    installation: Installation, account: Account
) -> None:
    event_type = account.event_type()
    await installation.define(event_type)
    async with installation.opened(background=False) as app:
        await app.orchestrator.book(by(0), patience=PATIENT)
        attendee = {"name": "Ada", "phoneNumber": PHONE, "timeZone": "UTC"}
        account.person_books(event_type, start=START + timedelta(hours=2), attendee=attendee)
        (swept,) = await app.reconciler.reconcile()
        [known] = await app.directory.customers.list(company_id="default", phone=PHONE, email=None)
        await app.orchestrator.book(by(8, email="ada@example.com"), patience=PATIENT)
        [after] = await app.directory.customers.list(company_id="default", phone=PHONE, email=None)
        await quiet(app)

    assert {f"{PHONE[1:]}@sms.cal.com"} == {one for row in account.ledger()[:2] for one in row["attendees"]}
    assert ["imported"] == [one.converged and one.converged.outcome for one in swept.findings]
    assert (None, "ada@example.com") == (known.email, after.email)
    assert [] == await installation.faults(account.ledger())


async def test_a_mumbled_wish_stores_nothing(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    async with installation.opened(background=False) as app:
        with pytest.raises(CustomerValidationError, match="ask the customer"):
            await app.orchestrator.book(a_wish(source="voice", confidence=0.4))
        assert 0 == await app.store.log.head()
        assert [] == await app.directory.customers.list(company_id="default", phone="+491701000000", email=None)
