"""
A booking that was wanted beside another one stands in the way of whoever has not asked for that, for either database.
"""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from adapters.recording.backend import Backend
from domain import events as e
from migrations.runner import migrate
from sagas.appending import Append, Appended
from tests.integration.storage.appends import define_service, finish, opened, start
from tests.integration.storage.test_migrations import without_check
from tests.integration.storage.test_offered_alike import ADA, BEN, HOW, claim, legs_of, refusal, why, wish

READ = "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'slot_claims' AND idx_scan > 0"


def wanted(minutes: int = 0) -> e.BookingInitiated:
    return wish(ADA, minutes=minutes, allow_near_duplicate=True)


@pytest.fixture
def url(database_url: str) -> str:
    """
    A migrated database of either kind that knows both people's services.
    """
    define_service(database_url, ADA)
    define_service(database_url, BEN)
    return database_url


@HOW
@pytest.mark.parametrize("service", [replace(ADA, staff_id=None), BEN], ids=["the same", "by somebody else"])
@pytest.mark.parametrize("minutes", [-6, -5, 0, 5, 6])
def test_it_is_in_the_way_of_one_that_is_not(database: Backend, how: object, service: object, minutes: int) -> None:
    booking_id, _ = how(database, wanted())  # type: ignore[operator]

    refused = claim(database, wish(service, minutes=minutes))[1]  # type: ignore[arg-type]
    assert (("near_duplicate", booking_id) if abs(minutes) <= 5 else None) == why(refused)


@HOW
def test_whoever_wants_it_beside_others_is_refused_by_none_of_them(database: Backend, how: object) -> None:
    beside = replace(wanted(), staff_id=None)
    for facts in (wish(BEN), beside, beside):
        assert how(database, facts)[1] is None  # type: ignore[operator]


def test_somebody_elses_is_in_nobodys_way(database: Backend) -> None:
    claim(database, wanted())
    elsewhere = start(wish(BEN))
    assert elsewhere.claim is not None

    assert refusal(database, replace(elsewhere, claim=replace(elsewhere.claim, company_id="elsewhere"))) is None
    assert claim(database, replace(wish(BEN), service=replace(BEN, name="Shave")))[1] is None


def test_in_one_batch_the_order_decides(database: Backend) -> None:
    beside, plain = start(wanted()), start(wish(BEN))
    plain_first, beside_second = start(wish(BEN, minutes=60)), start(wanted(60))

    refused = _together(database, beside, plain_first, plain, beside_second)

    assert [None, None, ("near_duplicate", beside.stream_id), None] == refused


def test_one_that_the_same_batch_refuses_is_in_nobodys_way(database: Backend) -> None:
    taken = start(wish(ADA, customer_id=uuid4()))
    beside, plain = start(wanted()), start(wish(BEN))

    refused = _together(database, taken, beside, plain)

    assert [None, ("staff_overlap", taken.stream_id), None] == refused


@HOW
def test_legs_are_in_the_way_and_are_refused_alike(database: Backend, how: object) -> None:
    legs = legs_of(wish(BEN, minutes=120, allow_near_duplicate=True), wanted(180))
    assert refusal(database, legs) is None
    booking_id, _ = how(database, wanted())  # type: ignore[operator]

    plain = claim(database, wish(BEN, minutes=180))[1]
    plain_legs = refusal(database, legs_of(wish(ADA, minutes=60), wish(BEN)))

    assert [("near_duplicate", legs.stream_id), ("near_duplicate", booking_id)] == [why(plain), why(plain_legs)]


def test_legs_and_others_of_one_batch_decide_as_if_one_came_after_the_other(database: Backend) -> None:
    beside, plain_legs = start(wanted()), legs_of(wish(ADA, minutes=60), wish(BEN))

    assert [("near_duplicate", beside.stream_id), None] == _together(database, plain_legs, beside)


def test_a_move_is_refused_by_it(database: Backend) -> None:
    beside = start(wanted())
    _together(database, beside)
    held = start(wish(BEN, minutes=120))
    _together(database, held)
    there = start(wish(BEN)).claim

    moves = finish(held.stream_id, wish(BEN), expected_version=2)
    assert ("near_duplicate", beside.stream_id) == why(
        refusal(database, replace(moves, appointment=None, releases_claim=False, claim=there))
    )


def test_what_was_under_way_before_is_in_the_way_afterwards(empty_database_url: str) -> None:
    migrate(empty_database_url, to="0006")
    with without_check(empty_database_url) as database:
        beside = claim(database, wanted())[0]

    migrate(empty_database_url)

    with opened(empty_database_url) as database:
        assert ("near_duplicate", beside) == why(claim(database, wish(BEN))[1])


def test_however_many_are_wanted_beside_others_only_the_customers_own_are_looked_at(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection, opened(postgres_url) as database:
        # Planned while the table is empty, as in a new installation.
        _together(database, start(wanted()), start(wish(BEN)))
        connection.execute(
            "INSERT INTO slot_claims (booking_id, company_id, customer_id, service_id, offered_as, starts_at, ends_at, "
            "starts_epoch, allow_near_duplicate) SELECT gen_random_uuid(), company_id, gen_random_uuid(), service_id, "
            "offered_as, starts_at, ends_at, starts_epoch, true FROM slot_claims, generate_series(1, 5000)"
        )
        connection.execute("SELECT pg_stat_reset()")
        refused = [claim(database, wish(BEN))[1] for _ in range(10)]
        database.close()

        read: list[tuple[int, int]] = []
        while not read:
            time.sleep(0.02)
            read = connection.execute(READ).fetchall()
        [(walked, fetched)] = read
        # Each is refused by one row, and looks that up once more; what was read before the reset may count after it.
        assert (True, True) == (None not in refused, walked + fetched <= 50)


def _together(database: Backend, *appends: Append) -> list[object]:
    results = database.append(appends)
    assert all(isinstance(one, Appended) for one in results)
    return [why(one.refusal) for one in results]  # type: ignore[union-attr]
