"""
What a booking costs the database, counted by PostgreSQL itself.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg

from sagas.appending import Appended, Customer, Lost
from tests.integration.storage.appends import (
    COMPANY,
    HALF_HOUR,
    TEN,
    define_service,
    finish,
    initiated,
    move,
    opened,
    start,
    withdraw,
)

SCANS = """
    SELECT relname, seq_tup_read FROM pg_stat_user_tables
    WHERE relname IN ('stored_events', 'slot_claims', 'appointments', 'saga_due', 'customers') AND idx_scan > 0
"""
READ = """
    SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'appointments' AND idx_scan > 0
"""
LOOKED_AT = """
    SELECT relname, (seq_tup_read + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relid = one.relid))::int
    FROM pg_stat_user_tables AS one
    WHERE relname IN ('stored_events', 'slot_claims', 'appointments', 'saga_due', 'customers') AND idx_scan > 0
"""
FILL = """
    INSERT INTO appointments (
        id, company_id, booking_id, idempotency_key, service_id, customer_id, starts_at, ends_at, status, source
    )
    SELECT gen_random_uuid(), 'practice', gen_random_uuid(), n::text, 'checkup', gen_random_uuid(), now(),
        now() + interval '1 hour', 'booked', 'past'
    FROM generate_series(1, 3000) AS n;
    INSERT INTO stored_events (originator_id, originator_version, topic, state)
    SELECT gen_random_uuid(), 1, 'past', '' FROM generate_series(1, 3000);
    INSERT INTO saga_due (saga_id, due_at, priority, attempt)
    SELECT gen_random_uuid(), now(), 5, 0 FROM generate_series(1, 3000);
    INSERT INTO customers (customer_id, company_id, name)
    SELECT gen_random_uuid(), 'practice', 'Ada' FROM generate_series(1, 3000);
    INSERT INTO slot_claims (
        booking_id, company_id, customer_id, service_id, starts_at, ends_at, starts_epoch, allow_near_duplicate
    )
    SELECT gen_random_uuid(), 'practice', gen_random_uuid(), 'checkup', now(), now() + interval '1 hour', n * 1000,
        false
    FROM generate_series(1, 3000) AS n
