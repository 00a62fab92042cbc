"""
Full fallback: a person's word to all processes not to use Cal.com; bookings are taken, and made once it is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select

from adapters.bootstrap import Application
from adapters.database.tables import saga_due
from domain.events import BookingDeferred
from domain.full_fallback import STREAM, FullFallbackBegun, FullFallbackEnded, SwitchOff, SwitchOn
from sagas.engine import IN_LINE
from sagas.wishes import BookingResult
from tests.integration.system.account import Account
from tests.integration.system.callers import work
from tests.integration.system.installation import (
    HALF_HOUR,
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    eventually,
    named,
    quick,
    quiet,
    reaches,
    story,
)
from tests.integration.system.processes import children
from tests.integration.system.serving import served

MANY = 8
SLOTS = f"/api/availability?service_id=consultation&from={START:%Y-%m-%d}&to={START:%Y-%m-%d}"
ON = SwitchOn(actor="ada", reason="they move house", lasts=timedelta(hours=1))
OFF = SwitchOff(actor="ada", reason="they have moved")


def switchable(database_url: str, account: Account, **more: object) -> Installation:
    return Installation(settings=quick(database_url, account, fallback_seconds=0.1, retry_cap_seconds=900, **more))


async def on(app: Application, wish: SwitchOn = ON) -> None:
    await app.resilience.fallback.on(wish)


async def off(app: Application) -> None:
    await app.resilience.fallback.off(OFF)


async def take(app: Application, numbers: Iterable[int]) -> list[BookingResult]:
    return await asyncio.gather(*(app.orchestrator.book(a_wish(number), patience=PATIENT) for number in numbers))


async def switches(app: Application) -> list[str]:
    return [type(one.event).__name__ for one in await app.store.log.read(STREAM)]


def in_line(app: Application) -> list[UUID]:
    query = select(saga_due.c.saga_id).where(saga_due.c.priority == IN_LINE).order_by(saga_due.c.due_at)
    with app.store.engine.connect() as connection:
        return list(connection.execute(query).scalars())


async def test_bookings_wait_while_it_holds_and_are_made_afterwards(database_url: str, account: Account) -> None:
    here = switchable(database_url, account)
    await here.define(account.event_type())
    with children((work, here)) as (other,):
        assert "ready" == other.says()
        async with here.opened() as app:
            await on(app)
            # Longer than the other process needs to hear of it.
            await asyncio.sleep(0.5)
            async with asyncio.timeout(PATIENT / 2):
                answers = await take(app, range(1, MANY + 1))
            assert {"pending"} == {answer.booking.status.value for answer in answers}
            assert 0 == account.calls("create")
            seen, gauge = await app.health.seen.overview(), app.metrics.exposition().decode()
            assert ("degraded", True) == (seen.verdict, "calsaga_full_fallback 1.0" in gauge)
            assert any("full fallback mode since" in it for it in seen.problems)
            await off(app)
            await quiet(app)
            told = [await story(app.store, answer.booking.booking_id) for answer in answers]
            assert ["FullFallbackBegun", "FullFallbackEnded"] == await switches(app)
        other.terminate()
        assert 0 == other.ends()

    for one in told:
        assert [
            "BookingInitiated",
            "BookingDeferred",
            "CalcomBookingAttempted",
            "CalcomBookingCreated",
            "AppointmentBooked",
        ] == named(one)
        assert {"full_fallback"} == {it.reason for it in one if isinstance(it, BookingDeferred)}
    assert MANY == len(account.live()) == account.calls("create")
    assert [] == await here.faults(account.ledger())


async def test_it_ends_by_itself_and_that_is_written_down_once(database_url: str, account: Account) -> None:
    here = switchable(database_url, account)
    await here.define(account.event_type())
    with children((work, here), (work, here)) as others:
        assert ["ready", "ready"] == [one.says() for one in others]
        async with here.opened() as app:
            await on(app, SwitchOn(actor="ada", reason="a moment", lasts=timedelta(seconds=2)))
            answers = await take(app, range(MANY))
            before = account.calls("create")
            for answer in answers:
                await reaches(app, answer.booking.booking_id, "booked")
            await quiet(app)

            async def is_written() -> bool:
                return len(await switches(app)) > 1

            await eventually(is_written, "its end is in the log")
            # Whoever else was about to write it has had the time.
            await asyncio.sleep(0.5)
            (begun, ended) = [one.event for one in await app.store.log.read(STREAM)]

    assert 0 == before
    assert isinstance(begun, FullFallbackBegun)
    assert isinstance(ended, FullFallbackEnded)
    assert (begun.expires_at, "calsaga", "expired") == (ended.at, ended.actor, ended.reason)
    assert MANY == len(account.live())
    assert [] == await here.faults(account.ledger())


async def test_nobody_is_lost_with_the_process_that_took_or_switched(database_url: str, account: Account) -> None:
    here = switchable(database_url, account)
    await here.define(account.event_type())
    async with here.opened(background=False) as app:
        await on(app)
    with children((work, here)) as (other,):
        # It was born knowing.
        assert "ready" == other.says()
        async with here.opened(background=False) as app:
            answers = await take(app, range(MANY))
            other.kill()
            waiting = in_line(app)
            # Nobody is told, and nobody is there to see it.
            await app.resilience.fallback.switch.off(OFF)
    assert 0 == account.calls("create")
    assert {answer.booking.booking_id for answer in answers} == set(waiting)
    await here.recovers()

    assert MANY == len(account.live()) == account.calls("create")
    assert [] == await here.faults(account.ledger())


async def test_whose_appointment_comes_first_goes_on_first_and_no_faster_than_they_may(
    database_url: str, account: Account
) -> None:
    here = switchable(database_url, account, circuit_drain_per_second=5, worker_concurrency=2)
    await here.define(account.event_type())
    async with here.opened(background=False) as app:
        await on(app)
        came = [
            (await app.orchestrator.book(a_wish(number), patience=PATIENT)).booking.booking_id
            for number in range(MANY, 0, -1)
        ]
        await off(app)
        query = select(saga_due.c.saga_id, saga_due.c.due_at).order_by(saga_due.c.due_at)
        with app.store.engine.connect() as connection:
            rows = connection.execute(query).all()

    assert came[::-1] == [row.saga_id for row in rows]
    gaps = {round((later.due_at - sooner.due_at).total_seconds(), 3) for sooner, later in pairwise(rows)}
    assert {0.2} == gaps


async def test_what_was_begun_is_taken_back_and_looked_for_all_the_same(sqlite_url: str, account: Account) -> None:
    here = switchable(sqlite_url, account)
    await here.define(account.event_type())
    async with here.opened() as app:
        booked = await app.orchestrator.book(a_wish(1), patience=PATIENT)
        account.breaks("drop_after_commit", operation="create")
        doubtful = await app.orchestrator.book(a_wish(2), patience=0)
        await on(app)
        await app.orchestrator.cancel(a_cancellation(booked.booking.booking_id), patience=PATIENT)
        await reaches(app, doubtful.booking.booking_id, "booked")
        await reaches(app, booked.booking.booking_id, "cancelled")

    assert 1 == len(account.live())


async def test_over_http_nobody_waits_and_the_queue_shows_who_does(database_url: str, account: Account) -> None:
    here = switchable(database_url, account)
    await here.define(account.event_type())
    async with served(here) as told:

        async def queued() -> list[dict[str, Any]]:
            answer = await told.http.get("/api/resilience/queue")
            return list(answer.json()["queue"])

        assert 200 == (await told.http.get(SLOTS)).status_code
        asked = account.calls("slots")
        begun = await told.http.post("/api/resilience/fallback", json={"reason": "they move house"})
        assert "full_fallback" == begun.json()["mode"]
        bodies = [a_body(number) for number in range(3)]
        answers = [await told.http.post("/api/bookings", json=body) for body in bodies]
        slots = (await told.http.get(SLOTS)).json()
        await eventually(lambda: _is(queued, 3), "the read model knows of all three")
        first = (await told.http.get("/api/resilience/queue?limit=2")).json()
        rest = (await told.http.get(f"/api/resilience/queue?cursor={first['next_cursor']}")).json()
        await told.http.delete("/api/resilience/fallback")
        await quiet(told.app)
        metrics = (await told.http.get("/api/resilience/fallback-metrics")).json()["operations"]
        exposed = (await told.http.get("/metrics")).text

    assert {202} == {answer.status_code for answer in answers}
    assert {"queued"} == {answer.json()["fallback"]["rung"] for answer in answers}
    assert ("cache", asked) == (slots["source"], account.calls("slots"))
    assert [answer.json()["booking"]["id"] for answer in answers] == [
        one["booking_id"] for one in (*first["queue"], *rest["queue"])
    ]
    assert {"full_fallback"} == {one["waits_for"] for one in first["queue"]}
    assert (3, 2) == (metrics["book"]["queued"], metrics["availability"]["primary"])
    assert 'calsaga_fallback_answers_total{operation="book",rung="queued"} 3.0' in exposed
    assert 3 == len(account.live())
    assert [] == await here.faults(account.ledger())


async def _is(listed: Callable[[], Awaitable[list[dict[str, Any]]]], count: int) -> bool:
    return len(await listed()) == count


def a_body(number: int) -> dict[str, Any]:
    return {
        "service_id": "consultation",
        "customer": {"name": f"Customer {number}", "phone": f"+49170{1_000_000 + number}"},
        "starts_at": (START + number * HALF_HOUR).isoformat(),
        "time_zone": "UTC",
        "source": "test",
    }
