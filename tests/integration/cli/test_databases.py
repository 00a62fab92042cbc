"""
What the command line says of a database that is new, empty, too new, damaged or none.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.app import app

BOOKING = "5f76468b-1d5c-46ef-bd0e-ab2608f9947a"


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_a_database_of_a_newer_calsaga_is_refused_with_the_remedy(tmp_path: Path, empty_sqlite_url: str) -> None:
    assert 0 == run("migrate", CALSAGA_DATABASE_URL=empty_sqlite_url).exit_code
    with sqlite3.connect(empty_sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    for command in (("migrate",), ("services", "list"), ("worker",)):
        result = run(*command, CALSAGA_DATABASE_URL=empty_sqlite_url)
        assert 2 == result.exit_code, result.stderr
        assert "9999" in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [("show",), ("timeline",), ("cancel", "--reason", "ill")])
@pytest.mark.parametrize(
    ("topic", "said"), [("booking.dreamt-of.v1", "install"), ("booking.failed.v1", "cannot be read")]
)
def test_an_event_that_cannot_be_read_is_named(
    sqlite_url: str, command: tuple[str, ...], topic: str, said: str
) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?, 1, ?, ?)",
            (UUID(BOOKING).hex, topic, b'{"append_id": "x"}'),
        )
    connection.close()

    result = run(*command, BOOKING, CALSAGA_DATABASE_URL=sqlite_url)

    assert 2 == result.exit_code, result.stderr
    assert topic in result.stderr
    assert said in result.stderr


def test_migrating_twice_says_so(empty_sqlite_url: str) -> None:
    first = run("migrate", CALSAGA_DATABASE_URL=empty_sqlite_url)
    second = run("migrate", CALSAGA_DATABASE_URL=empty_sqlite_url)

    assert (0, 0) == (first.exit_code, second.exit_code)
    assert "migrated to revision" in first.stdout
    assert "already at revision" in second.stdout


def test_an_unknown_revision_is_wrong_usage(empty_sqlite_url: str) -> None:
    result = run("migrate", "--to", "no-such-revision", CALSAGA_DATABASE_URL=empty_sqlite_url)

    assert 2 == result.exit_code
    assert "no-such-revision" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [("services", "list"), ("migrate",)])
@pytest.mark.parametrize("path", ["no/such/folder/calsaga.db", "", "letter.txt"])
def test_a_file_that_can_be_no_database_is_a_wrong_setting(tmp_path: Path, path: str, command: tuple[str, ...]) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader, this is no database, however long it may be.")

    result = run(*command, CALSAGA_DATABASE_URL=f"sqlite:///{tmp_path}/{path}")

    assert_one_line_about_the_database(result, exit_code=2)


def assert_one_line_about_the_database(result: Result, *, exit_code: int) -> None:
    assert exit_code == result.exit_code, result.output
    assert "CALSAGA_DATABASE_URL" in result.stderr
    assert 1 == result.stderr.count("\n")
    assert "" == result.stdout


def test_a_table_of_another_program_is_a_wrong_setting(empty_sqlite_url: str) -> None:
    with sqlite3.connect(empty_sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("CREATE TABLE appointments (x INTEGER)")
    connection.close()

    result = run("migrate", CALSAGA_DATABASE_URL=empty_sqlite_url)

    assert_one_line_about_the_database(result, exit_code=2)
    assert "appointments" in result.stderr


@pytest.mark.parametrize("group", ["services", "companies", "keys", "sync-failures", "notifications"])
def test_a_list_of_nothing_says_so(sqlite_url: str, group: str) -> None:
    result = run(group, "list", CALSAGA_DATABASE_URL=sqlite_url)

    assert (0, "") == (result.exit_code, result.stdout)
    assert re.search(r"\bno\b", result.stderr)
