"""
What follows from commands about a composite.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid5

import pytest

from domain.booking import BookingStatus, initial_state
from domain.commands import RequestBooking, RequestCancellation, RequestComposite
from domain.composing import cancel_legs, initiate_composite
from domain.composite import CompositeInitiated, LegEvent
from domain.deciding import Repeat, judge_repeat
from domain.errors import AlreadyOver, KeyReused
from domain.events import BookingInitiated, CancellationRequested
from domain.evolving import fold
from domain.idempotency import fingerprint, key_for, leg_key
from domain.moving import BookingRescheduled
from tests.fakes.given import POLICY, SLOT, at, failed, request
from tests.fakes.legs import BEGUN, COMPOSITE_ID, KEY, ROW, SHAVE, composite, leg
from tests.unit.domain.test_legs import STANDS

COMMAND = RequestCancellation(reason="no need", command_id="c1")


def _legs(row: RequestComposite) -> list[BookingInitiated]:
    begun = initiate_composite(row, key=key_for(row), now=at(0), policy=POLICY)
    return [one.event for one in begun if isinstance(one, LegEvent) and isinstance(one.event, BookingInitiated)]


def _changed(place: int, **changes: object) -> RequestComposite:
    legs = list(ROW.legs)
    legs[place] = replace(legs[place], **changes)  # type: ignore[arg-type]
    return replace(ROW, legs=tuple(legs))


def test_it_begins_with_what_is_common_and_then_each_leg() -> None:
    begun, *legs = BEGUN

    assert isinstance(begun, CompositeInitiated)
    assert ("acme", ("cut", "shave", "color"), SLOT) == (begun.company_id, begun.services, begun.starts_at)
    assert SLOT + timedelta(hours=2) == begun.ends_at
    assert [1, 2, 3] == [one.leg for one in legs if isinstance(one, LegEvent)]


def test_each_leg_has_a_key_of_its_own() -> None:
    keys = [one.idempotency_key for one in _legs(ROW)]

    assert [leg_key(COMPOSITE_ID, number) for number in (1, 2, 3)] == keys
    assert str(uuid5(COMPOSITE_ID, "2")) == keys[1]


def test_no_leg_is_worth_waiting_for_longer_than_for_the_first_one_to_expire() -> None:
    assert 1 == len({one.valid_until for one in _legs(ROW)})
    assert SLOT == _legs(ROW)[2].valid_until


@pytest.mark.parametrize(("minutes", "beside"), [(0, True), (5, True), (6, False)])
def test_legs_are_no_near_duplicates_of_each_other(minutes: int, beside: bool) -> None:
    twin = request(starts_at=SLOT + timedelta(minutes=minutes), staff_id="dora")

    assert [False, beside] == [one.allow_near_duplicate for one in _legs(RequestComposite(legs=(request(), twin)))]


def test_legs_that_two_people_of_a_team_do_are_no_near_duplicates_of_each_other() -> None:
    cut = replace(request().service, staff_group="barbers")
    legs = (request(service=cut), request(service=replace(cut, service_id="cut-ben", staff_id="ben")))

    assert [False, True] == [one.allow_near_duplicate for one in _legs(RequestComposite(legs=legs))]


def test_the_derived_key_is_made_of_the_legs_and_not_of_who_serves() -> None:
    assert KEY == key_for(_changed(1, staff_id="dora"))
    assert KEY != key_for(_changed(1, starts_at=SLOT + timedelta(hours=3)))
    assert KEY != key_for(RequestComposite(legs=tuple(reversed(ROW.legs))))
    assert KEY != key_for(ROW, generation=1)
    assert not KEY.given


def test_a_given_key_is_the_same_for_whatever_is_booked_with_it() -> None:
    assert key_for(request(idempotency_key="k")) == key_for(replace(ROW, idempotency_key="k"))
    assert fingerprint(request()) != fingerprint(ROW)
    assert "acme" == ROW.service.company_id


@pytest.mark.parametrize(
    ("row", "repeat"),
    [
        (ROW, Repeat.SAME),
        (_changed(2, staff_id="dora"), Repeat.NEAR_DUPLICATE),
        (_changed(1, service=replace(SHAVE, duration_minutes=45)), Repeat.NEAR_DUPLICATE),
        (_changed(1, allow_near_duplicate=True), Repeat.SAME),
    ],
)
def test_a_repeat_is_judged_leg_by_leg(row: RequestComposite, repeat: Repeat) -> None:
    assert repeat is judge_repeat(composite(), row)


def test_what_is_over_or_was_moved_away_is_begun_anew() -> None:
    moved = BookingRescheduled(
        at=at(9), from_uid="uid-1", to_uid="uid-9", starts_at=at(99), ends_at=at(999), by="calcom"
    )
    all_moved = (event for number in (1, 2, 3) for event in leg(number, moved))
    over = composite(*(event for number in (1, 2, 3) for event in leg(number, failed())))

    assert Repeat.NEXT_GENERATION is judge_repeat(over, ROW)
    assert Repeat.NEXT_GENERATION is judge_repeat(composite(*STANDS, *all_moved), ROW)
    assert Repeat.SAME is judge_repeat(composite(*STANDS, *leg(1, moved)), ROW)


def test_a_given_key_with_other_legs_is_refused() -> None:
    given = replace(ROW, idempotency_key="k")
    begun = initiate_composite(given, key=key_for(given), now=at(0), policy=POLICY, customer_id=UUID(int=4))
    first: RequestBooking = request(idempotency_key="k")

    there = fold(initial_state(key_for(given).booking_id), begun)

    assert UUID(int=4) == there.facts.customer_id
    assert Repeat.SAME is judge_repeat(there, given)
    with pytest.raises(KeyReused):
        judge_repeat(there, first)


def test_a_cancellation_is_asked_of_every_leg_that_is_not_gone() -> None:
    whole = composite(*STANDS)
    asked = cancel_legs(whole, COMMAND, now=at(10))
    failing = composite(*leg(2, failed()))

    assert [1, 2, 3] == [one.leg for one in asked]
    assert all(isinstance(one.event, CancellationRequested) for one in asked)
    assert [1, 3] == [one.leg for one in cancel_legs(failing, COMMAND, now=at(10))]


def test_a_repeated_cancellation_asks_nothing_and_another_reason_is_refused() -> None:
    whole = composite(*STANDS)
    asked = composite(*STANDS, *cancel_legs(whole, COMMAND, now=at(10)))

    assert () == cancel_legs(asked, COMMAND, now=at(11))
    with pytest.raises(KeyReused):
        cancel_legs(asked, replace(COMMAND, reason="ill"), now=at(11))


def test_what_is_over_in_part_cannot_be_cancelled_as_a_whole() -> None:
    whole = composite(*STANDS)

    assert BookingStatus.BOOKED is whole.status
    with pytest.raises(AlreadyOver):
        cancel_legs(whole, COMMAND, now=SLOT + timedelta(minutes=40))
