"""
Anybody of a group, in real processes over each kind of database, with the sandbox for Cal.com.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from adapters.bootstrap import Application
from adapters.database.taken import DatabaseTaken
from domain.booking import Booking, BookingStatus
from domain.period import Period
from domain.wish import BookAppointment
from tests.integration.storage.test_cost import counted
from tests.integration.system.account import Account
from tests.integration.system.barbers import PEOPLE, all_at_once, barbers, for_anybody, outcomes, staff_of
from tests.integration.system.installation import (
    HALF_HOUR,
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    quick,
    quiet,
)
from tests.integration.system.test_availability import connected

DAY = timedelta(days=1)


async def test_twelve_wishes_are_spread_evenly_over_three_people(installation: Installation, account: Account) -> None:
    await barbers(installation, account)
    async with installation.opened() as app:
        in_turn = [await app.orchestrator.book(for_anybody(number), patience=PATIENT) for number in range(12)]
        next_day = [for_anybody(number, key="next", starts_at=START + DAY + number * HALF_HOUR) for number in range(12)]
        at_once = await asyncio.gather(*(app.orchestrator.book(one, patience=PATIENT) for one in next_day))
        await quiet(app)

    for results in (in_turn, at_once):
        assert {"booked": 12} == outcomes(results)
        assert dict.fromkeys(PEOPLE, 4) == Counter(staff_of(results))
    assert [] == await installation.faults(account.ledger())


async def test_whoever_is_busy_here_or_at_cal_com_is_passed_over(installation: Installation, account: Account) -> None:
    event_types = await barbers(installation, account)
    await asyncio.to_thread(account.person_books, event_types["ben"], start=START)
    async with installation.opened(background=False) as app:
        named = await app.orchestrator.book(a_wish(1, service_id="cut-ada", starts_at=START), patience=PATIENT)
        # ada is booked here, and of ben's booking at Cal.com nothing is known here: cal is left.
        chosen = await app.orchestrator.book(for_anybody(2, starts_at=START), patience=PATIENT)
        nobody = await app.orchestrator.book(for_anybody(3, starts_at=START), patience=PATIENT)
        others = await app.alternatives.near(START, nobody.booking)
        busiest = await app.orchestrator.book(for_anybody(4, starts_at=START + HALF_HOUR), patience=PATIENT)

    assert ["ada", "cal"] == staff_of([named, chosen])
    assert {"booked": 2, "slot_taken": 1} == outcomes([named, chosen, nobody])
    assert others is not None
    assert (START not in others, 3) == (True, len(others))
    # ben has nothing booked by us.
    assert ["ben"] == staff_of([busiest])
    assert 4 == account.calls("create")
    assert "ben" == nobody.booking.facts.staff_id


async def test_ten_who_want_the_same_start_are_three_bookings(installation: Installation, account: Account) -> None:
    await barbers(installation, account)
    async with installation.opened() as app:
        wishes = [for_anybody(number, starts_at=START) for number in range(10)]
        results = await asyncio.gather(*(app.orchestrator.book(one, patience=PATIENT) for one in wishes))
        again = await asyncio.gather(*(app.orchestrator.book(one, patience=PATIENT) for one in wishes))
        await quiet(app)

    assert {"booked": 3, "slot_taken": 7} == outcomes(results)
    assert set(PEOPLE) == set(staff_of(one for one in results if one.booking.status is BookingStatus.BOOKED))
    assert [one.booking for one in results] == [one.booking for one in again]
    assert 3 == len(account.ledger()) == account.calls("create")
    assert [] == await installation.faults(account.ledger())


async def test_processes_that_race_for_the_same_start_book_nobody_twice(
    installation: Installation, account: Account
) -> None:
    await barbers(installation, account)
    wishes = [for_anybody(number, starts_at=START) for number in range(12)]
    answers = all_at_once(installation, [wishes[turn::4] for turn in range(4)])
    async with installation.opened() as app:
        await quiet(app)
        booked = [await app.orchestrator.book(one, patience=PATIENT) for one in wishes]

    assert ["booked"] * 3 + ["failed"] * 9 == sorted(status for _, _, status in answers)
    assert set(PEOPLE) == set(staff_of(one for one in booked if one.booking.status is BookingStatus.BOOKED))
    assert 3 == len(account.ledger()) == account.calls("create")
    assert [] == await installation.faults(account.ledger())


@pytest.mark.parametrize("key", ["k", None], ids=["given key", "derived key"])
async def test_five_repeats_are_one_booking_and_one_person_though_the_loads_have_changed(
    installation: Installation, account: Account, key: str | None
) -> None:
    await barbers(installation, account)
    wish = for_anybody(key=key)
    async with installation.opened(background=False) as app:
        first = await app.orchestrator.book(wish, patience=PATIENT)
        for number in (1, 2):
            await app.orchestrator.book(a_wish(number, service_id="cut-ada"), patience=PATIENT)
    # Another process, which remembers nothing.
    async with installation.opened(background=False) as app:
        at_once = await asyncio.gather(*(app.orchestrator.book(wish, patience=PATIENT) for _ in range(4)))
        replayed = await app.engine.load(first.booking.booking_id)

    assert {first.booking.booking_id} == {one.booking.booking_id for one in at_once}
    assert ["ada"] * 5 == staff_of([first, *at_once])
    assert all(one.replayed for one in at_once)
    assert first.booking == replayed
    assert 3 == len(account.ledger())
    assert [] == await installation.faults(account.ledger())


async def test_a_slot_that_cal_com_refuses_is_refused_and_asking_again_books_somebody_else(
    installation: Installation, account: Account
) -> None:
    event_types = await barbers(installation, account, "ada", "ben")
    async with installation.opened(background=False) as app:
        # What Cal.com offers is known here by now, and then somebody books at Cal.com.
        await _asked_for(app)
        await asyncio.to_thread(account.person_books, event_types["ada"], start=START)
        refused = await app.orchestrator.book(for_anybody(key=None), patience=PATIENT)
        others = await app.alternatives.near(START, refused.booking)
        booked = await app.orchestrator.book(for_anybody(key=None), patience=PATIENT)

    assert (["ada", "ben"], {"slot_taken": 1, "booked": 1}) == (
        staff_of([refused, booked]),
        outcomes([refused, booked]),
    )
    assert others is not None
    assert START == others[0]
    assert [0, 1] == [one.booking.facts.generation for one in (refused, booked)]


async def test_what_was_cancelled_is_no_load_and_no_obstacle(installation: Installation, account: Account) -> None:
    await barbers(installation, account)
    async with installation.opened(background=False) as app:
        first = await app.orchestrator.book(for_anybody(1, starts_at=START), patience=PATIENT)
        await app.orchestrator.cancel(a_cancellation(first.booking.booking_id), patience=PATIENT)
        second = await app.orchestrator.book(for_anybody(2, starts_at=START), patience=PATIENT)

    assert ["ada", "ada"] == staff_of([first, second])


async def test_the_diary_knows_claims_and_appointments_of_those_who_are_asked_for(
    installation: Installation, account: Account
) -> None:
    await barbers(installation, account)
    reached, held = asyncio.Event(), asyncio.Event()
    async with installation.opened(background=False) as app:
        booked = (await app.orchestrator.book(a_wish(service_id="cut-ada"), patience=PATIENT)).booking
        calendar = await app.calendars.of("default")
        create = calendar.create

        async def slow(*asked: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever a create takes and gives
            reached.set()
            await held.wait()
            return await create(*asked, **more)

        calendar.create = slow  # type: ignore[method-assign]
        booking = asyncio.create_task(
            app.orchestrator.book(a_wish(1, service_id="cut-ben", starts_at=START), patience=PATIENT)
        )
        await reached.wait()
        diary = DatabaseTaken(engine=app.store.engine, readers=app.store.readers)
        span = Period(starts_at=START, ends_at=START + HALF_HOUR)
        found = {
            who: [
                (one.staff_id, one.booking_id)
                for one in await diary.busy(span, company_id=company, staff_ids=list(who))
            ]
            for company, who in (("default", PEOPLE), ("default", ("cal",)), ("other", ("ada", "ben")))
        }
        after = await diary.busy(
            Period(starts_at=span.ends_at, ends_at=span.ends_at + DAY), company_id="default", staff_ids=PEOPLE
        )
        held.set()
        claimed: Booking = (await booking).booking

    assert [("ada", booked.booking_id), ("ben", claimed.booking_id)] == sorted(found[PEOPLE])
    assert ([], [], []) == (found["cal",], found["ada", "ben"], list(after))


@pytest.mark.parametrize(
    ("wish", "statements"),
    [
        (a_wish(3, service_id="cut-ben"), 2),
        # One more asks who is busy, and what has happened to the cached days.
        (for_anybody(3), 3),
        # However many are asked about.
        (for_anybody(3, starts_at=START + 5 * HALF_HOUR), 3),
    ],
    ids=["named", "chosen", "chosen after two who are not offered"],
)
async def test_a_choice_costs_one_read_and_whoever_is_named_costs_what_a_booking_costs(
    postgres_url: str, account: Account, wish: BookAppointment, statements: int
) -> None:
    here = Installation(settings=quick(postgres_url, account))
    event_types = await barbers(here, account)
    for one in ("ada", "ben"):
        await asyncio.to_thread(account.person_books, event_types[one], start=START + 5 * HALF_HOUR)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        async with here.opened(background=False) as app:
            await app.orchestrator.book(for_anybody(1), patience=PATIENT)
            await _asked_for(app)
            # What this has changed must be read.
            await app.orchestrator.book(a_wish(2, service_id="cut-ben"), patience=PATIENT)
            await asyncio.to_thread(connection.execute, "SELECT pg_stat_statements_reset()")
            result = await app.orchestrator.book(wish, patience=PATIENT)
            cost = await asyncio.to_thread(counted, connection)

    assert BookingStatus.BOOKED is result.booking.status
    assert (statements, 2) == cost


async def _asked_for(app: Application) -> None:
    """
    Ask what is free, so that every day is cached.
    """
    day = START.date()
    await app.availability.find(
        company_id="default", service_id="cut-ada", staff_group="barbers", since=day, until=day, time_zone="UTC"
    )


async def test_whom_another_process_has_freed_since_the_days_were_cached_is_chosen(
    installation: Installation, account: Account
) -> None:
    await barbers(installation, account, "ada", "ben")
    async with (
        installation.opened(background=False) as here,
        installation.opened(background=False) as there,
    ):
        held = await there.orchestrator.book(a_wish(1, service_id="cut-ada", starts_at=START), patience=PATIENT)
        await _asked_for(here)
        slots = account.calls("slots")
        await there.orchestrator.cancel(a_cancellation(held.booking.booking_id), patience=PATIENT)
        chosen = await here.orchestrator.book(for_anybody(2, starts_at=START), patience=PATIENT)
        # Of ada's day nothing that was cached holds, and of ben's all.
        busiest = await here.orchestrator.book(for_anybody(3, starts_at=START + HALF_HOUR), patience=PATIENT)

    assert ["ada", "ben"] == staff_of([chosen, busiest])
    assert slots + 1 == account.calls("slots")


async def test_the_api_books_anybody_and_names_what_is_wrong(installation: Installation, account: Account) -> None:
    event_types = await barbers(installation, account)
    await installation.define(account.event_type(), service_id="shave", staff_id="ada")
    async with installation.opened(background=False) as app, connected(app) as client:
        listed = {
            one["service_id"]: one["staff_group"] for one in (await client.get("/api/services")).json()["services"]
        }
        put = await client.put(
            "/api/services/cut-ada",
            json={
                "name": "Cut",
                "duration_minutes": 30,
                "calcom_event_type_id": event_types["ada"],
                "staff_id": "ada",
                "staff_group": "barbers",
            },
        )
        booked = [await client.post("/api/bookings", json=body(number)) for number in range(3)]
        taken = await client.post("/api/bookings", json=body(3))
        again = await client.post("/api/bookings", json=body(1))
        free = await client.get("/api/availability", params=span(staff_group="barbers"))
        of_one = await client.get("/api/availability", params=span(staff_group="barbers", staff_id="ben"))
        wrong = {
            "another group": await client.post("/api/bookings", json=body(4, staff_group="cooks")),
            "no group": await client.post("/api/bookings", json=body(4, service_id="shave")),
            "nobody of it": await client.post("/api/bookings", json=body(4, staff_id="eve")),
            "no identifier": await client.post("/api/bookings", json=body(4, staff_group="the barbers")),
            "no text": await client.post("/api/bookings", json=body(4, staff_group=["barbers"])),
            "free, another group": await client.get("/api/availability", params=span(staff_group="cooks")),
            "free, nobody of it": await client.get(
                "/api/availability", params=span(staff_group="barbers", staff_id="eve")
            ),
        }

    assert {"cut-ada": "barbers", "cut-ben": "barbers", "cut-cal": "barbers", "shave": None} == listed
    assert "barbers" == put.json()["service"]["staff_group"]
    assert [201] * 3 == [one.status_code for one in booked]
    assert [(f"cut-{one}", one) for one in PEOPLE] == [facts(one) for one in booked]
    assert (200, facts(booked[1])) == (again.status_code, facts(again))
    assert (409, "slot_taken", 3) == (taken.status_code, taken.json()["reason"], len(taken.json()["alternatives"]))
    assert START.isoformat() not in taken.json()["alternatives"]
    starts = {one.replace("Z", "+00:00") for one in free.json()["slots"]}
    assert [False, True] == [(START + number * HALF_HOUR).isoformat() in starts for number in range(2)]
    assert starts >= {one.replace("Z", "+00:00") for one in of_one.json()["slots"]} > set()
    assert dict.fromkeys(wrong, 422) == {name: one.status_code for name, one in wrong.items()}
    fields = {name: one.json()["errors"][0]["field"] for name, one in wrong.items()}
    assert {"nobody of it", "free, nobody of it"} == {name for name, one in fields.items() if one == "staff_id"}
    assert {"staff_id", "staff_group"} == set(fields.values())


def body(number: int, **more: object) -> dict[str, object]:
    return {
        "service_id": "cut-ada",
        "staff_group": "barbers",
        "customer": {"name": f"Customer {number}", "email": f"customer-{number}@example.com"},
        "starts_at": START.isoformat(),
        "time_zone": "UTC",
        "source": "web",
        **more,
    }


def span(**more: str) -> dict[str, str]:
    day = START.date().isoformat()
    return {"service_id": "cut-ada", "from": day, "to": day, "time_zone": "UTC", **more}


def facts(answer: httpx.Response) -> tuple[str, str]:
    booking = answer.json()["booking"]
    return booking["service_id"], booking["staff_id"]
