"""
`calsaga circuit`, on the breakers that a running process asks.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from adapters.breakers.telling import Telling
from adapters.cli.actors import user_name
from adapters.cli.app import app
from adapters.redis.opening_breakers import open_breakers
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Permit, Refusal, Snapshot


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
    (calcom,) = states(run("status", "--json", redis_url=redis_url)).values()

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
    assert line.startswith("calcom\topen until ")
    assert line.endswith(f"\t0 failed, 0 succeeded\topen by {user_name()}: they move house\n")

    result = run("reset", "--all", "--json", redis_url=redis_url)
    assert "closed" == states(result)["calcom"]["state"]
    assert {"calcom": "reset"} == json.loads(result.stdout)["results"]
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
        (("open", "calom", "--reason", "x"), "NAME: there is no breaker 'calom'; there are calcom"),
        (("reset",), "reset: give either NAME or --all"),
        (("reset", "calcom", "--all"), "reset: give either NAME or --all"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(redis_url: str, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments, redis_url=redis_url)

    assert 2 == result.exit_code
    assert said in result.stderr


def test_without_redis_there_is_no_breaker_to_reach() -> None:
    result = run("status", redis_url=None)

    assert (1, "") == (result.exit_code, result.stdout)
    assert "CALSAGA_REDIS_URL" in result.stderr


def test_a_redis_that_does_not_answer_is_said() -> None:
    result = run("status", redis_url="redis://127.0.0.1:1/0")

    assert (1, "") == (result.exit_code, result.stdout)
    assert "Redis does not answer" in result.stderr


def test_each_breaker_is_reset_whatever_becomes_of_the_others(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.breakers.policies.SHARED", ("broken", "calcom"))
    with redis.Redis.from_url(redis_url) as client:
        client.set("circuit_breaker:{broken}:state", "something else")

    plain = run("reset", "--all", redis_url=redis_url)
    told = run("reset", "--all", "--json", redis_url=redis_url)

    assert (1, 1) == (plain.exit_code, told.exit_code)
    assert plain.stdout.startswith("calcom\tclosed")
    assert "broken: Redis does not answer" in plain.stderr
    assert {"broken": "failed", "calcom": "reset"} == json.loads(told.stdout)["results"]


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
