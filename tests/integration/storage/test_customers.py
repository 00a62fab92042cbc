"""
Customers are found in either database as they are in the model, and learn what they lack.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.database.customers import DatabaseCustomers
from adapters.database.tables import customers as table
from adapters.log.store import Store, open_store
from adapters.recording.backend import Backend
from domain.events import BookingInitiated
from sagas.appending import Append, Appended, AppendResult, Customer
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


def first_of(customer: Customer, **more: Any) -> Append:  # noqa: ANN401 - fields of all types
    first = start(initiated(customer_id=customer.customer_id), customer=customer, **{"claim": None, **more})

    def for_customer(customer_id: UUID) -> Append:
        same = {"stream_id": first.stream_id, "append_id": first.append_id}
        return first_of(replace(customer, customer_id=customer_id), **more, **same)

    return replace(first, for_customer=for_customer)


def whose(result: AppendResult) -> UUID:
    assert isinstance(result, Appended)
    assert isinstance(result.events[0], BookingInitiated)
    return result.events[0].customer_id


def written(database: Backend, *given: Customer) -> list[UUID]:
    """
    Append the first events of these customers' bookings in one batch, and return under which ids they are customers.
    """
    return [whose(one) for one in database.append([first_of(one) for one in given])]


def learned(known: Customer, given: Customer) -> Customer:
    return replace(known, email=known.email or given.email, phone=known.phone or given.phone)


@pytest.mark.parametrize("seed", range(4))
def test_the_database_means_whom_the_model_means(database: Backend, seed: int) -> None:
    random = Random(seed)
    model: dict[UUID, Customer] = {}
    for _ in range(40):
        one = a_customer(random.choice(PHONES), random.choice(EMAILS), company_id=random.choice([COMPANY, "rival"]))
        ours = [it for it in model.values() if it.company_id == one.company_id]
        expected = meant(ours, phone=one.phone, email=one.email) or one.customer_id

        [customer_id] = written(database, one)

        assert expected == customer_id
        model[customer_id] = learned(model.get(customer_id, replace(one, customer_id=customer_id)), one)


@pytest.mark.parametrize("seed", range(4))
def test_a_phone_is_one_customers_however_many_come_at_once(database: Backend, url: str, seed: int) -> None:
    random = Random(seed)
    everybody: list[tuple[Customer, UUID]] = []
    for _ in range(10):
        batch = [
            a_customer(random.choice(PHONES), random.choice(EMAILS), company_id=random.choice([COMPANY, "rival"]))
            for _ in range(random.randint(1, 6))
        ]
        everybody += zip(batch, written(database, *batch), strict=True)

    phones: dict[tuple[str, str], UUID] = {}
    for one, customer_id in everybody:
        if one.phone is not None:
            assert customer_id == phones.setdefault((one.company_id, one.phone), customer_id)
    shared = "SELECT phone FROM customers WHERE phone IS NOT NULL GROUP BY company_id, phone HAVING count(*) > 1"
    assert [] == rows(url, shared)
    owners = {
        UUID(str(customer_id)): email
        for customer_id, email in rows(url, "SELECT customer_id, email_folded FROM customers")
    }
    for one, customer_id in everybody:
        if one.phone is None and one.email is not None:
            assert one.email.casefold() == owners[customer_id]


def test_who_comes_by_phone_and_who_by_address_at_the_same_instant_are_one(database: Backend) -> None:
    by_both, by_address, by_phone = (
        a_customer(PHONES[1], EMAILS[1]),
        a_customer(None, EMAILS[2]),
        a_customer(PHONES[1], None),
    )

    assert {by_both.customer_id} == set(written(database, by_both, by_address, by_phone))


@pytest.mark.parametrize(
    "email",
    ["o'hara@example.com", 'a"b', "a\\b'c", "{a,b}", "NULL", "%s $1 {} :phone", "', '{}') --", "é😀"],
)
def test_an_address_is_looked_for_as_it_is(database: Backend, email: str) -> None:
    one, same, other = a_customer(None, email), a_customer(None, email), a_customer(None, "x" + email)

    # The second batch finds them in the table.
    assert [one.customer_id] == written(database, one)
    assert [one.customer_id, other.customer_id] == written(database, same, other)


def test_where_the_phones_differ_an_address_makes_nobody_the_same(database: Backend) -> None:
    one, other = a_customer(PHONES[1], EMAILS[1]), a_customer(PHONES[2], EMAILS[1])

    assert [one.customer_id, other.customer_id] == written(database, one, other)


@pytest.mark.parametrize("together", [True, False])
def test_a_phone_is_one_customers_whoever_learns_it_first(database: Backend, url: str, together: bool) -> None:
    known, by_both, by_phone = (
        a_customer(None, EMAILS[1]),
        a_customer(PHONES[1], EMAILS[1]),
        a_customer(PHONES[1], None),
    )
    written(database, known)

    if together:
        assert [known.customer_id] * 2 == written(database, by_both, by_phone)
    else:
        assert [by_phone.customer_id] * 2 == written(database, by_phone) + written(database, by_both)

    assert 1 == len([row for row in rows(url, "SELECT phone FROM customers") if row == (PHONES[1],)])


@pytest.mark.parametrize("together", [True, False])
def test_whose_customer_has_learned_another_phone_is_somebody_new(database: Backend, together: bool) -> None:
    known, one, other = a_customer(None, EMAILS[1]), a_customer(PHONES[1], EMAILS[1]), a_customer(PHONES[2], EMAILS[1])
    written(database, known)

    ids = written(database, one, other) if together else written(database, one) + written(database, other)

    assert [known.customer_id, other.customer_id] == ids


def test_all_that_is_written_is_of_whoever_was_met(database: Backend, url: str) -> None:
    [ada] = written(database, a_customer(PHONES[1], EMAILS[1]))
    claim = start(initiated(staff_id="grace")).claim
    assert claim is not None
    one = first_of(a_customer(PHONES[1], None))

    def for_customer(customer_id: UUID) -> Append:
        assert one.for_customer is not None
        return replace(one.for_customer(customer_id), claim=replace(claim, customer_id=customer_id))

    whole = replace(one, claim=claim, for_customer=for_customer)
    [first], [again] = database.append([whole]), database.append([whole])

    # An append whose acknowledgement was lost is recognized all the same.
    assert (ada, first) == (whose(first), again)
    for name in ("customers", "slot_claims"):
        assert [ada] == [UUID(str(who)) for (who,) in rows(url, f"SELECT customer_id FROM {name}")]


def test_whoever_is_met_meets_their_own_bookings(database: Backend) -> None:
    [ada] = written(database, a_customer(PHONES[1], EMAILS[1]))
    theirs = start(initiated(customer_id=ada))
    database.append([theirs])
    again = first_of(a_customer(None, EMAILS[1]), claim=theirs.claim)

    [result] = database.append([again])

    assert isinstance(result, Appended)
    assert result.refusal is not None
    assert ("near_duplicate", theirs.stream_id) == (result.refusal.by, result.refusal.booking_id)


def test_whoever_is_looked_for_says_what_is_written_if_they_are_found(database: Backend, url: str) -> None:
    written(database, a_customer(PHONES[1], EMAILS[1]))
    before = rows(url, "SELECT count(*) FROM stored_events")

    with pytest.raises(ValueError, match="before"):
        database.append([replace(first_of(a_customer(PHONES[1], None)), for_customer=None)])
    assert before == rows(url, "SELECT count(*) FROM stored_events")


async def test_only_the_companys_own_customers_are_found(store: Store) -> None:
    ours, theirs = a_customer(PHONES[1], EMAILS[1]), a_customer(PHONES[1], EMAILS[1], company_id="rival")
    insert(store, theirs, ours)
    customers = found_in(store)

    for company_id, expected in ((COMPANY, ours), ("rival", theirs), ("third", None)):
        customer_id = None if expected is None else expected.customer_id
        for phone, email in ((PHONES[1], None), (None, EMAILS[2])):
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


async def test_whose_a_phone_is_is_remembered_for_each_company(store: Store) -> None:
    customers, ada = found_in(store), uuid4()
    assert customers.recall(company_id=COMPANY, phone="+491701234567") is None
    customers.remember(company_id=COMPANY, phone="+491701234567", customer_id=ada)

    assert ada == customers.recall(company_id=COMPANY, phone="+491701234567")
    assert customers.recall(company_id="rival", phone="+491701234567") is None
    assert found_in(store).recall(company_id=COMPANY, phone="+491701234567") is None


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
        first_of(replace(ada, name=f"Ada {number}", email=email, phone=phone, found=True))
        for number, (email, phone) in enumerate(told)
    ]

    for batch in [appends] if together else [[one] for one in appends]:
        database.append(batch)

    assert [("Ada 0", "Ada@Example.com", "ada@example.com", PHONES[1])] == known(url)


async def test_who_was_listed_by_phone_is_remembered(store: Store) -> None:
    customers = DatabaseCustomers(engine=store.engine, readers=store.readers, clock=store.clock)
    ada, byron = a_customer(PHONES[1], None), a_customer(PHONES[2], EMAILS[1])
    insert(store, ada, byron)
    await customers.list(company_id=COMPANY, phone=PHONES[1], email=None)
    await customers.list(company_id=COMPANY, phone=PHONES[2], email=EMAILS[1])
    await customers.list(company_id=COMPANY, phone=PHONES[3], email=None)

    assert [ada.customer_id, None, None] == [
        customers.recall(company_id=COMPANY, phone=phone) for phone in PHONES if phone is not None
    ]
    assert None is customers.recall(company_id="another", phone="+491701234567")


def test_a_row_that_learns_nothing_is_not_written_anew(postgres_url: str) -> None:
    ada = a_customer(PHONES[1], EMAILS[1])
    with opened(postgres_url) as database:
        database.append([first_of(ada)])
        [before] = rows(postgres_url, "SELECT xmin::text FROM customers")
        database.append([first_of(ada)])

        assert [before] == rows(postgres_url, "SELECT xmin::text FROM customers")


def test_finding_takes_one_statement_and_no_walk_through_the_table(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        with opened(postgres_url) as database:
            # Planned while the table is empty, as in a new installation.
            for number in range(10):
                written(database, a_customer(f"+49170{number:07}", f"{number}@example.com"))
            connection.execute(
                "INSERT INTO customers (customer_id, company_id, name, email, email_folded, phone) "
                "SELECT gen_random_uuid(), 'practice', 'x', n || '@a.com', n || '@a.com', '+4930' || n "
                "FROM generate_series(1, 20000) AS n"
            )
            connection.execute("CREATE EXTENSION pg_stat_statements")
            connection.execute("SELECT pg_stat_statements_reset()")
            connection.execute("SELECT pg_stat_reset()")
            everybody = [a_customer(None if n % 2 else f"+4930{n}", f"{n}@a.com") for n in range(1, 21)]
            met = written(database, *everybody)
            assert set() == {one.customer_id for one in everybody} & set(met)
            [counted] = connection.execute(
                "SELECT sum(calls) FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid "
                "WHERE datname = current_database() AND query LIKE '%JOIN LATERAL%customers%'"
            ).fetchall()
            assert (1,) == counted
        scans: list[tuple[int, int]] = []
        while not scans:
            scans = connection.execute(
                "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables "
                "WHERE relname = 'customers' AND idx_scan > 0"
            ).fetchall()
        [(walked, fetched)] = scans
        assert 0 == walked
        assert fetched < 100
