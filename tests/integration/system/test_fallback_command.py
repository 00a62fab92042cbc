"""
`calsaga fallback`: what operators type, and are told.
"""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.actors import user_name
from adapters.cli.app import app


@pytest.fixture(autouse=True)
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSAGA_DATABASE_URL", database_url)
    monkeypatch.setenv("CALSAGA_LOG_LEVEL", "error")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fallback", *arguments])


def test_it_is_switched_on_seen_and_switched_off() -> None:
    assert "off\n" == run("status").stdout
    begun = json.loads(run("on", "--reason", "they move house", "--for", "2h", "--json").stdout)["full_fallback"]
    seen = run("status")
    ended = json.loads(run("off", "--reason", "they have moved", "--json").stdout)

    assert (user_name(), "they move house") == (begun["actor"], begun["reason"])
    assert seen.stdout.startswith(f"on\tby {user_name()}: they move house\tsince ")
    assert "left" in seen.stdout
    assert (None, "they have moved") == (ended["full_fallback"], ended["last_ended"]["reason"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(("on", "--reason", " "), "--reason must not be empty"), (("on", "--reason", "x", "--for", "25h"), "--for")],
)
def test_what_is_wrong_is_named(arguments: tuple[str, ...], named: str) -> None:
    found = run(*arguments)

    assert 2 == found.exit_code
    assert named in found.stderr


def test_the_features_and_an_empty_queue_are_told() -> None:
    told = json.loads(run("features", "--json").stdout)
    lines = run("features").stdout.splitlines()

    assert 8 == len(lines) == len(told["normal"])
    assert "recommendations\toff while degraded" in "\n".join(lines)
    assert {"queue": []} == json.loads(run("queue", "--json").stdout)
