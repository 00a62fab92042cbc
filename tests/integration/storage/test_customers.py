"""
Customers are found in either database as they are in the model, and learn what they lack.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import count, product
from random import Random
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.database.customers import DatabaseCustomers
from adapters.database.tables import customers as table
from adapters.log.store import Store, open_store
from adapters.recording.backend import Backend
from sagas.appending import Append, Customer
from sagas.ports import Customers
from tests.fakes.customers import meant
from tests.integration.storage.appends import COMPANY, NOW, initiated, opened, rows, start

PHONES = (None, "+491701234567", "+491701234568", "+491701234569")
EMAILS = (None, "ada@example.com", "ADA@Example.com", "straße@example.com", "STRASSE@example.com", "İ@example.com")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """
    The store of a database of either kind, without any rows.
    """
    async with open_store(database_url) as store:
        yield store


def found_in(store: Store) -> DatabaseCustomers:
    return DatabaseCustomers(engine=store.engine, readers=store.readers, clock=store.clock)


def port(customers: DatabaseCustomers) -> Customers:
    return customers


def a_customer(phone: str | None, email: str | None, *, company_id: str = COMPANY, name: str = "Ada") -> Customer:
    return Customer(customer_id=uuid4(), company_id=company_id, name=name, email=email, phone=phone)


def insert(store: Store, *given: Customer) -> None:
    """
    Put customers into the table, each a second younger than the one before.
    """
    seconds = count()
    with store.engine.begin() as connection:
        for one in given:
            row = {
                "customer_id": one.customer_id,
                "company_id": one.company_id,
                "name": one.name,
                "email": one.email,
                "email_folded": one.email and one.email.casefold(),
                "phone": one.phone,
                "created_at": NOW + timedelta(seconds=next(seconds)),
            }
            connection.execute(table.insert().values(row))


@pytest.mark.parametrize("seed", range(4))
async def test_the_database_means_whom_the_model_means(store: Store, seed: int) -> None:
    random = Random(seed)
    everybody = [
        a_customer(random.choice(PHONES), random.choice(EMAILS), company_id=random.choice([COMPANY, "rival"]))
        for _ in range(random.randint(1, 12))
    ]
    insert(store, *everybody)
    ours = [one for one in everybody if one.company_id == COMPANY]

    for phone, email in product(PHONES, EMAILS):
        found = await found_in(store).find(company_id=COMPANY, phone=phone, email=email)
        assert meant(ours, phone=phone, email=email) == found, (phone, email)


async def test_only_the_companys_own_customers_are_found(store: Store) -> None:
    ours, theirs = a_customer(PHONES[1], EMAILS[1]), a_customer(PHONES[1], EMAILS[1], company_id="rival")
    insert(store, theirs, ours)
    customers = found_in(store)

    for company_id, expected in ((COMPANY, ours), ("rival", theirs), ("third", None)):
        customer_id = None if expected is None else expected.customer_id
        asked = [("phone", PHONES[1], None), ("email", None, EMAILS[2])]
        for _, phone, email in asked * 2:
            assert customer_id == await customers.find(company_id=company_id, phone=phone, email=email)
            listed = await customers.list(company_id=company_id, phone=phone, email=email)
            assert [one.customer_id for one in listed] == ([] if customer_id is None else [customer_id])


async def test_the_list_has_those_who_match_all_that_is_given(store: Store) -> None:
    both, phone_only = a_customer(PHONES[1], EMAILS[1]), a_customer(PHONES[1], None)
    insert(store, phone_only, both)

    async def listed(phone: str | None, email: str | None) -> list[UUID]:
        found = await found_in(store).list(company_id=COMPANY, phone=phone, email=email)
        return [one.customer_id for one in found]

    assert [phone_only.customer_id, both.customer_id] == await listed(PHONES[1], None)
    assert [both.customer_id] == await listed(PHONES[1], EMAILS[2])
    assert [both.customer_id] == await listed(None, EMAILS[1])
    assert [] == await listed(PHONES[2], EMAILS[1])


async def test_whose_a_phone_is_is_remembered_and_that_it_is_nobodys_is_not(store: Store) -> None:
    customers = found_in(store)
    assert await customers.find(company_id=COMPANY, phone=PHONES[1], email=None) is None
    ada = a_customer(PHONES[1], None)
    insert(store, ada)
    assert ada.customer_id == await customers.find(company_id=COMPANY, phone=PHONES[1], email=None)
    with store.engine.begin() as connection:
        connection.execute(table.delete())

    assert ada.customer_id == await customers.find(company_id=COMPANY, phone=PHONES[1], email=EMAILS[1])
    assert await customers.find(company_id=COMPANY, phone=None, email=EMAILS[1]) is None
    assert await found_in(store).find(company_id=COMPANY, phone=PHONES[1], email=None) is None


async def test_one_who_was_found_by_an_address_is_not_remembered_for_the_phone(store: Store) -> None:
    customers = found_in(store)
    by_address = a_customer(None, EMAILS[1])
    insert(store, by_address)
    assert by_address.customer_id == await customers.find(company_id=COMPANY, phone=PHONES[1], email=EMAILS[1])
    by_phone = a_customer(PHONES[1], None)
    insert(store, by_phone)

    assert by_phone.customer_id == await customers.find(company_id=COMPANY, phone=PHONES[1], email=EMAILS[1])


def first_of(customer: Customer) -> Append:
    facts = initiated(customer_id=customer.customer_id)
    return start(facts, customer=customer, claim=None)


def known(url: str) -> list[tuple[str, str | None, str | None, str | None]]:
    found = rows(url, "SELECT name, email, email_folded, phone FROM customers ORDER BY name")
    return [(name, email, folded, phone) for name, email, folded, phone in found]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "told",
    [
        [(None, None), ("Ada@Example.com", None), ("byron@example.com", PHONES[1]), (None, PHONES[2]), (None, None)],
        [(None, PHONES[1]), ("Ada@Example.com", PHONES[2]), ("byron@example.com", PHONES[1])],
    ],
    ids=["address first", "phone first"],
)
def test_a_customer_learns_what_is_missing_and_loses_nothing(
    database: Backend, url: str, told: list[tuple[str | None, str | None]], together: bool
) -> None:
    ada = a_customer(None, None)
    appends = [
        first_of(replace(ada, name=f"Ada {number}", email=email, phone=phone))
        for number, (email, phone) in enumerate(told)
    ]

    for batch in [appends] if together else [[one] for one in appends]:
        database.append(batch)

    assert [("Ada 0", "Ada@Example.com", "ada@example.com", PHONES[1])] == known(url)


def test_a_row_that_learns_nothing_is_not_written_anew(postgres_url: str) -> None:
    ada = a_customer(PHONES[1], EMAILS[1])
    with opened(postgres_url) as database:
        database.append([first_of(ada)])
        [before] = rows(postgres_url, "SELECT xmin::text FROM customers")
        database.append([first_of(ada)])

        assert [before] == rows(postgres_url, "SELECT xmin::text FROM customers")


async def test_finding_takes_one_statement_and_no_walk_through_the_table(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        async with open_store(postgres_url) as store:
            customers = found_in(store)
            # Planned while the table is empty, as in a new installation.
            for number in range(10):
                await customers.find(company_id=COMPANY, phone=f"+49170{number:07}", email=f"{number}@example.com")
            connection.execute(
                "INSERT INTO customers (customer_id, company_id, name, email, email_folded, phone) "
                "SELECT gen_random_uuid(), 'practice', 'x', n || '@a.com', n || '@a.com', '+4930' || n "
                "FROM generate_series(1, 20000) AS n"
            )
            connection.execute("CREATE EXTENSION pg_stat_statements")
            connection.execute("SELECT pg_stat_statements_reset()")
            connection.execute("SELECT pg_stat_reset()")
            for number in range(20):
                await customers.find(company_id=COMPANY, phone=f"+49170{number:07}", email=f"{number}@a.com")
            [counted] = connection.execute(
                "SELECT sum(calls) FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid "
                "WHERE datname = current_database() AND query LIKE 'SELECT customers.%'"
            ).fetchall()
            assert (20,) == counted
        scans: list[tuple[int, int]] = []
        while not scans:
            scans = connection.execute(
                "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables "
                "WHERE relname = 'customers' AND idx_scan > 0"
            ).fetchall()
        [(walked, fetched)] = scans
        assert 0 == walked
        assert fetched < 100
