"""
`calsaga circuit`, on the breakers that a running process asks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from adapters.bootstrap import application
from adapters.breakers.registry import Look
from adapters.breakers.telling import Telling
from adapters.cli.actors import user_name
from adapters.cli.app import app
from adapters.log.store import open_store
from adapters.redis.opening_breakers import open_breakers
from adapters.settings import read_settings
from domain.breaker_commanded import BreakerCommanded, commands_id_of
from domain.breaker_moved import BreakerMoved
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Permit, Refusal, Snapshot
from sagas.appending import Recorded
from tests.integration.system.installation import eventually

AWAY = "redis://127.0.0.1:1/0"


def run(*arguments: str, redis_url: str | None, database_url: str = "") -> Result:
    env = {"CALSAGA_REDIS_URL": redis_url or "", "CALSAGA_DATABASE_URL": database_url}
    return CliRunner().invoke(app, ["circuit", *arguments], env={name: value for name, value in env.items() if value})


def states(result: Result) -> dict[str, Any]:
    assert 0 == result.exit_code, result.output
    found: dict[str, Any] = json.loads(result.stdout)["services"]
    return found


def asked(redis_url: str) -> tuple[Permit | Refusal, Snapshot]:
    """
    Ask as a process that serves does.
    """

    async def ask() -> tuple[Permit | Refusal, Snapshot]:
        policies = {"calcom": BreakerPolicy()}
        async with open_breakers(policies, listener=Telling(), instance="a", redis_url=redis_url, limit=5) as breakers:
            return await breakers.acquire("calcom"), await breakers.snapshot("calcom")

    return asyncio.run(ask())


def test_a_breaker_that_nobody_has_asked_is_closed(redis_url: str) -> None:
    calcom, *others = states(run("status", "--json", redis_url=redis_url)).values()

    assert all(("closed", 0, True) == (one["state"], one["failures"], one["shared"]) for one in others)
    assert ("closed", 0, 0, True) == (calcom["state"], calcom["failures"], calcom["successes"], calcom["shared"])


def test_what_a_person_opens_is_open_for_all_until_it_is_reset(redis_url: str) -> None:
    opened = states(run("open", "calcom", "--reason", "they move house", "--for", "600", "--json", redis_url=redis_url))

    refused, snapshot = asked(redis_url)
    assert isinstance(refused, Refusal)
    assert ("manual", "open", True) == (refused.reason, snapshot.state, snapshot.shared)
    override = opened["calcom"]["override"]
    assert ("open", user_name(), "they move house") == (override["action"], override["actor"], override["reason"])
    assert override["expires_at"] == opened["calcom"]["open_until"]
    line = run("status", redis_url=redis_url).stdout
    calcom, *others = line.splitlines()
    assert calcom.startswith("calcom\topen until ")
    assert calcom.endswith(f"\t0 failed, 0 succeeded\topen by {user_name()}: they move house")
    assert [f"{name}\tclosed\tnot used yet" for name in ("retell", "email", "sms")] == others

    result = run("reset", "--all", "--json", redis_url=redis_url)
    assert "closed" == states(result)["calcom"]["state"]
    document = json.loads(result.stdout)
    own = {"database", "webhooks", "appointments"}
    shared = {"calcom", "retell", "email", "sms"}
    assert {**dict.fromkeys(shared, "reset"), **dict.fromkeys(own, "not_reached")} == document["results"]
    assert own == set(document["remedies"])
    assert "/api/resilience/breakers/webhooks/reset" in document["remedies"]["webhooks"]
    permit, _ = asked(redis_url)
    assert isinstance(permit, Permit)


@pytest.mark.parametrize("action", ["close", "observe"])
def test_what_a_person_holds_closed_says_so(redis_url: str, action: str) -> None:
    held = states(run(action, "calcom", "--reason", "we know better", "--json", redis_url=redis_url))["calcom"]

    assert ("closed", action, None) == (held["state"], held["override"]["action"], held["override"]["expires_at"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("open", "calcom"), "--reason"),
        (("open", "calcom", "--reason", " "), "--reason must not be empty"),
        (("open", "calcom", "--reason", "x", "--for", "0"), "--for must be above 0"),
        (("open", "calcom", "--reason", "a" * 501), "--reason must have at most 500 characters"),
        (("reset", "--all", "--reason", " "), "--reason must not be empty"),
        (
            ("open", "calom", "--reason", "x"),
            "NAME: there is no breaker 'calom' that all processes share; there are calcom, retell, email, sms",
        ),
        (("reset", "calom"), "NAME: there is no breaker 'calom'; there are calcom, retell, email, sms, database"),
        (("events", "--service", "nope"), "--service: there is no service 'nope'; there are calcom, retell"),
        (("reset",), "reset: give either NAME or --all"),
        (("reset", "calcom", "--all"), "reset: give either NAME or --all"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(redis_url: str, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments, redis_url=redis_url)

    assert 2 == result.exit_code
    assert said in result.stderr


def test_without_redis_each_breaker_is_told_of_with_the_way_to_it() -> None:
    plain = run("reset", "--all", redis_url=None)
    one = run("reset", "calcom", redis_url=None)

    assert (1, 1) == (plain.exit_code, one.exit_code)
    told = [line.split("\t") for line in plain.stdout.splitlines()]
    assert ["calcom", "retell", "email", "sms", "database", "webhooks", "appointments"] == [name for name, *_ in told]
    assert {"not reached"} == {result for _, result, _ in told}
    assert all(f"POST /api/resilience/breakers/{name}/reset" in way for name, _, way in told)
    assert one.stdout == plain.stdout.splitlines(keepends=True)[0]


def test_what_only_its_own_process_reaches_is_told_of_beside_what_was_reset(redis_url: str) -> None:
    result = run("reset", "--all", redis_url=redis_url)

    assert 0 == result.exit_code
    first, *others = result.stdout.splitlines()
    assert first == "calcom\tclosed\t0 failed, 0 succeeded"
    assert [f"{name}\tclosed\tnot used yet" for name in ("retell", "email", "sms")] == others[:3]
    assert ["database\tnot reached", "webhooks\tnot reached", "appointments\tnot reached"] == [
        one.rpartition("\t")[0] for one in others[3:]
    ]


def test_what_nobody_holds_for_all_processes_is_set_at_none() -> None:
    result = run("open", "calcom", "--reason", "x", redis_url=None)

    assert (1, "") == (result.exit_code, result.stdout)
    assert "CALSAGA_REDIS_URL" in result.stderr


def test_nothing_is_known_without_redis_and_without_a_database(tmp_path: Path) -> None:
    result = run("status", redis_url=None, database_url=f"sqlite:///{tmp_path}/none.db")

    assert (1, "") == (result.exit_code, result.stdout)
    assert "CALSAGA_REDIS_URL" in result.stderr
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("redis_is", ["none", "away"])
def test_what_the_database_knows_is_shown_without_redis(database_url: str, redis_is: str) -> None:
    trip_alone(database_url)
    redis_url = None if redis_is == "none" else AWAY

    plain = run("status", redis_url=redis_url, database_url=database_url)
    document = json.loads(run("status", "--json", redis_url=redis_url, database_url=database_url).stdout)

    assert (0 if redis_is == "none" else 1) == plain.exit_code
    (line,) = (one for one in plain.stdout.splitlines() if one.startswith("calcom\t"))
    assert "\tclosed -> open\tfailures\t5 of 5 failed\tof process " in line
    assert ({}, {"calcom"}) == (document["services"], set(document["last_events"]))
    assert ("open", False) == (document["last_events"]["calcom"]["to"], document["last_events"]["calcom"]["shared"])


def trip_alone(database_url: str) -> None:
    """
    Open Cal.com's breaker in a process without Redis.
    """

    async def trip() -> None:
        async with application(read_settings(database_url=database_url), background=False) as opened:
            for _ in range(5):
                permit = await opened.resilience.breakers.acquire("calcom")
                assert isinstance(permit, Permit)
                await opened.resilience.breakers.record(permit, "failed")
            await opened.resilience.breaker_events.write()
            await opened.followers.catch_up()

    asyncio.run(trip())


def test_a_redis_that_does_not_answer_is_said(tmp_path: Path) -> None:
    result = run("status", redis_url=AWAY, database_url=f"sqlite:///{tmp_path}/none.db")

    assert (1, "") == (result.exit_code, result.stdout)
    assert "Redis does not answer" in result.stderr


def test_each_breaker_is_reset_whatever_becomes_of_the_others(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.breakers.policies.SHARED", ("broken", "calcom"))
    monkeypatch.setattr("adapters.breakers.policies.NAMES", ("broken", "calcom"))
    with redis.Redis.from_url(redis_url) as client:
        client.set("circuit_breaker:{broken}:state", "something else")

    plain = run("reset", "--all", redis_url=redis_url)
    told = run("reset", "--all", "--json", redis_url=redis_url)

    assert (1, 1) == (plain.exit_code, told.exit_code)
    assert plain.stdout.startswith("calcom\tclosed")
    assert "broken: Redis does not answer" in plain.stderr
    assert {"broken": "failed", "calcom": "reset"} == json.loads(told.stdout)["results"]


async def test_a_command_that_was_given_has_been_written_when_it_ends(redis_url: str, database_url: str) -> None:
    async with open_store(database_url) as store:
        result = await asyncio.to_thread(
            run, "open", "retell", "--reason", "it is ill", redis_url=redis_url, database_url=database_url
        )
        (given,) = await store.log.read(commands_id_of("retell"))
        assert isinstance(given.event, BreakerCommanded)
        assert ("open", "it is ill") == (given.event.action, given.event.reason)
        found = await store.log.read_all(after=0, limit=10)

    assert (0, False) == (result.exit_code, "not written" in result.stderr)
    moves = [one.event for one in found if isinstance(one, Recorded) and isinstance(one.event, BreakerMoved)]
    assert [("retell", "open", "manual")] == [(one.service, one.after, one.cause) for one in moves]


async def test_a_running_process_puts_back_what_redis_has_lost_at_its_start_and_later(
    redis_url: str, database_url: str
) -> None:
    def flush() -> None:
        with redis.Redis.from_url(redis_url) as client:
            client.flushdb()

    await asyncio.to_thread(
        run, "open", "calcom", "--reason", "it is ill", redis_url=redis_url, database_url=database_url
    )
    flush()
    chosen = read_settings(database_url=database_url, redis_url=redis_url, redis_seconds=5)
    async with application(chosen, background=False) as opened:
        breakers = opened.resilience.breakers

        async def is_open_again() -> bool:
            look = await breakers.snapshot("calcom")
            return look.shared and look.override is not None and "it is ill" == look.override.reason

        assert await is_open_again()
        flush()
        await eventually(is_open_again, "Redis is told again")


def test_a_command_that_cannot_be_written_is_done_and_says_so(redis_url: str, tmp_path: Path) -> None:
    result = run("open", "calcom", "--reason", "x", redis_url=redis_url, database_url=f"sqlite:///{tmp_path}/none.db")

    assert 0 == result.exit_code
    assert "not written to the database" in result.stderr
    assert [] == list(tmp_path.iterdir())
    refused, _ = asked(redis_url)
    assert isinstance(refused, Refusal)


def test_what_others_code_uses_in_one_process_is_seen_and_set_in_all(redis_url: str, database_url: str) -> None:
    """
    Of two processes one uses the breaker; the other, and the command line, know of it all the same.
    """

    async def use() -> tuple[Look, Look, Sequence[str]]:
        chosen = read_settings(database_url=database_url, redis_url=redis_url, redis_seconds=5)
        async with application(chosen, background=False) as using, application(chosen, background=False) as other:
            before = await other.resilience.breakers.look()
            for _ in range(5):
                permit = await using.resilience.breakers.acquire("retell")
                assert isinstance(permit, Permit)
                await using.resilience.breakers.record(permit, "failed")
            after = await other.resilience.breakers.look()
            return before, after, sorted(await other.resilience.failures.find())

    before, after, counted = asyncio.run(use())

    assert "retell" not in before.snapshots
    assert "not_configured" == before.assessment.standings["retell"].status
    assert ("open", "unhealthy") == (after.snapshots["retell"].state, after.assessment.standings["retell"].status)
    assert "retell" in counted
    lines = run("status", redis_url=redis_url, database_url=database_url).stdout.splitlines()
    assert any(one.startswith("retell\topen until ") for one in lines)
    assert "email\tclosed\tnot used yet" in lines
    result = run("reset", "retell", redis_url=redis_url, database_url=database_url)
    assert (0, True) == (result.exit_code, result.stdout.startswith("retell\tclosed"))


def test_what_a_person_did_is_listed_though_no_process_runs(redis_url: str, database_url: str) -> None:
    assert [] == events(redis_url, database_url)
    run("open", "calcom", "--reason", "they move house", redis_url=redis_url)
    run("reset", "calcom", "--reason", "it is over", redis_url=redis_url)

    listed = events(redis_url, database_url)

    assert [("open", "closed", "it is over", 2), ("closed", "open", "they move house", 1)] == [
        (one["from"], one["to"], one["reason"], one["epoch"]) for one in listed
    ]
    assert [(user_name(), True)] * 2 == [(one["actor"], one["shared"]) for one in listed]
    assert listed == events(redis_url, database_url)
    assert listed[:1] == events(redis_url, database_url, "--limit", "1", "--service", "calcom")
    assert [] == events(redis_url, database_url, "--service", "email")
    line = run("events", "--limit", "1", redis_url=redis_url, database_url=database_url).stdout
    assert line.endswith(f"\tcalcom\topen -> closed\tmanual\t0 of 0 failed\tby {user_name()}: it is over\n")


def events(redis_url: str, database_url: str, *options: str) -> list[dict[str, Any]]:
    result = run("events", "--json", *options, redis_url=redis_url, database_url=database_url)
    assert 0 == result.exit_code, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["events"]
    return found
