"""
`calsaga circuit`, on the breakers that a running process asks.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.breakers.telling import Telling
from adapters.cli.actors import user_name
from adapters.cli.app import app
from adapters.redis.opening_breakers import open_breakers
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Permit, Refusal, Snapshot


def run(*arguments: str, redis_url: str | None) -> Result:
    return CliRunner().invoke(app, ["circuit", *arguments], env={"CALSAGA_REDIS_URL": redis_url or ""})


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
        async with open_breakers(policies, listener=Telling(), redis_url=redis_url, limit=5) as breakers:
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

    assert "closed" == states(run("reset", "--all", "--json", redis_url=redis_url))["calcom"]["state"]
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
