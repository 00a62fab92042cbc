"""
A PostgreSQL database is migrated by hand, once, and everybody is told so; a worker ends gently.
"""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner, Result

from adapters.cli.app import app
from tests.acceptance.processes import CALSAGA, environment


def run(*arguments: str, url: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"CALSAGA_DATABASE_URL": url})


def test_tables_are_made_by_migrate_and_nobody_else(empty_postgres_url: str) -> None:
    before = run("services", "list", url=empty_postgres_url)
    migrated = run("migrate", url=empty_postgres_url)
    after = run("services", "list", url=empty_postgres_url)

    assert (2, 0, 0) == (before.exit_code, migrated.exit_code, after.exit_code)
    assert "calsaga migrate" in before.stderr
    assert 1 == len(before.stderr.strip().splitlines())


def test_a_database_that_is_away_is_named() -> None:
    result = run("services", "list", url="postgresql://calsaga:hunter2@127.0.0.1:1/calsaga")

    assert 1 == result.exit_code
    assert "hunter2" not in result.stderr
    assert 1 == len(result.stderr.strip().splitlines())


@pytest.mark.parametrize("command", [("services", "list"), ("migrate",)])
@pytest.mark.parametrize(("user", "name"), [("nobody_known", None), (None, "no_such_database")])
def test_an_unknown_database_or_role_is_a_wrong_setting(
    postgres_url: str, command: tuple[str, ...], user: str | None, name: str | None
) -> None:
    given = make_url(postgres_url)
    url = given.set(username=user or given.username, database=name or given.database)

    result = run(*command, url=url.render_as_string(hide_password=False))

    assert 2 == result.exit_code, result.stderr
    assert "does not exist" in result.stderr
    assert 1 == len(result.stderr.strip().splitlines())


def test_a_database_that_would_write_by_itself_is_refused_by_name(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    result = run("services", "list", url=postgres_url)

    assert 2 == result.exit_code
    assert "POSTGRES_ENABLE_DB_FUNCTIONS" in result.stderr
    assert 1 == len(result.stderr.strip().splitlines())


def test_a_worker_ends_gently(tmp_path: Path) -> None:
    worker = subprocess.Popen([CALSAGA, "worker"], env=environment(tmp_path), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (tmp_path / "calsaga.db-wal").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(2)
    worker.send_signal(signal.SIGTERM)
    _, complaints = worker.communicate(timeout=20)

    assert 0 == worker.returncode, complaints
    assert "Traceback" not in complaints
