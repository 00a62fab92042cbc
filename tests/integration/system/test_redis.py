"""
Redis shortens the way and decides nothing: with it, without it, and with one that lies, callers hear the same.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

import pytest
import redis

from adapters.bootstrap import Application
from adapters.redis import marks as redis_marks
from domain.errors import KeyReused
from domain.idempotency import NAMESPACE
from domain.wish import BookAppointment
from sagas import waiting
from tests.integration.system import callers
from tests.integration.system.account import Account
from tests.integration.system.installation import PATIENT, Installation, a_cancellation, a_wish, eventually, quick
from tests.integration.system.processes import children
from tests.servers.redis import RedisServer

ROOMY = 5.0
LOOKUPS = "calsaga_idempotency_lookups_total"
Spoil = Callable[[Random], None]


def with_redis(database_url: str, account: Account, url: str | None, **more: object) -> Installation:
    return Installation(settings=quick(database_url, account, redis_url=url, **{"redis_seconds": ROOMY, **more}))


@asynccontextmanager
async def two_of(here: Installation) -> AsyncIterator[list[Application]]:
    """
    Open the application twice on one database, as two processes would, and wait for their Redis if there is one.
    """
    async with AsyncExitStack() as stack:
        apps = [await stack.enter_async_context(here.opened()) for _ in range(2)]
        if here.settings.redis_url is not None:
            for app in apps:
                await eventually(lambda app=app: asks_redis(app), "Redis answers")  # type: ignore[misc]
        yield apps


async def asks_redis(app: Application) -> bool:
    before = counted(app, "redis", "miss")
    await app.marks.seen("warm-up")
    return counted(app, "redis", "miss") > before


def counted(app: Application, tier: str, outcome: str) -> int:
    line = f'{LOOKUPS}{{outcome="{outcome}",tier="{tier}"}} '
    (found,) = [one for one in app.metrics.exposition().decode().splitlines() if one.startswith(line)]
    return int(float(found.removeprefix(line)))


async def test_a_repeat_at_another_process_reads_the_log_and_writes_nothing(
    database_url: str, redis_url: str, account: Account
) -> None:
    here = with_redis(database_url, account, redis_url)
    await here.define(account.event_type())
    points: list[str] = []
    async with here.opened() as first, here.opened(background=False, on_point=points.append) as other:
        booked = await first.orchestrator.book(a_wish(), patience=PATIENT)
        await eventually(lambda: other.marks.seen(f"booking:{booked.booking.booking_id}"), "the mark is there")
        hits = counted(other, "redis", "hit")

        again = await other.orchestrator.book(a_wish(), patience=PATIENT)

        assert (booked.booking, True, []) == (again.booking, again.replayed, points)
        assert (hits + 1, 1, 0) == (
            counted(other, "redis", "hit"),
            counted(other, "log", "hit"),
            counted(other, "log", "miss"),
        )


async def test_without_redis_the_process_remembers_by_itself(installation: Installation, account: Account) -> None:
    await installation.define(account.event_type())
    points: list[str] = []
    async with installation.opened(background=False, on_point=points.append) as app:
        first = await app.orchestrator.book(a_wish(), patience=PATIENT)
        before = len(points)
        again = await app.orchestrator.book(a_wish(), patience=PATIENT)

        assert (first.booking, True, before) == (again.booking, again.replayed, len(points))
        assert (1, 1, 1, 1) == tuple(
            counted(app, tier, outcome) for tier in ("process", "log") for outcome in ("hit", "miss")
        )


def flush(client: redis.Redis, _ids: Iterable[UUID], _chance: Random) -> None:
    client.flushdb()


def lie(client: redis.Redis, ids: Iterable[UUID], chance: Random) -> None:
    for booking_id in ids:
        name = f"idempotency:booking:{booking_id}"
        client.delete(name)
        match chance.randrange(6):
            case 0:
                client.set(name, "booked")
            case 1:
                client.set(name, f"{UUID(int=chance.getrandbits(128))}")
            case 2:
                client.set(name, b"\xff\x00")
            case 3:
                client.rpush(name, "a", "list")
            case 4:
                client.hset(name, "status", "failed")
            case _:
                pass
        client.publish("idempotency:over", f"{booking_id},nonsense")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spoil", [flush, lie], ids=lambda it: it.__name__)
async def test_answers_are_the_same_with_redis_without_it_and_with_one_that_lies(
    *,
    sqlite_template: Path,
    tmp_path: Path,
    redis_url: str,
    account: Account,
    spoil: Callable[[redis.Redis, Iterable[UUID], Random], None],
    seed: int,
) -> None:
    heard: dict[str, list[object]] = {}
    ids: set[UUID] = set()
    with redis.Redis.from_url(redis_url) as client:
        for name, url in (("without", None), ("with", redis_url), ("spoilt", redis_url)):
            shutil.copy(sqlite_template, tmp_path / name)
            here = with_redis(f"sqlite:///{tmp_path / name}", account, url)
            await here.define(account.event_type())

            between = partial(spoil, client, frozenset(ids)) if name == "spoilt" else leave_alone
            heard[name] = await a_day(here, seed, between)
            ids |= {one[0] for answers in heard[name] if isinstance(answers, list) for one in answers if one[0]}
            assert [] == await here.faults(one for one in account.ledger())
            account.forgets_everything()

    assert heard["without"] == heard["with"] == heard["spoilt"]


def leave_alone(_chance: Random) -> None:
    pass


async def a_day(here: Installation, seed: int, between: Spoil) -> list[object]:
    """
    Ask for the same few things again and again, at two processes, and return what was heard.
    """
    heard: list[object] = []
    # Two, so that a spoiler's chance is not the callers'.
    chance, spoiling = Random(seed), Random(seed)
    async with two_of(here) as apps:
        for _ in range(25):
            between(spoiling)
            wish = a_wish(
                chance.randrange(3),
                key=chance.choice((None, "key")),
                call_id=chance.choice((None, None, None, "call")),
                staff_id=chance.choice((None, None, None, "ada")),
            )
            crowd = chance.choice((1, 1, 1, 4))
            answers = await asyncio.gather(*(told(apps[(chance.randrange(2) + n) % 2], wish) for n in range(crowd)))
            heard.append(sorted(answers, key=repr))
            booking_id = answers[0][0]
            if booking_id is not None and chance.random() < 0.3:
                app = chance.choice(apps)
                cancelled = await app.orchestrator.cancel(a_cancellation(booking_id), patience=PATIENT)
                heard.append((cancelled.booking.status.value, cancelled.replayed))
    return heard


async def told(app: Application, wish: BookAppointment) -> tuple[UUID | None, str, bool, bool, object]:
    try:
        result = await app.orchestrator.book(wish, patience=PATIENT)
    except KeyReused:
        return None, "key reused", False, False, None
    booking = result.booking
    return booking.booking_id, booking.status.value, result.replayed, result.near_duplicate, booking.failure


@pytest.mark.parametrize("how", ["suspended", "killed"])
async def test_a_redis_that_fails_changes_no_answer(
    database_url: str, mortal_redis: RedisServer, account: Account, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_marks, "REST_SECONDS", 0.3)
    here = with_redis(database_url, account, mortal_redis.url, redis_seconds=0.05)
    await here.define(account.event_type())
    async with two_of(here) as (one, other):
        first = await one.orchestrator.book(a_wish(1), patience=PATIENT)
        if how == "suspended":
            mortal_redis.suspend()
        else:
            mortal_redis.kill()
        away = [
            await app.orchestrator.book(a_wish(number), patience=PATIENT) for number in (1, 2) for app in (one, other)
        ]
        failed = counted(one, "redis", "error") + counted(other, "redis", "error")
        if how == "suspended":
            mortal_redis.resume()
        else:
            mortal_redis.start()
        for app in (one, other):
            await eventually(lambda app=app: asks_redis(app), "Redis is used again")  # type: ignore[misc]

    assert [True, True, False, True] == [result.replayed for result in away]
    assert [first.booking] * 2 == [result.booking for result in away[:2]]
    assert {"booked"} == {result.booking.status.value for result in away}
    assert failed
    assert 2 == len(account.live()) == account.calls("create")


async def test_the_mark_of_a_process_that_was_killed_goes_with_its_lease_and_hinders_nobody(
    database_url: str, redis_url: str, account: Account
) -> None:
    here = with_redis(database_url, account, redis_url)
    await here.define(account.event_type())
    account.breaks("delay", operation="create", seconds=1.0, moment="after")
    with (
        children((callers.book, here, a_wish(), "calcom.create.after")) as (doomed,),
        redis.Redis.from_url(redis_url) as client,
    ):
        assert "calcom.create.after" == doomed.says()
        doomed.kill()
        (name,) = client.keys("idempotency:*")
        assert (b"pending", True) == (client.get(name), 0 < client.pttl(name) <= here.settings.lease_seconds * 1000)

        async with here.opened() as app:
            result = await app.orchestrator.book(a_wish(), patience=PATIENT)

            async def remembered() -> bool:
                return bool(client.get(name) == b"booked" and client.ttl(name) > 80_000)

            await eventually(remembered, "the outcome is remembered for a day")

    assert ("booked", True) == (result.booking.status.value, result.replayed)
    assert 1 == len(account.live())


async def test_a_mark_without_a_booking_behind_it_is_passed_over(
    database_url: str, redis_url: str, account: Account
) -> None:
    here = with_redis(database_url, account, redis_url)
    await here.define(account.event_type())
    wish = a_wish()
    async with two_of(here) as (one, _):
        name = f"booking:{key_of(wish)}"
        one.marks.put(name, word="booked", seconds=60)

        result = await one.orchestrator.book(wish, patience=PATIENT)

    assert (key_of(wish), False, "booked") == (
        result.booking.booking_id,
        result.replayed,
        result.booking.status.value,
    )


def key_of(wish: BookAppointment) -> UUID:
    return uuid5(NAMESPACE, json.dumps(["given", wish.company_id, wish.idempotency_key]))


async def test_who_waits_in_another_process_is_woken_long_before_the_next_poll(
    database_url: str, redis_url: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "FIRST_POLL_SECONDS", 50.0)
    monkeypatch.setattr(waiting, "SLOWEST_POLL_SECONDS", 50.0)
    here = with_redis(
        database_url,
        account,
        redis_url,
        calcom_send_seconds=10,
        calcom_attempt_seconds=10,
        calcom_horizon_seconds=30,
        lease_seconds=30,
    )
    await here.define(account.event_type())
    account.breaks("delay", operation="create", seconds=2.0, moment="after")
    async with two_of(here) as (one, other):
        began = time.monotonic()
        making = asyncio.create_task(one.orchestrator.book(a_wish(), patience=PATIENT))
        await eventually(lambda: begun(other), "the booking has begun")
        waited = await other.orchestrator.book(a_wish(), patience=PATIENT)
        took = time.monotonic() - began
        made = await making

    assert (made.booking, True, "booked") == (waited.booking, waited.replayed, waited.booking.status.value)
    assert took < 25


async def begun(app: Application) -> bool:
    return await app.store.log.head() > 0
