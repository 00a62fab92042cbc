"""
`calsaga circuit ... --for`: as long as a person writes it, as for full fallback, or in seconds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.app import app


def run(*arguments: str, redis_url: str) -> Result:
    return CliRunner().invoke(app, ["circuit", *arguments], env={"CALSAGA_REDIS_URL": redis_url})


@pytest.mark.parametrize(("lasts", "seconds"), [("30m", 1800), ("90s", 90), ("1800", 1800), ("2h", 7200)])
def test_a_time_is_taken_with_its_unit_and_without(lasts: str, seconds: float, redis_url: str) -> None:
    result = run("open", "calcom", "--reason", "they move house", "--for", lasts, "--json", redis_url=redis_url)

    assert 0 == result.exit_code, result.stderr
    until = datetime.fromisoformat(json.loads(result.stdout)["services"]["calcom"]["override"]["expires_at"])
    assert seconds == pytest.approx((until - datetime.now(UTC)).total_seconds(), abs=30)


@pytest.mark.parametrize("lasts", ["soon", "30 m", "400d", "nan", "-5s"])
def test_a_time_that_is_none_is_refused_by_name(lasts: str, redis_url: str) -> None:
    result = run("open", "calcom", "--reason", "x", "--for", lasts, redis_url=redis_url)

    assert (2, True) == (result.exit_code, "--for" in result.stderr)
