"""
Webhooks that come again: found by a mark without a write, and the same with a Redis that fails or lies.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest
import redis

from adapters.bootstrap import Application
from adapters.redis import marks as redis_marks
from domain.webhook import WebhookEvent, webhook_id_of
from sagas.inbox import IncomingWebhook
from tests.integration.storage.test_cost import counted as statements_of
from tests.integration.system.account import Account
from tests.integration.system.installation import PATIENT, a_wish, eventually
from tests.integration.system.test_redis import asks_redis, two_of, with_redis
from tests.servers.redis import RedisServer

PING = IncomingWebhook(company_id="default", digest="ping", trigger="PING")


def mark_of(webhook: IncomingWebhook) -> str:
    return f"webhook:{webhook_id_of(webhook.company_id, webhook.digest)}"


def booked(digest: str) -> IncomingWebhook:
    return IncomingWebhook(company_id="default", digest=digest, trigger="BOOKING_CREATED", uid="nowhere")


async def test_a_repeat_at_another_process_reads_the_log_and_writes_nothing(
    database_url: str, redis_url: str, account: Account
) -> None:
    here = with_redis(database_url, account, redis_url)
    await here.define(account.event_type())
    points: list[str] = []
    async with here.opened() as one, here.opened(background=False, on_point=points.append) as other:
        await eventually(lambda: asks_redis(one), "Redis answers")
        assert "ignored" == await one.inbox.receive(PING)
        await eventually(lambda: other.marks.seen(mark_of(PING)), "the mark is there")

        assert "known" == await other.inbox.receive(PING)
        assert [] == points


async def test_what_is_stored_is_marked_once_it_is_processed(
    database_url: str, redis_url: str, account: Account
) -> None:
    here = with_redis(database_url, account, redis_url)
    await here.define(account.event_type())
    with redis.Redis.from_url(redis_url) as client:
        async with here.opened(background=False) as one, here.opened() as worker:
            for app in (one, worker):
                await eventually(lambda app=app: asks_redis(app), "Redis answers")  # type: ignore[misc]
            booking = (await one.orchestrator.book(a_wish(), patience=PATIENT)).booking
            webhook = replace(booked("later"), uid=booking.kept_uid, booking_id=booking.booking_id)
            await one.inbox.receive(webhook)

            async def is_marked() -> bool:
                return bool(await asyncio.to_thread(client.exists, f"idempotency:{mark_of(webhook)}"))

            await eventually(is_marked, "the mark is there")
            events = [it.event for it in await one.store.log.read(webhook_id_of("default", "later"))]

        assert "webhook.processed.v1" == events[-1].TOPIC
        assert b"processed" == client.get(f"idempotency:{mark_of(webhook)}")


async def test_marks_that_lie_and_marks_that_are_lost_change_no_answer(
    database_url: str, redis_url: str, account: Account
) -> None:
    here = with_redis(database_url, account, redis_url)
    await here.define(account.event_type())
    forged = booked("forged")
    with redis.Redis.from_url(redis_url) as client:
        async with two_of(here) as (one, other):
            client.set(f"idempotency:{mark_of(forged)}", "processed")
            client.rpush(f"idempotency:{mark_of(PING)}", "a", "list")
            said = [await one.inbox.receive(forged), await other.inbox.receive(PING)]
            client.flushdb()
            said += [await app.inbox.receive(webhook) for webhook in (forged, PING) for app in (one, other)]

            assert ["stored", "ignored"] + ["known"] * 4 == said
            assert [1, 1] == [await _received(one, it) for it in (forged, PING)]


@pytest.mark.parametrize("how", ["suspended", "killed"])
async def test_a_redis_that_fails_changes_no_answer(
    database_url: str, mortal_redis: RedisServer, account: Account, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_marks, "REST_SECONDS", 0.3)
    here = with_redis(database_url, account, mortal_redis.url, redis_seconds=0.05)
    await here.define(account.event_type())
    other_ping = IncomingWebhook(company_id="default", digest="other", trigger="PING")
    async with two_of(here) as (one, other):
        said = [await one.inbox.receive(PING)]
        if how == "suspended":
            mortal_redis.suspend()
        else:
            mortal_redis.kill()
        said += [await app.inbox.receive(it) for it in (PING, other_ping) for app in (one, other)]
        if how == "suspended":
            mortal_redis.resume()

    assert ["ignored", "known", "known", "ignored", "known"] == said


async def test_a_repeat_costs_one_read_instead_of_a_lost_append(
    postgres_url: str, redis_url: str, account: Account
) -> None:
    here = with_redis(postgres_url, account, redis_url)
    await here.define(account.event_type())
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")

        def writes_begun() -> int:
            found = connection.execute(
                "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid "
                "WHERE datname = current_database() AND query LIKE '%pg_advisory_xact_lock%'"
            ).fetchone()
            assert found is not None
            return int(found[0])

        async def cost(app: Application) -> tuple[int, int]:
            await asyncio.to_thread(connection.execute, "SELECT pg_stat_statements_reset()")
            assert "known" == await app.inbox.receive(PING)
            statements, _ = await asyncio.to_thread(statements_of, connection)
            return statements, await asyncio.to_thread(writes_begun)

        async with here.opened(background=False) as one:
            await eventually(lambda: asks_redis(one), "Redis answers")
            await one.inbox.receive(PING)
            marked = await cost(one)
        with redis.Redis.from_url(redis_url) as client:
            client.flushdb()
        async with here.opened(background=False) as fresh:
            await eventually(lambda: asks_redis(fresh), "Redis answers")
            await fresh.inbox.receive(booked("warm"))
            unmarked = await cost(fresh)

    assert (1, 0) == marked
    # Tried at once, and then in turn.
    assert (2, 1) == unmarked


async def _received(app: Application, webhook: IncomingWebhook) -> int:
    stream = await app.store.log.read(webhook_id_of(webhook.company_id, webhook.digest))
    events = [one.event for one in stream if isinstance(one.event, WebhookEvent)]
    return sum(one.TOPIC == "webhook.received.v1" for one in events)
