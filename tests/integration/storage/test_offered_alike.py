"""
The same thing by somebody else of a staff group is a near-duplicate, for either database, whoever came first and how.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from adapters.recording.backend import Backend
from domain import events as e
from domain.service import Service
from sagas.appending import Append, Appended, LegRows, Refusal
from tests.integration.storage.appends import (
    COMPANY,
    HALF_HOUR,
    SERVICE,
    TEN,
    append,
    deferred,
    define_service,
    finish,
    initiated,
    rows,
    start,
)

MINUTE = timedelta(minutes=1)
ALONE = replace(SERVICE, service_id="cut-ada", name="Cut", staff_id="ada")
ADA = replace(ALONE, staff_group="barbers")
BEN = replace(ADA, service_id="cut-ben", staff_id="ben")
EVE = UUID(int=7)


def wish(service: Service, *, minutes: int = 0, **more: object) -> e.BookingInitiated:
    starts_at = TEN + minutes * MINUTE
    facts = initiated(customer_id=EVE, staff_id=service.staff_id, starts_at=starts_at)
    return replace(facts, service=service, **more)  # type: ignore[arg-type]


def claim(database: Backend, facts: e.BookingInitiated) -> tuple[UUID, Refusal | None]:
    first = start(facts)
    return first.stream_id, refusal(database, first)


def book(database: Backend, facts: e.BookingInitiated) -> tuple[UUID, Refusal | None]:
    booking_id, refused = claim(database, facts)
    assert (refused, None) == (None, refusal(database, finish(booking_id, facts)))
    return booking_id, refused


def refusal(database: Backend, one: Append) -> Refusal | None:
    [result] = database.append([one])
    assert isinstance(result, Appended)
    return result.refusal


def why(refused: Refusal | None) -> tuple[str, UUID | None] | None:
    return None if refused is None else (refused.by, refused.booking_id)


@pytest.fixture
def url(database_url: str) -> str:
    """
    A migrated database of either kind that knows both people's services.
    """
    define_service(database_url, ADA)
    define_service(database_url, BEN)
    return database_url


HOW = pytest.mark.parametrize("how", [claim, book], ids=["claimed", "booked"])


@HOW
@pytest.mark.parametrize("minutes", [-6, -5, 0, 5, 6])
def test_the_same_by_somebody_else_is_refused_by_what_is_there(database: Backend, how: object, minutes: int) -> None:
    booking_id, _ = how(database, wish(ADA))  # type: ignore[operator]

    _, refused = claim(database, wish(BEN, minutes=minutes))

    assert (("near_duplicate", booking_id) if abs(minutes) <= 5 else None) == why(refused)


@HOW
@pytest.mark.parametrize(
    "changes",
    [{"name": "Shave"}, {"duration_minutes": 45}, {"staff_group": "cooks"}, {"staff_group": None}],
    ids=lambda changes: next(iter(changes)),
)
def test_another_thing_by_somebody_else_is_no_near_duplicate(
    database: Backend, how: object, changes: dict[str, object]
) -> None:
    how(database, wish(ADA))  # type: ignore[operator]

    assert claim(database, wish(replace(BEN, **changes)))[1] is None  # type: ignore[arg-type]


@HOW
@pytest.mark.parametrize(
    "changes",
    [{"name": "Haircut"}, {"duration_minutes": 45}, {"staff_group": None}],
    ids=lambda changes: next(iter(changes)),
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_service_is_the_same_whatever_it_is_called_by_now(
    database: Backend, how: object, changes: dict[str, object], turned: bool
) -> None:
    # Of nobody, so that no overlap comes first.
    before = replace(ADA, staff_id=None)
    after = replace(before, **changes)  # type: ignore[arg-type]
    first, second = (after, before) if turned else (before, after)
    booking_id, _ = how(database, wish(first))  # type: ignore[operator]

    assert ("near_duplicate", booking_id) == why(claim(database, wish(second, minutes=5))[1])


@HOW
def test_one_that_is_wanted_beside_it_is_taken(database: Backend, how: object) -> None:
    how(database, wish(ADA))  # type: ignore[operator]

    assert claim(database, wish(BEN, allow_near_duplicate=True))[1] is None


@HOW
def test_somebody_elses_and_another_companys_are_in_nobodys_way(database: Backend, how: object) -> None:
    how(database, wish(ADA))  # type: ignore[operator]
    elsewhere = start(wish(BEN))
    assert elsewhere.claim is not None

    assert claim(database, wish(BEN, customer_id=uuid4()))[1] is None
    assert refusal(database, replace(elsewhere, claim=replace(elsewhere.claim, company_id="elsewhere"))) is None


def test_two_of_one_batch_refuse_each_other(database: Backend) -> None:
    first, second = start(wish(ADA)), start(wish(BEN))

    results = database.append([first, second])

    assert [None, ("near_duplicate", first.stream_id)] == [why(one.refusal) for one in results]  # type: ignore[union-attr]


@HOW
def test_a_move_meets_what_somebody_else_does_at_the_new_time(database: Backend, how: object) -> None:
    moving, _ = book(database, wish(BEN, minutes=120))
    there, _ = how(database, wish(ADA))  # type: ignore[operator]

    refused = refusal(database, _to(moving, wish(BEN)))
    to_itself = refusal(database, _to(moving, wish(BEN, minutes=122)))

    assert (("near_duplicate", there), None) == (why(refused), why(to_itself))


def _to(booking_id: UUID, facts: e.BookingInitiated) -> Append:
    def stays(refused: Refusal) -> object:
        first = start(facts)
        assert first.on_refused is not None
        return replace(first.on_refused(refused), events=())

    return append(booking_id, 4, deferred(), claim=start(facts).claim, on_refused=stays)


@HOW
def test_a_leg_meets_what_somebody_else_does_and_is_met_by_it(database: Backend, how: object) -> None:
    there, _ = how(database, wish(ADA))  # type: ignore[operator]
    refused = refusal(database, legs_of(wish(BEN), wish(ADA, minutes=60)))
    legs = legs_of(wish(BEN, minutes=120), wish(BEN, minutes=180))
    taken = refusal(database, legs)
    late = claim(database, wish(ADA, minutes=180))[1]

    assert (("near_duplicate", there), None) == (why(refused), why(taken))
    assert ("near_duplicate", legs.stream_id) == why(late)


def legs_of(*legs: e.BookingInitiated) -> Append:
    whole = start(legs[0])
    claims = [start(one).claim for one in legs]
    held = tuple(
        LegRows(leg=leg, claim=None if one is None else replace(one, leg=leg), on_refused=whole.on_refused)
        for leg, one in enumerate(claims, start=1)
    )
    return replace(whole, claim=None, on_refused=None, legs=held)


@pytest.mark.parametrize(
    ("service_id", "wanted", "is_refused"),
    [("cut-ada", ADA, True), ("cut-ada", ALONE, True), ("cut-ada", BEN, False), ("by-hand", ADA, False)],
    ids=["the same", "the same, of no group", "of somebody else", "another"],
)
def test_what_other_software_writes_is_of_its_service(
    url: str, database: Backend, service_id: str, wanted: Service, is_refused: bool
) -> None:
    booking_id = uuid4()
    begins, ends, now = (f"'{one.isoformat(timespec='microseconds')}'" for one in (TEN, TEN + HALF_HOUR, TEN))
    rows(
        url,
        "INSERT INTO appointments (id, company_id, booking_id, idempotency_key, service_id, customer_id, starts_at, "
        f"ends_at, status, source, created_at, updated_at) VALUES ('{uuid4().hex}', '{COMPANY}', '{booking_id.hex}', "
        f"'k', '{service_id}', '{EVE.hex}', {begins}, {ends}, 'booked', 'desk', {now}, {now})",
    )

    assert (("near_duplicate", booking_id) if is_refused else None) == why(claim(database, wish(wanted))[1])


def test_it_is_written_beside_the_service(url: str, database: Backend) -> None:
    book(database, wish(ADA))
    claim(database, wish(ALONE, customer_id=uuid4(), staff_id=None))

    assert [("cut-ada", "barbers 30 Cut")] == rows(url, "SELECT service_id, offered_as FROM appointments")
    assert [("cut-ada", "cut-ada")] == rows(url, "SELECT service_id, offered_as FROM slot_claims")
