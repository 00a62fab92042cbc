"""
Health in the whole system: a fleet that probes once, outages of each service, and what people are told of it.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from adapters.bootstrap import Application
from adapters.cli.app import app as command
from adapters.database.tables import saga_due
from adapters.health.seeing import Overview
from adapters.settings import Settings
from domain.breaker_words import Command
from domain.health import Status
from tests.integration.system.account import Account
from tests.integration.system.callers import work
from tests.integration.system.environment import environment
from tests.integration.system.installation import Installation, a_wish, eventually, quick
from tests.integration.system.outage import KilledServer
from tests.integration.system.processes import children
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

LEASE = 0.9
INTERVAL = 0.3
# Shorter than anybody may set them.
OFTEN = {"interval_seconds": INTERVAL, "limit_seconds": INTERVAL, "slow_seconds": INTERVAL}
PROBING = {
    "health_probing": True,
    "health_lease_seconds": LEASE,
    "health_probes": dict.fromkeys(("calcom", "database", "redis"), OFTEN),
}


def probing(settings: Settings, **more: object) -> Installation:
    """
    Return an installation that probes all the time.
    """
    return Installation(settings=settings.model_copy(update={**PROBING, **more}))


def becomes(app: Application, service: str, status: Status) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return (await app.health.seen.overview()).checks[service].status == status

    return there


async def test_what_the_fleet_finds_is_kept_and_told_by_every_process(
    installation: Installation, account: Account
) -> None:
    here = probing(installation.settings)
    seen: list[Overview] = []
    async with here.opened() as one, here.opened(background=False) as another:
        await eventually(becomes(one, "calcom", "healthy"), "Cal.com is probed")
        await eventually(becomes(another, "calcom", "healthy"), "it is told by one that does not probe")

        async def twice() -> bool:
            return len(await another.health.seen.history("calcom", minutes=5)) > 1

        async def well() -> bool:
            seen.append(await another.health.seen.overview())
            # While the machine is busy an answer may be slow.
            return seen[-1].verdict == "healthy"

        await eventually(twice, "it has a history")
        await eventually(well, "all is well")
        uptimes = await another.health.seen.uptimes(minutes=5)

    assert () == seen[-1].problems
    assert {"not_configured"} == {seen[-1].checks[name].status for name in ("retell", "email", "sms", "redis")}
    # While the machine is busy a probe may be cut.
    assert all(0 < (uptimes[name].share or 0) <= 1 for name in ("calcom", "database"))
    assert {0} == {one.lag for one in seen[-1].standings.values()}


async def test_a_fleet_probes_once_an_interval_and_another_takes_over_when_the_prober_is_killed(
    installation: Installation, account: Account
) -> None:
    here = probing(installation.settings)

    async def calls(wanted: int) -> None:
        async def made() -> bool:
            return account.calls("me") >= wanted

        await eventually(made, "it is probed")

    with children((work, here)) as (doomed,):
        doomed.says()
        await calls(1)
        with children(*[(work, here)] * 2) as heirs:
            for heir in heirs:
                heir.says()
            before, began = account.calls("me"), time.monotonic()
            await calls(before + 10)
            made, lasted = account.calls("me") - before, time.monotonic() - began
            doomed.kill()
            left_at = account.calls("me")
            await calls(left_at + 2)

    # One may have been under way when they were counted first.
    assert made <= lasted / INTERVAL + 2


async def test_a_cal_com_that_fails_is_down_and_one_whose_breaker_is_open_is_not_called(
    installation: Installation, account: Account
) -> None:
    here = probing(installation.settings)
    async with here.opened() as app:
        await eventually(becomes(app, "calcom", "healthy"), "it is well")
        account.breaks_always({"kind": "html_502", "operation": "me"})
        await eventually(becomes(app, "calcom", "down"), "it is down")
        failed = await app.health.seen.overview()
        await app.resilience.breakers.control("calcom", Command(action="open", actor="ada", reason="they move house"))

        async def held_back() -> bool:
            overview = await app.health.seen.overview()
            return overview.checks["calcom"].detail == "not called: its circuit breaker is open"

        await eventually(held_back, "it is not called")
        before = account.calls("me")
        await asyncio.sleep(3 * INTERVAL)
        assert before == account.calls("me")
        seen = await app.health.seen.overview()

    assert ("degraded", "HTTP 502") == (failed.verdict, failed.checks["calcom"].detail)
    assert ("degraded", ["calcom"]) == (seen.verdict, seen.circuits_that_are("open"))


async def test_without_any_key_cal_com_is_not_configured(installation: Installation, account: Account) -> None:
    keyless = probing(installation.settings, calcom_api_key=None)
    async with keyless.opened(background=False) as app:
        await app.health.seen.probe_all()

        assert "not_configured" == (await app.health.seen.overview()).checks["calcom"].status
    assert 0 == account.calls("me")


async def test_what_a_probe_asks_spends_nothing_of_what_is_kept_for_looks(
    installation: Installation, account: Account
) -> None:
    account.limits(10, seconds=60)
    here = probing(installation.settings, calcom_reserve_share=0.5)
    async with here.opened(background=False) as app:
        for _ in range(8):
            await app.health.seen.probe_all()
        seen = await app.health.seen.overview()

    assert 5 == account.calls("me")
    assert ("unknown", "not asked, so that its rate limit is kept") == (
        seen.checks["calcom"].status,
        seen.checks["calcom"].detail,
    )


async def test_while_the_database_is_away_the_rest_is_told_and_written_down_afterwards(
    mortal_server: PostgresServer, mortal_url: str, account: Account
) -> None:
    here = probing(quick(mortal_url, account))
    outage = KilledServer(mortal_server)
    async with here.opened() as app:
        await eventually(becomes(app, "calcom", "healthy"), "it is well")
        outage.begins()
        try:
            await eventually(becomes(app, "database", "down"), "it is away")
            away_at = app.store.clock.now()
            account.breaks_always({"kind": "html_502", "operation": "me"})
            await eventually(becomes(app, "calcom", "down"), "Cal.com is still looked at")
            account.breaks_always()
            await eventually(becomes(app, "calcom", "healthy"), "and told to be well again")
            seen: Overview = await app.health.seen.overview()
        finally:
            outage.ends()
        back_at = app.store.clock.now()

        async def written() -> bool:
            if app.health.runner._board.waiting and app.health.runner._board.waiting[0].checked_at < back_at:
                return False
            return (await app.health.seen.overview()).verdict == "healthy"

        await eventually(written, "it is written down")
        found = await app.health.seen.history("calcom", minutes=60)

    assert ("critical", "the database does not answer") == (seen.verdict, seen.problems[0])
    meanwhile = [one.status for one in found if away_at <= one.checked_at <= back_at]
    # While the machine is busy an answer may be slow, which is "degraded".
    assert {"down", "healthy"} <= {*meanwhile} <= {"down", "degraded", "healthy"}


async def test_a_redis_that_is_away_is_down_and_no_more(installation: Installation, mortal_redis: RedisServer) -> None:
    here = probing(installation.settings.model_copy(update={"redis_url": SecretStr(mortal_redis.url)}))
    async with here.opened() as app:
        await eventually(becomes(app, "redis", "healthy"), "it is well")
        mortal_redis.suspend()
        await eventually(becomes(app, "redis", "down"), "it is down")
        await eventually(says_of_redis(app, "breakers: this process goes on without it"), "breakers are its own")
        seen = await app.health.seen.overview()
        mortal_redis.resume()
        await eventually(becomes(app, "redis", "healthy"), "it is well again")
        again = "breakers: shared again since .*, this process was without it 1 time "
        await eventually(says_of_redis(app, again), "breakers are the fleet's, and it is known that they were not")
        served = app.metrics.exposition().decode()

    assert "degraded" == seen.verdict
    assert 'calsaga_redis_losses_total{used_for="breakers"} 1.0' in served


def says_of_redis(app: Application, said: str) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return re.search(said, (await app.health.seen.overview()).checks["redis"].detail) is not None

    return there


async def test_work_that_nobody_claims_is_told_with_its_age(installation: Installation) -> None:
    async with installation.opened(background=False) as app:
        due_at = app.store.clock.now() - timedelta(minutes=5)
        row = {"saga_id": uuid4(), "due_at": due_at, "priority": 5, "attempt": 0}
        with app.store.engine.begin() as connection:
            connection.execute(saga_due.insert().values(row))

        seen = await app.health.seen.overview()

    assert ("degraded", 1) == (seen.verdict, seen.readiness.due)
    assert seen.readiness.overdue >= timedelta(minutes=5)
    assert "start `calsaga worker`" in seen.problems[0]


async def test_read_models_that_nobody_follows_fall_behind_the_head_of_the_log(
    installation: Installation, account: Account
) -> None:
    await installation.define(account.event_type())
    async with installation.opened(background=False) as app:
        await app.orchestrator.book(a_wish(), patience=30)

        seen = await app.health.seen.overview()

    assert {4} == {one.lag for one in seen.standings.values()}
    assert all(timedelta(0) < one.behind < timedelta(seconds=30) for one in seen.standings.values())
    assert "healthy" == seen.verdict


def run(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["health", *arguments], env=dict(environment(settings)))


def test_the_command_says_how_all_is(installation: Installation, account: Account) -> None:
    well = run(installation.settings, "--json")
    account.breaks_always({"kind": "html_502", "operation": "me"})
    unwell, in_words = run(installation.settings, "--json"), run(installation.settings)

    assert (0, "healthy") == (well.exit_code, json.loads(well.stdout)["status"])
    assert (1, "degraded") == (unwell.exit_code, json.loads(unwell.stdout)["status"])
    assert ("down", "HTTP 502") == tuple(
        json.loads(unwell.stdout)["services"]["calcom"][it] for it in ("status", "detail")
    )
    assert ["calsaga: calcom: 1 of 2 calls failed lately", "calsaga: calcom is down"] == in_words.stderr.splitlines()
    assert (1, ["degraded", "calcom", "retell"]) == (
        in_words.exit_code,
        [one.partition("\t")[0] for one in in_words.stdout.splitlines()][:3],
    )


@pytest.mark.parametrize("arguments", [("--json",), ()])
def test_without_a_database_the_command_says_so(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(
        command, ["health", *arguments], env={"CALSAGA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    )

    assert 1 == result.exit_code
    if arguments:
        assert {"status": "critical", "problems": ["the database does not answer"]} == json.loads(result.stdout)
    else:
        assert "database" in result.stderr
