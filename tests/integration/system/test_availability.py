"""
Free slots of a real application: from the sandbox, from the cache of every process, and from Redis between them.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
import redis

from adapters.bootstrap import Application
from adapters.directory.scopes import Scope
from adapters.directory.services import ServiceWish
from adapters.web.app import create_app
from domain.errors import CalcomBookingError
from sagas.wishes import RescheduleAppointment
from tests.integration.system.account import Account
from tests.integration.system.installation import (
    HALF_HOUR,
    PATIENT,
    START,
    Installation,
    a_cancellation,
    a_wish,
    eventually,
    quick,
)
from tests.servers.redis import RedisServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.availability.free_slots import FreeSlots

DAY = START.date()


async def free(app: Application, *, days: int = 1, service_id: str = "consultation") -> FreeSlots:
    return await app.availability.find(
        company_id="default",
        service_id=service_id,
        since=DAY,
        until=DAY + timedelta(days=days - 1),
        time_zone="UTC",
    )


@asynccontextmanager
async def two_of(here: Installation) -> AsyncIterator[list[Application]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(here.opened(background=False)) for _ in range(2)]


@asynccontextmanager
async def connected(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    _, key = await app.directory.keys.create(company_id="default", scopes=list(Scope))
    transport = httpx.ASGITransport(create_app(app), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://calsaga.test", headers=headers) as client:
        yield client


def counted(app: Application, outcome: str) -> int:
    line = f'calsaga_cache_lookups_total{{cache="availability",outcome="{outcome}"}} '
    (found,) = [one for one in app.metrics.exposition().decode().splitlines() if one.startswith(line)]
    return int(float(found.removeprefix(line)))


def body(start: datetime, name: str) -> dict[str, object]:
    return {
        "service_id": "consultation",
        "customer": {"name": name, "email": f"{name}@example.com"},
        "starts_at": start.isoformat(),
        "time_zone": "UTC",
        "source": "web",
    }


async def test_a_booking_through_one_process_is_seen_by_the_other(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    async with two_of(installation) as (one, other):
        before = [await free(app) for app in (one, other)]
        cached = await free(other)
        booked = await one.orchestrator.book(a_wish(), patience=PATIENT)
        after = await free(other)
        moved = await one.orchestrator.reschedule(
            RescheduleAppointment(
                company_id="default", booking_id=booked.booking.booking_id, starts_at=START + timedelta(hours=2)
            ),
            patience=PATIENT,
        )
        there = await free(other)
        await one.orchestrator.cancel(a_cancellation(booked.booking.booking_id), patience=PATIENT)
        gone = await free(other)

    assert ["calcom", "calcom"] == [one.source for one in before]
    assert ("cache", before[1].starts) == (cached.source, cached.starts)
    assert "booked" == moved.booking.status.value
    assert [True, False, True, True] == [START in one.starts for one in (cached, after, there, gone)]
    two_hours_later = START + timedelta(hours=2)
    assert [True, True, False, True] == [two_hours_later in one.starts for one in (cached, after, there, gone)]


async def test_processes_share_what_was_loaded_through_redis(
    database_url: str, redis_url: str, account: Account
) -> None:
    here = Installation(settings=quick(database_url, account, redis_url=redis_url, redis_seconds=5.0))
    await here.define(account.event_type())
    async with two_of(here) as (one, other):
        for app in (one, other):
            await eventually(lambda app=app: speaks(app), "Redis answers")  # type: ignore[misc]
        first = await free(one, days=2)
        await eventually(lambda: kept(redis_url), "it is in Redis")
        shared = await free(other, days=2)
        booked = await one.orchestrator.book(a_wish(), patience=PATIENT)
        after = await free(other, days=2)

    assert ("calcom", "cache", "cache") == (first.source, shared.source, after.source)
    assert first.starts == shared.starts
    assert "booked" == booked.booking.status.value
    assert START not in after.starts
    assert 2 == account.calls("slots")


async def kept(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return len(client.keys("company:default:availability:*")) == 2


async def speaks(app: Application) -> bool:
    line = 'calsaga_idempotency_lookups_total{outcome="miss",tier="redis"} '
    before = [one for one in app.metrics.exposition().decode().splitlines() if one.startswith(line)]
    await app.marks.seen("warm-up")
    return before != [one for one in app.metrics.exposition().decode().splitlines() if one.startswith(line)]


@pytest.mark.parametrize("how", ["garbage", "suspended", "killed"])
async def test_a_redis_that_fails_changes_no_answer(
    sqlite_url: str, mortal_redis: RedisServer, account: Account, how: str
) -> None:
    here = Installation(settings=quick(sqlite_url, account, redis_url=mortal_redis.url))
    await here.define(account.event_type())
    async with here.opened(background=False) as app:
        first = await free(app)
    async with here.opened(background=False) as app:
        match how:
            case "suspended":
                mortal_redis.suspend()
            case "killed":
                mortal_redis.kill()
            case _:
                with redis.Redis.from_url(mortal_redis.url) as client:
                    for number in range(-1, 3):
                        client.rpush(f"company:default:availability:{number}", "a list")
                    for key in client.keys("company:default:availability:*"):
                        client.delete(key)
                        client.set(key, b"\xff garbage")
        async with asyncio.timeout(30):
            answers = [await free(app) for _ in range(3)]
        if how == "suspended":
            mortal_redis.resume()

    assert ["calcom", "cache", "cache"] == [one.source for one in answers]
    assert [first.starts] * 3 == [one.starts for one in answers]


async def test_when_cal_com_is_away_what_is_cached_stands_in_and_is_called_stale(
    installation: Installation, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await installation.define(account.event_type())
    async with installation.opened(background=False) as app, connected(app) as client:
        await free(app)
        now = app.store.clock.now
        monkeypatch.setattr(app.availability._cache, "_now", lambda: now() + timedelta(minutes=11))
        account.breaks_always({"kind": "error_before_commit", "operation": "slots"})
        path = f"/api/availability?service_id=consultation&from={DAY}&to={DAY}"
        stale = await client.get(path)
        monkeypatch.setattr(app.availability._cache, "_now", lambda: now() + timedelta(minutes=61))
        unknown = await client.get(path)
        account.breaks_always()

    assert (200, "stale") == (stale.status_code, stale.json()["source"])
    assert stale.json()["slots"]
    assert (503, True) == (unknown.status_code, "Retry-After" in unknown.headers)


async def test_a_slot_that_is_taken_is_answered_with_others_that_can_be_booked(
    installation: Installation, account: Account
) -> None:
    await installation.define(account.event_type())
    async with installation.opened() as app, connected(app) as client:
        first = await client.post("/api/bookings", json=body(START, "ada"))
        taken = await client.post("/api/bookings", json=body(START, "bob"), headers={"Idempotency-Key": "b"})
        again = await client.post("/api/bookings", json=body(START, "bob"), headers={"Idempotency-Key": "b"})
        others = taken.json()["alternatives"]
        booked = await client.post("/api/bookings", json=body(datetime.fromisoformat(others[0]), "bob"))
        moved = await client.post(f"{booked.headers['Location']}/reschedule", json={"starts_at": START.isoformat()})

    assert [201, 409, 409, 201, 409] == [one.status_code for one in (first, taken, again, booked, moved)]
    assert [START - HALF_HOUR, START + HALF_HOUR, START - 2 * HALF_HOUR] == [
        datetime.fromisoformat(one) for one in others
    ]
    assert ("true", others) == (again.headers["Idempotency-Replayed"], again.json()["alternatives"])
    assert START + HALF_HOUR == datetime.fromisoformat(moved.json()["alternatives"][0])


async def test_a_member_of_staff_who_is_taken_here_is_answered_with_others_as_well(
    installation: Installation, account: Account
) -> None:
    kinds = [account.event_type(), account.event_type()]
    async with installation.opened() as app, connected(app) as client:
        for number, kind in enumerate(kinds):
            wish = ServiceWish(
                company_id="default",
                service_id=("consultation", "other")[number],
                name="X",
                duration_minutes=30,
                calcom_event_type_id=kind,
                staff_id="ann",
            )
            await app.directory.services.define(wish)
        await client.post("/api/bookings", json={**body(START, "ada"), "service_id": "other"})
        seen = await free(app)
        taken = await client.post("/api/bookings", json=body(START, "bob"))

    assert START not in seen.starts
    assert (409, "slot_taken") == (taken.status_code, taken.json()["reason"])
    assert START not in {datetime.fromisoformat(one) for one in taken.json()["alternatives"]}


async def test_other_times_that_come_too_late_change_nothing(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    async with installation.opened() as app, connected(app) as client:
        await client.post("/api/bookings", json=body(START, "ada"))
        account.breaks_always({"kind": "delay", "operation": "slots", "seconds": 1.8, "moment": "before"})
        taken = await client.post("/api/bookings", json=body(START, "bob"))
        account.breaks_always()

    assert (409, "slot_taken") == (taken.status_code, taken.json()["reason"])
    assert "alternatives" not in taken.json()


async def test_a_hundred_who_ask_at_once_ask_cal_com_once(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    async with installation.opened(background=False) as app:
        answers = await asyncio.gather(*(free(app, days=7) for _ in range(100)))

    assert 1 == len({one.starts for one in answers}) == account.calls("slots")
    assert 7 == counted(app, "miss")


async def test_cal_com_refuses_and_nothing_is_cached_is_an_error(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    account.loses_its_key()
    async with installation.opened(background=False) as app:
        with pytest.raises(CalcomBookingError):
            await free(app)
    account.is_well_again()


async def test_a_service_of_nobody_is_a_wrong_field(installation: Installation, account: Account) -> None:
    async with installation.opened(background=False) as app, connected(app) as client:
        answer = await client.get(f"/api/availability?service_id=nothing&from={DAY}&to={DAY}")

    assert (422, "service_id") == (answer.status_code, answer.json()["errors"][0]["field"])
