from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from types import SimpleNamespace
from typing import Literal, cast
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import text

from adapters.bootstrap import Application, application
from adapters.database.outcomes import CallOutcomes
from adapters.database.tables import saga_due
from adapters.health.readiness import Readiness, StoreProbes
from adapters.log.store import Store, open_store
from adapters.settings import Settings
from adapters.web.app import create_api
from adapters.web.backend import backend_over
from adapters.web.recent import REDIS_SECONDS
from domain.breaker_words import Refusal
from domain.errors import AppointmentDatabaseError
from tests.integration.storage.appends import append, deferred


async def test_work_that_nobody_claims_is_seen(app_settings: Settings) -> None:
    # Without a worker, not with one that was stopped: it may be claiming just then.
    async with application(app_settings, background=False) as idle:
        due_at = idle.store.clock.now() - timedelta(minutes=5)
        with idle.store.engine.begin() as connection:
            row = {"saga_id": uuid4(), "due_at": due_at, "priority": 5, "attempt": 0}
            connection.execute(saga_due.insert().values(row))

        readiness = await StoreProbes(idle.store).readiness()

    assert readiness.problem is None
    assert timedelta(minutes=5) <= readiness.overdue < timedelta(minutes=6)


async def test_a_database_of_another_revision_is_named(opened: Application) -> None:
    with opened.store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    readiness = await StoreProbes(opened.store).readiness()

    assert readiness.problem is not None
    assert "revision 0000" in readiness.problem
    assert "calsaga migrate" in readiness.problem


async def test_a_database_that_takes_no_writes_is_no_place_to_serve_from(
    postgres_url: str,
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))

    async with open_store(postgres_url, patience=0.1) as store:
        readiness = await StoreProbes(store).readiness()
        with pytest.raises(AppointmentDatabaseError, match="read-only") as caught:
            await store.log.append(append(uuid4(), 0, deferred()))

    assert readiness.problem is not None
    assert "read-only" in readiness.problem
    assert caught.value.retryable


class Failing:
    async def run(self, ask: Callable[[], object]) -> object:
        raise AppointmentDatabaseError("gone", kind="connection_lost")


class Hanging:
    async def run(self, ask: Callable[[], object]) -> object:
        await asyncio.sleep(60)
        return None


@pytest.mark.parametrize("readers", [Failing(), Hanging()], ids=["failing", "hanging"])
async def test_a_database_that_does_not_answer_is_told_quickly(
    readers: Failing | Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.health.readiness.PROBE_SECONDS", 0.05)

    store = SimpleNamespace(readers=readers, outcomes=CallOutcomes())
    readiness = await StoreProbes(cast("Store", store)).readiness()

    assert "the database does not answer" == readiness.problem


class Answering:
    def __init__(self, problem: str | None) -> None:
        self.problem = problem

    async def run(self, ask: Callable[[], object]) -> object:
        return Readiness(problem=self.problem)


@pytest.mark.parametrize("reason", ["open", "manual"])
@pytest.mark.parametrize(
    ("readers", "said"),
    [
        (Answering(None), "the database has failed lately"),
        (Answering("the database is read-only"), "the database is read-only"),
        (Hanging(), "the database does not answer"),
    ],
    ids=["answering", "read-only", "hanging"],
)
async def test_nobody_is_sent_here_while_callers_are_kept_from_the_database(
    readers: Answering | Hanging, said: str, reason: Literal["open", "manual"]
) -> None:
    outcomes = CallOutcomes()
    outcomes.held_back = lambda: Refusal(name="database", reason=reason, retry_after=1.0)
    store = SimpleNamespace(readers=readers, outcomes=outcomes)

    readiness = await StoreProbes(cast("Store", store)).readiness()

    assert readiness.problem is not None
    assert readiness.problem.startswith(said)


async def test_however_many_ask_one_looks() -> None:
    looks: list[object] = []

    class Slow:
        async def run(self, ask: Callable[[], object]) -> object:
            looks.append(ask)
            await asyncio.sleep(0)
            return Readiness(problem=None)

    probes = StoreProbes(cast("Store", SimpleNamespace(readers=Slow(), outcomes=CallOutcomes())))

    answers = await asyncio.gather(*(probes.readiness() for _ in range(5)))

    assert [Readiness(problem=None)] * 5 == answers
    assert 1 == len(looks)


async def test_a_redis_that_hangs_delays_no_scrape_and_is_not_asked_for_each(app_settings: Settings) -> None:
    came: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: came.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    # As somebody might set it who would rather wait for Redis than do without.
    settings = app_settings.model_copy(
        update={"redis_url": SecretStr(f"redis://127.0.0.1:{port}"), "redis_seconds": 30, "health_probing": False}
    )
    longest = 0.0
    async with application(settings, background=False) as app:
        transport = httpx.ASGITransport(create_api(backend_over(app)))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            for _ in range(12):
                for path in ("/metrics", "/readyz"):
                    began = monotonic()
                    answer = await client.get(path)
                    longest = max(longest, monotonic() - began)
                    assert 200 == answer.status_code
            assert answer.json()["problems"] != []
            # Each is asked once a second, on a connection that is given up after one.
            assert len(came) <= 8
    for writer in came:
        writer.close()
    server.close()

    assert longest < REDIS_SECONDS + 0.5
