"""
Free slots: what is cached equals what Cal.com would say, whatever is booked, moved and cancelled by whichever process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.availability import log_watch
from adapters.availability.free_slots import FRESH, Availability
from domain import events as e
from domain.degradation import Feature
from domain.errors import CalcomBookingError, CustomerValidationError, UnknownService
from domain.offer import Offer
from domain.opening_hours import parse_opening_hours
from domain.period import Period
from tests.fakes.given import refused
from tests.unit.adapters.availability.office import (
    ANYBODY,
    COLOR,
    CUT,
    HALF_HOUR,
    MIDNIGHT,
    UTC_ZONE,
    Office,
    on,
)

DAY = MIDNIGHT.date()
TEN = MIDNIGHT + timedelta(hours=10)
AWAY = CalcomBookingError("away", status=None, transient=True)
GONE = CalcomBookingError("gone", status=404)


async def test_days_are_asked_for_once_and_missing_ones_in_one_call() -> None:
    office = Office()
    process = office.process()
    first = await on(process, DAY + timedelta(days=1))
    office.clock.advance(60)
    week = await on(process, DAY, days=4)
    again = await on(process, DAY, days=4)

    assert ("calcom", 0, 48) == (first.source, first.age_seconds, len(first.starts))
    assert ("cache", 60, 4 * 48) == (week.source, week.age_seconds, len(week.starts))
    assert ("cache", 0, week.starts) == (again.source, again.age_seconds, again.starts)
    assert [(1, 24), (1, 96)] == [
        (event_type, round((until - since) / timedelta(hours=1))) for event_type, since, until in office.calcom.calls
    ]


async def test_of_a_long_span_only_what_is_missing_is_asked_for() -> None:
    office = Office()
    process = office.process()
    await on(process, DAY, days=8)
    await on(process, DAY, days=20)

    assert [8, 12] == [round((until - since) / timedelta(days=1)) for _, since, until in office.calcom.calls]


async def test_slots_are_told_in_the_time_zone_that_is_asked_for_and_dates_are_its_days() -> None:
    office = Office()
    free = await office.process().find(
        company_id="acme", service_id="cut", since=DAY, until=DAY, time_zone="America/New_York"
    )

    assert (48, "T00:00:00-05:00", "T23:30:00-05:00") == (
        len(free.starts),
        free.starts[0].isoformat()[10:],
        free.starts[-1].isoformat()[10:],
    )


async def test_without_a_time_zone_it_is_the_services() -> None:
    office = Office()
    office.offers["cut"] = Offer(service=replace(CUT, time_zone="Asia/Tokyo"))
    free = await office.process().find(company_id="acme", service_id="cut", since=DAY, until=DAY)

    assert "+09:00" == free.starts[0].isoformat()[-6:]


async def test_what_is_taken_here_is_left_out_though_cal_com_offers_it() -> None:
    office = Office()
    process = office.process()
    await on(process, DAY)
    booking_id = office.books(1, CUT, TEN)
    del office.calcom.taken[booking_id]
    office.log.entries.clear()

    free = await on(process, DAY, service="color")
    assert {TEN + number * HALF_HOUR for number in (-2, -1, 0)}.isdisjoint(free.starts)
    assert {TEN - 3 * HALF_HOUR, TEN + HALF_HOUR} <= set(free.starts)


async def test_closed_hours_and_the_notice_are_left_out() -> None:
    office = Office()
    hours = parse_opening_hours({"tue": [["09:00", "11:00"]], "mon": [["09:00", "11:00"]]})
    office.offers["cut"] = Offer(service=replace(CUT, notice_minutes=30), opening_hours=hours)
    monday = office.clock.now().date()
    office.clock.advance(-1)
    process = office.process()

    assert [9.5, 10.0, 10.5] == [it.hour + it.minute / 60 for it in (await on(process, monday)).starts]
    assert [9, 9.5, 10, 10.5] == [
        it.hour + it.minute / 60 for it in (await on(process, monday + timedelta(days=1))).starts
    ]


async def test_an_unknown_service_is_an_error() -> None:
    with pytest.raises(UnknownService):
        await on(Office().process(), DAY, service="nothing")


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (DAY, DAY - timedelta(days=1)),
        (DAY, DAY + timedelta(days=31)),
        (date(2020, 1, 1), date(2020, 1, 2)),
        (date(2040, 1, 1), date(2040, 1, 2)),
        (date.max, date.max),
        (TEN, TEN),
        (TEN, TEN - HALF_HOUR),
        (TEN, TEN + timedelta(days=31, hours=2)),
    ],
)
async def test_a_span_that_is_none_is_a_wrong_field(since: date, until: date) -> None:
    office = Office()
    with pytest.raises(CustomerValidationError) as caught:
        await office.process().find(company_id="acme", service_id="cut", since=since, until=until)

    assert caught.value.has_field_error("to")
    assert [] == office.calcom.calls


async def test_31_days_are_one_call_even_when_the_clock_changes() -> None:
    office = Office()
    free = await office.process().find(
        company_id="acme", service_id="cut", since=DAY, until=DAY + timedelta(days=30), time_zone="Europe/Berlin"
    )

    # The clock is put forward on 28 March 2027.
    assert 31 * 48 - 2 == len(free.starts)
    assert 1 == len(office.calcom.calls)


@pytest.mark.parametrize("name", ["cut", "anybody"])
async def test_when_cal_com_fails_an_hour_old_answer_stands_in_less_what_was_booked_since(name: str) -> None:
    office = Office()
    process = office.process()
    await on(process, DAY, service=name)
    office.clock.advance(3000)
    office.books(1, office.offers[name].service, TEN)
    office.calcom.error = AWAY
    free = await on(process, DAY, service=name)
    office.clock.advance(600)

    assert ("stale", 3000, 47) == (free.source, free.age_seconds, len(free.starts))
    assert TEN not in free.starts
    with pytest.raises(CalcomBookingError):
        await on(process, DAY, service=name)
    assert {"miss": 1, "stale": 1, "error": 1} == office.counted


async def test_of_an_event_type_that_is_gone_nothing_stands_in() -> None:
    office = Office()
    process = office.process()
    await on(process, DAY)
    office.clock.advance(601)
    office.calcom.error = GONE

    with pytest.raises(CalcomBookingError):
        await on(process, DAY)


async def test_a_booking_through_one_process_is_seen_by_the_other_at_once() -> None:
    office = Office()
    one, other = office.process(shared=False), office.process(shared=False)
    for process in (one, other):
        await on(process, DAY, service="anybody")
    office.books(1, ANYBODY, TEN)

    for process in (one, other):
        free = await on(process, DAY, service="anybody")
        assert ("calcom", False) == (free.source, TEN in free.starts)


async def test_a_slot_that_cal_com_refused_is_not_offered_again() -> None:
    office = Office()
    process = office.process()
    booking_id = office.books(1, ANYBODY, TEN)
    await on(process, DAY, service="anybody")
    office.notes(booking_id, refused())

    assert "calcom" == (await on(process, DAY, service="anybody")).source


async def test_other_days_and_what_says_nothing_of_slots_leave_the_cache_alone() -> None:
    office = Office()
    process = office.process()
    booking_id = office.books(1, CUT, TEN + timedelta(days=3))
    await on(process, DAY)
    office.notes(booking_id, e.CalcomBookingAttempted(at=TEN, attempt_id="a", number=1, send_by=TEN, answer_by=TEN))
    office.books(2, CUT, TEN + timedelta(days=2))

    assert "cache" == (await on(process, DAY)).source


async def test_a_load_that_began_before_a_booking_is_not_cached_after_it() -> None:
    office = Office()
    process = office.process()
    reached, go = asyncio.Event(), asyncio.Event()
    ask = office.calcom.slots

    async def slow(**asked: object) -> object:
        answer = await ask(**asked)  # type: ignore[arg-type]
        reached.set()
        await go.wait()
        return answer

    office.calcom.slots = slow  # type: ignore[method-assign,assignment]
    loading = asyncio.create_task(on(process, DAY, service="anybody"))
    await reached.wait()
    office.books(1, ANYBODY, TEN)
    go.set()
    await loading

    assert TEN not in (await on(process, DAY, service="anybody")).starts


ACTS = st.tuples(
    st.sampled_from(["book", "move", "cancel", "wait", "ask", "ask", "ask", "restart"]),
    st.integers(0, 3),
    st.sampled_from(["cut", "color", "anybody"]),
    st.integers(0, 4 * 48 - 4),
)


@given(st.lists(ACTS, max_size=40), st.booleans(), st.sampled_from([2, 500]))
def test_cached_availability_equals_uncached_after_any_sequence(
    acts: list[tuple[str, int, str, int]], shared: bool, batch: int
) -> None:
    async def run() -> None:
        office = Office()
        processes: list[Availability] = [office.process(shared=shared) for _ in range(2)]
        for serial, (act, number, name, at) in enumerate(acts):
            start, live = MIDNIGHT + at * HALF_HOUR, list(office.calcom.taken)
            service = office.offers[name].service
            match act:
                case "book" if office.calcom.is_free(service, start):
                    office.books(serial + 1, service, start)
                case "move" if live and all(office.calcom.is_free(one, start) for one in (COLOR, ANYBODY)):
                    office.moves(live[number % len(live)], start)
                case "cancel" if live:
                    office.cancels(live[number % len(live)])
                case "wait":
                    office.clock.advance(200)
                case "restart":
                    processes[number % 2] = office.process(shared=shared)
                case "ask":
                    period = Period(starts_at=MIDNIGHT, ends_at=MIDNIGHT + timedelta(days=1 + number))
                    heard = await processes[at % 2].within(
                        period, Offer(service=service), staff_id=service.staff_id, zone=UTC_ZONE
                    )
                    assert office.truth(service, period) == list(heard.starts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_watch, "BATCH", batch)
        asyncio.run(run())


async def test_without_real_time_slots_the_cache_answers_and_cal_com_is_not_asked() -> None:
    office = Office()
    process = office.process()
    first = await on(process, DAY)
    office.off.add(Feature.REAL_TIME_SLOTS)

    office.clock.advance(60)
    fresh = await on(process, DAY)
    office.clock.advance(FRESH.total_seconds())
    old = await on(process, DAY)

    assert 1 == len(office.calcom.calls)
    assert [("cache", 60.0, "primary"), ("stale", 660.0, "stale")] == [
        (one.source, one.age_seconds, one.rung) for one in (fresh, old)
    ]
    assert first.starts == fresh.starts == old.starts
    with pytest.raises(CalcomBookingError, match="not asked"):
        await on(process, DAY + timedelta(days=10))
    assert 1 == len(office.calcom.calls)


@pytest.mark.parametrize(("age", "answers"), [(3599.9, True), (3600.0, False), (7200.0, False)])
async def test_what_is_an_hour_old_is_never_told(age: float, answers: bool) -> None:
    office = Office()
    process = office.process()
    await on(process, DAY)
    office.off.add(Feature.REAL_TIME_SLOTS)
    office.clock.advance(age)

    if answers:
        assert "stale" == (await on(process, DAY)).source
        return
    for other in (process, office.process()):
        with pytest.raises(CalcomBookingError):
            await on(other, DAY)


async def test_what_grows_too_old_while_the_database_is_asked_is_not_told_either() -> None:
    office = Office()
    process = office.process()
    await on(process, DAY)
    office.off.add(Feature.REAL_TIME_SLOTS)
    office.clock.advance(3599)
    asked = office.taken.by_staff

    async def slow(staff_id: str, period: Period, *, company_id: str) -> Sequence[Period]:
        office.clock.advance(1)
        return await asked(staff_id, period, company_id=company_id)

    office.taken.by_staff = slow  # type: ignore[method-assign]

    with pytest.raises(CalcomBookingError, match="too old"):
        await on(process, DAY)
