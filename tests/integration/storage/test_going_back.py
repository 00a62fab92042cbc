"""
`calsaga migrate --to`: forward to any revision, back to none.
"""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.app import app
from migrations.runner import current, newest


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["migrate", *arguments], env=environment)


@pytest.mark.parametrize("older", ["0001", "0013", "base"])
def test_there_is_no_way_back_to_an_older_revision(sqlite_url: str, older: str) -> None:
    result = run("--to", older, CALSAGA_DATABASE_URL=sqlite_url)

    assert (2, "", newest()) == (result.exit_code, result.stdout, current(sqlite_url))
    assert f"there is no way back to {older}" in result.stderr
    assert "restore a backup" in result.stderr


def test_the_same_revision_is_no_way_back(empty_sqlite_url: str) -> None:
    run("--to", "0013", CALSAGA_DATABASE_URL=empty_sqlite_url)

    again = run("--to", "0013", CALSAGA_DATABASE_URL=empty_sqlite_url)

    assert (0, "already at revision 0013\n") == (again.exit_code, again.stdout)
    assert 0 == run(CALSAGA_DATABASE_URL=empty_sqlite_url).exit_code