"""
DATA = re.compile(r"^\s*(WITH|SELECT|INSERT|UPDATE|DELETE|PREPARE)", re.IGNORECASE)


def counted(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """
    How many data statements and how many transactions the writer has made since the last reset.
    """
    found = connection.execute(
        "SELECT query, calls FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid "
        "WHERE datname = current_database() AND toplevel"
    ).fetchall()
    locks = sum(calls for query, calls in found if "pg_advisory_xact_lock" in query)
    statements = sum(calls for query, calls in found if DATA.match(query) and "pg_stat_statements" not in query)
    return statements - locks, locks


def test_a_booking_without_trouble_takes_two_data_statements_and_two_transactions(postgres_url: str) -> None:
    define_service(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        warm = start(initiated())
        database.append([warm])
        facts = initiated(staff_id="grace")
        first = start(facts)
        second = finish(first.stream_id, facts)

        connection.execute("SELECT pg_stat_statements_reset()")
        database.append([first])
        database.append([second])

        assert (2, 2) == counted(connection)


def test_whoever_was_not_met_before_costs_no_data_statement_more(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        database.append([start(initiated())])
        everybody = [
            Customer(
                customer_id=uuid4(), company_id=COMPANY, name="Grace", email=f"grace{number}@example.com", phone=None
            )
            for number in range(20)
        ]
        firsts = [start(initiated(customer_id=one.customer_id), customer=one) for one in everybody]
        later = TEN + timedelta(days=1)
        met = [
            start(initiated(customer_id=one.customer_id, starts_at=later), customer=replace(one, found=True))
            for one in everybody
        ]

        connection.execute("SELECT pg_stat_statements_reset()")
        database.append(firsts)
        new, _ = counted(connection)
        connection.execute("SELECT pg_stat_statements_reset()")
        database.append(met)
        known, _ = counted(connection)

        assert (1, 1) == (new, known)


def test_a_hundred_bookings_at_once_take_two_data_statements_together(postgres_url: str) -> None:
    define_service(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        database.append([start(initiated())])
        wishes = [initiated() for _ in range(100)]
        firsts = [start(facts) for facts in wishes]

        connection.execute("SELECT pg_stat_statements_reset()")
        database.append(firsts)
        database.append([finish(first.stream_id, facts) for first, facts in zip(firsts, wishes, strict=True)])

        assert (2, 2) == counted(connection)


def test_who_is_refused_takes_a_question_more_and_all_together_one_to_write_what_is_to_be_instead(
    postgres_url: str,
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        taken = [start(initiated(staff_id=f"grace {number}")) for number in range(2)]
        free = [start(initiated()) for _ in range(10)]
        database.append(taken)

        connection.execute("SELECT pg_stat_statements_reset()")
        late = [start(initiated(staff_id=f"grace {number}")) for number in range(2)]
        results = database.append([*late, *free])

        assert 2 == sum(result.refusal is not None for result in results if isinstance(result, Appended))
        assert (4, 1) == counted(connection)


def test_who_has_lost_takes_one_data_statement_more(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        first = start()
        database.append([first])

        connection.execute("SELECT pg_stat_statements_reset()")
        assert [Lost()] == database.append([start(stream_id=first.stream_id)])

        assert (2, 1) == counted(connection)


def test_a_move_adds_one_data_statement_and_one_more_if_it_is_refused(postgres_url: str) -> None:
    define_service(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        wishes = [initiated(staff_id="grace", starts_at=TEN + number * HALF_HOUR) for number in range(2)]
        firsts = [start(facts) for facts in wishes]
        database.append(firsts)
        seconds = [finish(first.stream_id, facts) for first, facts in zip(firsts, wishes, strict=True)]
        database.append(seconds)

        connection.execute("SELECT pg_stat_statements_reset()")
        database.append([move(seconds[0])])
        assert (3, 1) == counted(connection)

        connection.execute("SELECT pg_stat_statements_reset()")
        database.append([move(seconds[1], starts_at=TEN + timedelta(days=1), ends_at=TEN + timedelta(days=1, hours=1))])
        # The refused one is not counted, the question what has refused it is.
        assert (3, 1) == counted(connection)


def test_no_statement_of_an_append_reads_a_table_from_end_to_end(postgres_url: str) -> None:
    define_service(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:
        grace = [initiated(staff_id=f"grace {number}") for number in range(50)]
        for facts in grace:
            first = start(facts)
            database.append([first])
            second = finish(first.stream_id, facts)
            database.append([second])
            # Refused, and looked up.
            database.append([start(facts)])
            database.append([move(second)])
            # Onto the uid that the first of all has from here on: refused for all others.
            database.append([move(second, expected_version=5, calcom_booking_uid="uid")])
        database.close()

        # A backend hands in its counts when it ends.
        scans: dict[str, int] = {}
        while not scans:
            time.sleep(0.02)
            scans = dict(connection.execute(SCANS).fetchall())
        assert {"stored_events": 0, "slot_claims": 0, "appointments": 0, "saga_due": 0, "customers": 0} == scans


def test_plans_that_were_made_for_empty_tables_look_at_few_rows_once_they_are_full(postgres_url: str) -> None:
    define_service(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:

        def go_round() -> None:
            facts = initiated(staff_id="grace", starts_at=TEN + timedelta(days=99))
            first = start(facts)
            booked = finish(first.stream_id, facts)
            row = booked.appointment
            assert row is not None
            moved = move(booked, starts_at=facts.starts_at + HALF_HOUR, ends_at=facts.ends_at + HALF_HOUR)
            gone = withdraw(first.stream_id, row.appointment_id, expected_version=len(moved.events) + 4)
            for one in (first, booked, moved, gone):
                database.append([one])
            # The other course, which one that loses or frees its own slot takes.
            again = start(facts)
            database.append([replace(again, releases_claim=True), first])

        connection.execute("ANALYZE")
        go_round()
        connection.execute(FILL)
        connection.execute("SELECT pg_stat_reset()")
        go_round()
        database.close()

        # A backend hands in its counts when it ends.
        looked_at: dict[str, int] = {}
        while not looked_at:
            time.sleep(0.02)
            looked_at = dict(connection.execute(LOOKED_AT).fetchall())
        assert {} == {table: count for table, count in looked_at.items() if count > 60}


def test_whatever_a_company_has_booked_only_the_customers_own_is_looked_at(postgres_url: str) -> None:
    define_service(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:
        facts = initiated()
        first = start(facts)
        # Planned while the table is empty, as in a new installation.
        database.append([first, start(facts)])
        database.append([finish(first.stream_id, facts)])
        connection.execute(
            "INSERT INTO appointments (id, company_id, booking_id, idempotency_key, service_id, customer_id, "
            "starts_at, ends_at, status, source) "
            "SELECT gen_random_uuid(), 'practice', gen_random_uuid(), n::text, 'checkup', gen_random_uuid(), now(), "
            "now() + interval '1 hour', 'booked', 'past' FROM generate_series(1, 5000) AS n"
        )
        connection.execute("SELECT pg_stat_reset()")
        database.append([start(facts) for _ in range(10)])
        database.close()

        read: list[tuple[int, int]] = []
        while not read:
            time.sleep(0.02)
            read = connection.execute(READ).fetchall()
        [(walked, fetched)] = read
        # Each is refused by one row, and looks that up once more.
        assert (0, True) == (walked, fetched <= 40)
