"""
What appends of one batch are to each other for PostgreSQL, which writes them in one statement, and who sees of it what.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres.session import LOCK
from domain import events as e
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, Appended, Customer, DueAfter, Instead, Refusal
from tests.integration.storage.appends import (
    COMPANY,
    NOW,
    TEN,
    append,
    deferred,
    define_service,
    finish,
    initiated,
    opened,
    rows,
    start,
    withdraw,
)
from tests.servers.forking import FORKED
from tests.servers.postgres import PostgresServer


@pytest.mark.parametrize("kind", ["claim", "appointment", "appointment for another"])
@pytest.mark.parametrize("comes_first", [True, False])
def test_what_a_neighbour_frees_is_there_for_whoever_wants_it(postgres_url: str, kind: str, comes_first: bool) -> None:
    define_service(postgres_url)
    with opened(postgres_url) as database:
        facts = initiated(staff_id="ada")
        first = start(facts)
        booked = finish(first.stream_id, facts)
        database.append([first])
        frees = append(first.stream_id, 2, e.BookingCancelled(at=NOW, reason="requested"), releases_claim=True)
        wants = start(initiated(staff_id="ada"))
        if kind != "claim":
            assert booked.appointment is not None
            database.append([booked])
            frees = withdraw(first.stream_id, booked.appointment.appointment_id)
        if kind == "appointment for another":
            later = initiated(staff_id="ada", starts_at=TEN + timedelta(hours=4))
            second = start(later)
            database.append([second])
            wants = finish(second.stream_id, later, starts_at=facts.starts_at, ends_at=facts.ends_at)

        pair = [frees, wants] if comes_first else [wants, frees]
        others = [start() for _ in range(3)]
        told = database.append([*pair, *others])

    assert [Appended(events=one.events) for one in (*pair, *others)] == told


def test_of_one_persons_claims_that_name_no_customer_the_second_minds_the_first(postgres_url: str) -> None:
    customer_id = uuid4()
    beside, minding = (
        replace(start(initiated(customer_id=customer_id, allow_near_duplicate=allowed)), customer=None)
        for allowed in (True, False)
    )
    with opened(postgres_url) as database:
        told = database.append([beside, minding])

    assert ["", "near_duplicate"] == [
        one.refusal.by if one.refusal else "" for one in told if isinstance(one, Appended)
    ]


def test_who_is_refused_has_made_no_attempt(postgres_url: str) -> None:
    first = start(initiated(staff_id="ada"))

    def later(_: Refusal) -> Instead:
        return Instead(events=(deferred(),), due=DueAfter(delay=timedelta(0)))

    with opened(postgres_url) as database:
        database.append([first])
        refused = replace(start(initiated(staff_id="ada")), on_refused=later)
        database.append([refused, start()])

    told = f"SELECT attempt, lease_token FROM saga_due WHERE saga_id = '{refused.stream_id}'"
    assert [(0, None)] == rows(postgres_url, told)


def test_whoever_dies_while_it_waits_for_the_lock_has_sent_nothing_else(postgres_url: str) -> None:
    define_service(postgres_url)
    first = start()
    with psycopg.connect(postgres_url) as holder:
        holder.execute(LOCK)
        child = FORKED.Process(target=append_one, args=(postgres_url, replace(first, on_refused=None)))
        child.start()
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while holder.execute(waits).fetchone() == (0,):
            time.sleep(0.01)
        child.kill()
        child.join()
    with psycopg.connect(postgres_url) as next_one:
        next_one.execute(LOCK)

    for table in ("stored_events", "slot_claims", "saga_due", "customers"):
        assert [(0,)] == rows(postgres_url, f"SELECT count(*) FROM {table}")
    with opened(postgres_url) as database:
        assert [Appended(events=first.events)] == database.append([first])


def append_one(url: str, one: Append) -> None:
    """
    Append, in a process that will not see the end of it.
    """
    with opened(url) as database:
        database.append([one])


async def test_what_waits_in_vain_shows_nobodys_data_in_the_servers_log(
    mortal_server: PostgresServer, mortal_url: str
) -> None:
    define_service(mortal_url)
    facts = replace(initiated(person="Ada Lovelace"), call_id="call 17")
    sought = Customer(
        customer_id=facts.customer_id, company_id=COMPANY, name="Ada", email="ada@example.com", phone="+4930901820"
    )
    first = start(facts, customer=sought)
    with opened(mortal_url, lock_timeout=0.2) as database, psycopg.connect(mortal_url) as holder:
        database.append([start()])
        holder.execute(LOCK)
        for batch in ([first], [first, start()]):
            with pytest.raises(AppointmentDatabaseError):
                database.append(batch)

    told = mortal_server.log()
    assert 2 <= told.count("canceling statement due to lock timeout")
    assert [] == [secret for secret in ("Ada", "ada@", "901820", first.append_id) if secret in told]
