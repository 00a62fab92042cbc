"""
Wrong usage and wrong settings end in one clear line, exit code 2, and no traceback.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.app import app
from adapters.cli.counting import counted


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_the_version_is_told() -> None:
    result = run("--version")

    assert (0, f"calsaga {version('calsaga')}\n") == (result.exit_code, result.stdout)


def test_help_names_every_command() -> None:
    result = run("--help")

    assert 0 == result.exit_code
    for command in [
        "migrate",
        "serve",
        "worker",
        "demo",
        "sandbox",
        "companies",
        "services",
        "keys",
        "book",
        "cancel",
        "import",
        "show",
        "timeline",
        "verify",
        "projections",
        "sync-failures",
        "notifications",
        "cache",
    ]:
        assert command in result.stdout


def test_help_loads_neither_the_database_nor_the_web() -> None:
    probe = "import sys, adapters.cli.app; print({'sqlalchemy', 'fastapi', 'httpx', 'pydantic'} & set(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert "set()" == finished.stdout.strip()


@pytest.mark.parametrize(
    "arguments",
    [
        ("unheard-of",),
        ("show",),
        ("show", "not-a-uuid"),
        ("timeline", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--format", "smoke-signals"),
        ("cancel", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a"),
        ("import", "/nowhere/to/be/found.jsonl"),
        ("serve", "--port", "99999"),
        ("demo", "--faults", "apocalypse"),
        ("sandbox", "--faults", "apocalypse"),
        ("companies", "set", "acme"),
        ("companies", "set", "a b\n;", "--calcom-key", "cal_x"),
        ("companies", "set", "acme", "--calcom-key", "cal x"),
        ("companies", "set", "acme", "--webhook-secret", ""),
        ("keys", "create", "--company", "a b\n;"),
        ("keys", "create", "--company", ""),
        ("keys", "list", "--company", "x" * 101),
        ("services", "import", __file__, "--company", "a b"),
        ("import", __file__, "--company", "a b"),
        ("import", __file__, "--report", "/no/such/dir/x"),
        ("cancel", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--reason", ""),
        ("cancel", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--reason", "x" * 501),
        ("cancel", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--reason", "x\x07y"),
        ("keys", "create", "--scope", "everything"),
        ("sync-failures", "list", "--status", "lost"),
        ("sync-failures", "list", "--company", "a b"),
        ("sync-failures", "retry"),
        ("sync-failures", "retry", "not-a-uuid"),
        ("sync-failures", "resolve", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a"),
        ("sync-failures", "resolve", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--absent", "--cancel"),
        ("sync-failures", "resolve", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--adopt", "u", "--keep-local"),
        ("sync-failures", "resolve", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--adopt", ""),
        ("sync-failures", "resolve", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--adopt", "a/b"),
        ("sync-failures", "resolve", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--cancel", "--note", "x" * 501),
        ("show", "5f76468b-1d5c-46ef-bd0e-ab2608f9947a", "--as-of", "2026-11-22T10:00:00Z", "--at-version", "2"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)

    assert 2 == result.exit_code
    assert "" == result.stdout
    assert result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CALSAGA_DATABASE_URL", "mysql://root:hunter2@localhost/x"),
        ("CALSAGA_CALCOM_ATTEMPT_SECONDS", "soon-hunter2"),
        ("CALSAGA_LEASE_SECONDS", "1"),
        ("CALSAGA_LOG_LEVEL", "loud-hunter2"),
    ],
)
@pytest.mark.parametrize("command", [("migrate",), ("worker",), ("serve",), ("services", "list")])
def test_a_wrong_setting_is_named_and_its_value_is_not(command: tuple[str, ...], variable: str, value: str) -> None:
    result = run(*command, **{variable: value})

    assert 2 == result.exit_code
    assert variable in result.stderr
    assert "hunter2" not in result.stderr
    assert "Traceback" not in result.stderr
    assert "" == result.stdout


@pytest.mark.parametrize(("number", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_one_is_no_plural(number: int, said: str) -> None:
    assert said == counted(number, "row")
