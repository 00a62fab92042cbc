"""
`domain` and `sagas` decide from what they are given: no outside library, no clock, no chance, no environment.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAY_IMPORT = {"domain": {"domain"}, "sagas": {"domain", "sagas"}}

# The saga's decisions are pure; only what performs and awaits their effects knows of an event loop.
MAY_AWAIT = ("engine", "callers", "waiting", "worker")

# Modules whose every function reads the world, and single names in modules that are otherwise harmless.
FORBIDDEN = {
    "os",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "time",
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
    "asyncio.open_connection",
    "asyncio.start_server",
    "asyncio.to_thread",
    "builtins.input",
    "builtins.open",
    "builtins.print",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "uuid.getnode",
    "uuid.uuid1",
    "uuid.uuid4",
}

CORE = [path for package in MAY_IMPORT for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_of_the_core_is_pure(path: Path) -> None:
    package, *inner = path.relative_to(ROOT).parts

    faults = list(impurities(path.read_text(), package=package, may_await=inner[0].startswith(MAY_AWAIT)))

    assert [] == faults


@pytest.mark.parametrize(
    "source",
    [
        "import httpx",
        "from sqlalchemy import text",
        "from sagas.engine import Engine",
        "import asyncio",
        "from datetime import datetime\ndatetime.now()",
        "import datetime as d\nd.datetime.now(d.UTC)",
        "from datetime import datetime\nclock = datetime.now",
        "from datetime import date\ndate.today()",
        "import time\ntime.time()",
        "from time import monotonic",
        "from uuid import uuid4",
        "import uuid\nuuid.uuid4()",
        "import random\nrandom.random()",
        "import os\nos.environ['HOME']",
        "open('file')",
        "def late():\n    import os.path",
    ],
)
def test_an_impure_module_is_found_out(source: str) -> None:
    assert [] != list(impurities(source, package="domain", may_await=False))


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime, timedelta\ndatetime.fromisoformat('2026-01-01') + timedelta(days=1)",
        "from uuid import UUID, uuid5\nuuid5(UUID(int=0), 'name')",
        "from domain.period import Period",
        "def decide(clock): return clock.now()",
    ],
)
def test_a_pure_module_passes(source: str) -> None:
    assert [] == list(impurities(source, package="domain", may_await=False))


def impurities(source: str, *, package: str, may_await: bool) -> Iterator[str]:
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt | ast.expr)]
    aliases: dict[str, str] = {}
    for node in nodes:
        for alias, target in _imported(node):
            aliases[alias] = target
            root, _, _ = target.partition(".")
            if root not in sys.stdlib_module_names | MAY_IMPORT[package]:
                yield f"line {node.lineno}: imports {target}"
            if root == "asyncio" and not may_await:
                yield f"line {node.lineno}: imports asyncio outside {', '.join(MAY_AWAIT)}"
            if _is_forbidden(target):
                yield f"line {node.lineno}: imports {target}"
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Name) and _is_forbidden(_meaning(node, aliases)):
            yield f"line {node.lineno}: uses {_meaning(node, aliases)}"


def _imported(node: ast.stmt | ast.expr) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Import(names=names):
            for name in names:
                root, _, _ = name.name.partition(".")
                yield name.asname or root, name.name if name.asname else root
        case ast.ImportFrom(module=str(module), names=names, level=0):
            for name in names:
                yield name.asname or name.name, f"{module}.{name.name}"
        case _:
            return


def _meaning(node: ast.expr, aliases: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return aliases.get(name, f"builtins.{name}")
        case ast.Attribute(value=value, attr=name):
            return f"{_meaning(value, aliases)}.{name}"
        case _:
            return ""


def _is_forbidden(name: str) -> bool:
    return name in FORBIDDEN or name.partition(".")[0] in FORBIDDEN
