"""
Every crash point of every scenario, on every database: `make crash-sweep`.

`batches` is PostgreSQL with no append written at once (ADR-026): each goes the other course, step by step.

Each point is reached once by a process that is killed there, and once by one that is
stopped there, sleeps until another one has finished the booking, and goes on. What is
wrong is printed with the scenario and the point; the exit status says whether anything
was.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from migrations.runner import migrate
from tests.crash.harness import Stage, Verdict
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.integration.sandbox.sandbox_process import SandboxProcess
from tests.servers.postgres import PostgresServer

AT_ONCE = 8
KINDS = ["sqlite", "postgres", "batches"]
Death = tuple[Scenario, Sequence[str], int, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the sweep, and return the exit status.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=KINDS, action="append")
    parser.add_argument("--scenario", choices=[one.name for one in SCENARIOS], action="append")
    parser.add_argument("--how", choices=["KILL", "STOP"], action="append")
    chosen = parser.parse_args(arguments)
    wrong = 0
    for database in chosen.database or KINDS:
        with stage(database) as here:
            scenarios = [one for one in SCENARIOS if one.name in (chosen.scenario or {it.name for it in SCENARIOS})]
            wrong += _sweep(here, scenarios, chosen.how or ["KILL", "STOP"], database)
    return 1 if wrong else 0


@contextmanager
def stage(database: str) -> Iterator[Stage]:
    """
    Yield a stage on this kind of database, with servers of its own.
    """
    with SandboxProcess("--rate-limit", "0") as sandbox, _databases(database) as new_database:
        yield Stage(sandbox_url=sandbox.url, new_database=new_database, at_once=database != "batches")


@contextmanager
def _databases(kind: str) -> Iterator[Callable[[], str]]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder) / "template.db"
            migrate(f"sqlite:///{template}")
            yield lambda: f"sqlite:///{shutil.copy(template, Path(folder) / f'{uuid4().hex}.db')}"
        return
    server = PostgresServer()
    server.start()
    try:
        migrate(server.create_database("crash_template"))
        yield lambda: server.create_database(f"crash_{uuid4().hex}", template="crash_template")
    finally:
        server.stop()


def holds_the_lock(database: str, point: str) -> bool:
    """
    Tell whether nobody else can write while a process sleeps there.

    SQLite's writer lock is the process's until it ends; PostgreSQL ends the idle transaction.
    """
    return database == "sqlite" and point.startswith(("append.written:", "follower.written:"))


def _sweep(here: Stage, scenarios: Sequence[Scenario], how: Sequence[str], database: str) -> int:
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reached = list(pool.map(here.points, scenarios))
        deaths: list[Death] = [
            (scenario, points, number, one)
            for scenario, points in zip(scenarios, reached, strict=True)
            for number, point in enumerate(points, start=1)
            for one in how
            if not (one == "STOP" and holds_the_lock(database, point))
        ]
        verdicts = list(_told(database, pool.map(lambda death: here.die_at(*death[:3], how=death[3]), deaths)))
    died = Counter(verdict.scenario for verdict in verdicts if verdict.died)
    wrong = sum(bool(verdict.faults) for verdict in verdicts)
    for scenario, number in died.items():
        print(f"{database:9} {scenario:24} {number:4} deaths")
    seconds = time.monotonic() - started
    print(f"{database}: {sum(died.values())} deaths, {wrong} with faults, {seconds:.0f} s", flush=True)
    return wrong


def _told(database: str, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """
    Print what is wrong as soon as it is known: a sweep takes long.
    """
    for verdict in verdicts:
        if verdict.faults:
            print(f"{database} {verdict.scenario} at {verdict.point}:", *verdict.faults, sep="\n  ", flush=True)
        yield verdict


if __name__ == "__main__":
    sys.exit(main())
