"""
`calsaga circuit dependencies`, `circuit status` and `failures`, beside processes that keep snapshots and count.
"""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from adapters.bootstrap import application
from adapters.cli.actors import user_name
from adapters.cli.app import app
from adapters.database.engine import open_engine
from adapters.database.tables import resilience_snapshots
from adapters.settings import read_settings
from domain.dependencies import SERVICES


def run(*arguments: str, database_url: str, redis_url: str = "") -> Result:
    result = CliRunner().invoke(
        app, arguments, env={"CALSAGA_DATABASE_URL": database_url, "CALSAGA_REDIS_URL": redis_url}
    )
    assert 0 == result.exit_code, result.output
    return result


def keep_a_snapshot(database_url: str, redis_url: str, *, failing: str = "appointments") -> None:
    async def keep() -> None:
        settings = read_settings(database_url=database_url, redis_url=redis_url)
        async with application(settings, background=False) as opened:
            for _ in range(9):
                getattr(opened.resilience, failing).failed()
            assert await opened.health.snapshots.take_turn()

    asyncio.run(keep())


def test_the_graph_is_shown_even_if_nobody_knows_how_it_stands(sqlite_url: str) -> None:
    result = run("circuit", "dependencies", database_url=sqlite_url)

    assert "appointments\tneeds calcom, retell" in result.stdout.splitlines()
    assert "not known" in result.stderr
    document = json.loads(run("circuit", "dependencies", "--json", database_url=sqlite_url).stdout)
    assert (set(SERVICES), None) == (set(document["dependencies"]), document["verdict"])


def test_who_is_hit_is_marked_with_the_reason(database_url: str, redis_url: str) -> None:
    keep_a_snapshot(database_url, redis_url)
    run("circuit", "open", "calcom", "--reason", "they move house", database_url=database_url, redis_url=redis_url)

    lines = run("circuit", "dependencies", database_url=database_url, redis_url=redis_url).stdout.splitlines()
    told = {line.partition("\t")[0]: line for line in lines}

    assert told["calcom"].startswith("calcom\tneeds nothing\tunhealthy\tits breaker is open since ")
    assert told["calcom"].endswith(f", by {user_name()}: they move house")
    assert told["retell"] == "retell\tneeds calcom\tnot configured"
    assert told["database"] == "database\tneeds nothing\thealthy"
    assert "\tit needs calcom: its breaker is open" in told["appointments"]
    assert "calcom hits appointments" in lines


def test_status_tells_what_is_shared_live_and_the_rest_as_of_the_last_snapshot(
    database_url: str, redis_url: str
) -> None:
    keep_a_snapshot(database_url, redis_url)

    lines = run("circuit", "status", database_url=database_url, redis_url=redis_url).stdout.splitlines()
    document = json.loads(run("circuit", "status", "--json", database_url=database_url, redis_url=redis_url).stdout)

    assert lines[0] == "calcom\tclosed\t0 failed, 0 succeeded"
    assert "retell\tclosed\tnot used yet" in lines
    assert any(one.startswith("appointments\topen\t5 failed") and one.endswith(", in one process") for one in lines)
    assert any(one.startswith("verdict\tdegraded\tby the snapshot of ") for one in lines)
    assert ["calcom", "retell", "email", "sms"] == list(document["services"])
    assert ("degraded", "open") == (document["verdict"], document["snapshot"]["services"]["appointments"]["state"])


def test_failures_are_listed_and_cleared(database_url: str, redis_url: str) -> None:
    keep_a_snapshot(database_url, redis_url, failing="webhooks")

    before = run("failures", "list", database_url=database_url).stdout.splitlines()
    cleared = run("failures", "clear", "webhooks", "--reason", "it was us", database_url=database_url).stdout
    after = json.loads(run("failures", "list", "--json", database_url=database_url).stdout)["services"]

    assert "webhooks\tcritical\tcritical\t9 of 9 failed (100.0%), 9 in a minute" in before
    assert cleared.endswith(f"by {user_name()}: it was us\n")
    assert ("healthy", "it was us") == (after["webhooks"]["status"], after["webhooks"]["cleared"]["reason"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("fax",), "SERVICE: there is no service 'fax'"), (("sms", "--reason", " "), "--reason must not be empty")],
)
def test_what_cannot_be_cleared_is_refused_by_name(sqlite_url: str, arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(app, ["failures", "clear", *arguments], env={"CALSAGA_DATABASE_URL": sqlite_url})

    assert 2 == result.exit_code
    assert said in result.stderr


def test_what_was_found_before_a_reset_is_over_after_it(database_url: str, redis_url: str) -> None:
    run("circuit", "open", "calcom", "--reason", "they move house", database_url=database_url, redis_url=redis_url)
    keep_a_snapshot(database_url, redis_url)
    engine = open_engine(database_url)
    with engine.begin() as connection:
        (document,) = connection.execute(select(resilience_snapshots.c.document)).scalars()
        unwell = [{"code": "probe_failed", "detail": "not called: its circuit breaker is open", "way": []}]
        told = {**document, "reasons": {"calcom": unwell}}
        connection.execute(update(resilience_snapshots).values(document=told))
    engine.dispose()
    before = run("circuit", "status", database_url=database_url, redis_url=redis_url).stdout
    run("circuit", "reset", "calcom", database_url=database_url, redis_url=redis_url)
    after = run("circuit", "status", database_url=database_url, redis_url=redis_url).stdout

    assert ["not called" in it for it in (before, after)] == [True, False]
    assert not any(line.startswith("calcom\tunhealthy") for line in after.splitlines())


def test_full_fallback_is_told_as_it_is_now(database_url: str, redis_url: str) -> None:
    def status() -> str:
        return run("circuit", "status", database_url=database_url, redis_url=redis_url).stdout

    def switch(*words: str) -> None:
        run("fallback", *words, database_url=database_url, redis_url=redis_url)

    before = status()
    switch("on", "--reason", "they move house", "--for", "30m")
    held = status()
    keep_a_snapshot(database_url, redis_url)
    kept = status()
    switch("off")
    after = status()

    assert ["full fallback mode since" in it for it in (before, held, after)] == [False, True, False]
    assert 1 == kept.count("full fallback mode since")
    assert all("they move house" in it for it in (held, kept))


def test_a_database_that_is_away_is_named_and_no_snapshot_is_missed(redis_url: str) -> None:
    env = {"CALSAGA_DATABASE_URL": "postgresql://calsaga@127.0.0.1:1/calsaga", "CALSAGA_REDIS_URL": redis_url}

    plain = CliRunner().invoke(app, ["circuit", "status"], env=env)
    told = CliRunner().invoke(app, ["circuit", "status", "--json"], env=env)

    assert (1, 1) == (plain.exit_code, told.exit_code)
    assert "verdict\tcritical" in plain.stdout
    assert "the database does not answer" in plain.stderr
    assert "snapshot" not in plain.stderr
    assert ("critical", "unhealthy") == (
        json.loads(told.stdout)["verdict"],
        json.loads(told.stdout)["statuses"]["database"],
    )
