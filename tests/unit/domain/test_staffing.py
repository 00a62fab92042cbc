"""
Whoever is free and has the least booked: the choice against a model that counts minute by minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import CustomerValidationError
from domain.offer import Offer
from domain.period import Period
from domain.service import Service
from domain.staffing import Busy, day_around, ranked, team_of

MIDNIGHT = datetime(2027, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = Period(starts_at=MIDNIGHT, ends_at=MIDNIGHT + timedelta(days=1))
ADA, BEN, CAL, DON = ("ada", "ben", "cal", "don")


def service(staff_id: str | None, **changes: object) -> Service:
    facts: dict[str, object] = {
        "company_id": "acme",
        "service_id": f"cut-{staff_id}",
        "name": "Cut",
        "duration_minutes": 30,
        "calcom_event_type_id": 1,
        "staff_id": staff_id,
        "staff_group": "barbers",
        **changes,
    }
    return Service(**facts)  # type: ignore[arg-type]


def period(starts: int, minutes: int) -> Period:
    return Period(starts_at=MIDNIGHT + starts * MINUTE, ends_at=MIDNIGHT + (starts + minutes) * MINUTE)


def busy(staff_id: str, starts: int, minutes: int, *, number: int = 100) -> Busy:
    return Busy(booking_id=UUID(int=number), staff_id=staff_id, period=period(starts, minutes))


TEAM = tuple(service(one) for one in (ADA, BEN, CAL))
# From the day before to the day after, so that some of it reaches over midnight.
TIMES = st.builds(busy, st.sampled_from((ADA, BEN, CAL, DON)), st.integers(-120, 1560), st.integers(1, 300))
SLOTS = st.builds(period, st.integers(0, 1439), st.integers(1, 120))


def minutes_of(one: Period) -> set[int]:
    first, last = ((it - MIDNIGHT) // MINUTE for it in (one.starts_at, one.ends_at))
    return set(range(first, last))


def booked_minutes(staff_id: str, taken: Sequence[Busy]) -> int:
    return sum(len(minutes_of(one.period) & minutes_of(DAY)) for one in taken if one.staff_id == staff_id)


def is_free(staff_id: str, taken: Sequence[Busy], slot: Period) -> bool:
    return not any(minutes_of(one.period) & minutes_of(slot) for one in taken if one.staff_id == staff_id)


def staff(services: Sequence[Service]) -> list[str | None]:
    return [one.staff_id for one in services]


@given(st.lists(TIMES, max_size=12), SLOTS)
def test_those_who_are_free_come_in_the_order_of_what_they_have_booked(taken: list[Busy], slot: Period) -> None:
    free = [one for one in (ADA, BEN, CAL) if is_free(one, taken, slot)]
    by_load = sorted((ADA, BEN, CAL), key=lambda one: (booked_minutes(one, taken), one))

    assert ([one for one in by_load if one in free] or by_load[:1]) == staff(ranked(TEAM, taken, slot=slot, day=DAY))


@given(st.lists(TIMES, max_size=12), SLOTS, st.integers(0, 1000))
def test_the_order_in_which_things_are_known_changes_nothing(taken: list[Busy], slot: Period, seed: int) -> None:
    chance = Random(seed)
    mixed_team, mixed = list(TEAM), list(taken)
    chance.shuffle(mixed_team)
    chance.shuffle(mixed)

    assert ranked(TEAM, taken, slot=slot, day=DAY) == ranked(mixed_team, mixed, slot=slot, day=DAY)


@given(st.lists(TIMES, max_size=8), SLOTS)
def test_more_work_never_brings_anybody_forward(taken: list[Busy], slot: Period) -> None:
    before = staff(ranked(TEAM, taken, slot=slot, day=DAY))
    first, *others = before
    more = [*taken, busy(str(first), 0, 1440)]
    after = staff(ranked(TEAM, more, slot=slot, day=DAY))

    assert others == [one for one in after if one != first] or not others
    assert after[0] == (others[0] if others else after[0])


@given(st.integers(1, 40), st.integers(1, 4), st.booleans())
def test_wishes_one_after_the_other_are_spread_evenly(wishes: int, people: int, same_time: bool) -> None:
    team = tuple(service(f"staff-{number}") for number in range(people))
    taken: list[Busy] = []
    for number in range(wishes):
        slot = period(10 * (number // people if same_time else number), 10)
        chosen = ranked(team, taken, slot=slot, day=DAY)[0]
        taken.append(replace(busy(str(chosen.staff_id), 0, 1, number=number), period=slot))

    counts = Counter(one.staff_id for one in taken)
    loads = [counts[str(one.staff_id)] for one in team]
    assert max(loads) - min(loads) <= 1
    assert not any(
        one.period.overlaps(other.period)
        for number, one in enumerate(taken)
        for other in taken[:number]
        if one.staff_id == other.staff_id
    )


def test_what_only_touches_a_slot_takes_nobody() -> None:
    around = [busy(ADA, 30, 30), busy(ADA, 90, 30), busy(BEN, 0, 200), busy(CAL, 59, 2)]

    assert [ADA] == staff(ranked(TEAM, around, slot=period(60, 30), day=DAY))


def test_two_services_of_one_person_are_told_apart_by_their_ids() -> None:
    team = (service(ADA, service_id="z"), service(ADA, service_id="a"))

    assert ["a", "z"] == [one.service_id for one in ranked(team, [], slot=period(0, 30), day=DAY)]


@given(
    st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - naive bounds
    st.sampled_from(("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Beirut")),
)
@example(datetime(2027, 3, 28, 0, 30, tzinfo=UTC), "Europe/Berlin")
def test_the_day_is_that_of_the_clock_on_the_wall(start: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    day = day_around(Period(starts_at=start, ends_at=start + MINUTE), zone)
    first, last = (it.astimezone(zone) for it in (day.starts_at, day.ends_at - timedelta.resolution))

    assert day.starts_at <= start < day.ends_at
    assert start.astimezone(zone).date() == last.date()
    # Where the clocks are put forward at midnight, the day begins at one.
    assert first.date() == last.date() or first.date() + timedelta(days=1) == last.date()
    assert timedelta(hours=23) <= day.ends_at - day.starts_at <= timedelta(hours=25)


def offers(*services: Service) -> list[Offer]:
    return [Offer(service=one) for one in services]


def team(named: Service, *group: Service, staff_group: str = "barbers", staff_id: str | None = None) -> list[str]:
    chosen = team_of(Offer(service=named), offers(*group), staff_group=staff_group, staff_id=staff_id)
    return [one.service.service_id for one in chosen]


def test_a_team_is_everybody_who_offers_the_same() -> None:
    named = service(BEN)
    group = (
        service(CAL),
        named,
        service(ADA),
        service(DON, duration_minutes=45),
        service("eve", name="Shave"),
        service("fay", staff_group="others"),
        service(None),
    )

    assert ["cut-ada", "cut-ben", "cut-cal"] == team(named, *group)
    assert ["cut-cal"] == team(named, *group, staff_id=CAL)
    # Whoever stands for the group may have no staff of its own.
    assert ["cut-ada", "cut-ben", "cut-cal"] == team(service(None), *group)


@pytest.mark.parametrize(
    ("named", "wished", "field", "says"),
    [
        (service(ADA), {"staff_group": "cooks"}, "staff_group", "barbers"),
        (service(ADA, staff_group=None), {}, "staff_group", "the service has none"),
        (service(None), {}, "staff_group", "staff_id"),
        (service(ADA), {"staff_id": DON}, "staff_id", "leave it out"),
        (service(ADA), {"staff_id": "cal-of-the-shaves"}, "staff_id", "leave it out"),
    ],
    ids=["another group", "no group", "nobody in it", "not of it", "of it for something else"],
)
def test_who_cannot_be_chosen_is_told_which_field_to_change(
    named: Service, wished: dict[str, str], field: str, says: str
) -> None:
    group = () if named.staff_id is None else (named, service("cal-of-the-shaves", name="Shave"))
    with pytest.raises(CustomerValidationError) as refused:
        team(named, *group, **wished)

    assert [field] == [one.field for one in refused.value.errors]
    assert says in str(refused.value)
