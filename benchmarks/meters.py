"""What a run cost: CPU of all processes of ours, commits and data statements of PostgreSQL."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil
import psycopg

DATA_STATEMENTS = """
SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND query ~* '^[[:space:]]*(--[^\\n]*\\n[[:space:]]*)*(select|insert|update|delete|with|prepare)'
  AND query !~* 'pg_stat_|pg_advisory'
"""
COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class Reading:
    """The meters at one moment; CPU in seconds."""

    at: float
    cpu: float
    database_cpu: float
    commits: int
    statements: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a stretch of time took of each meter, without what an idle process takes anyway."""

    cpu: float
    database_cpu: float
    commits: float
    statements: float


def cost(begin: Reading, end: Reading, *, idle: tuple[Reading, Reading]) -> Cost:
    """Return what was used between two readings, less an idle run of the same length."""
    share = (end.at - begin.at) / (idle[1].at - idle[0].at)
    return Cost(
        cpu=end.cpu - begin.cpu,
        database_cpu=end.database_cpu - begin.database_cpu,
        commits=end.commits - begin.commits - share * (idle[1].commits - idle[0].commits),
        statements=end.statements - begin.statements - share * (idle[1].statements - idle[0].statements),
    )


class Meter:
    """Reads the meters; without a PostgreSQL database only the CPU's."""

    def __init__(self, *, processes: Sequence[int], database_url: str | None, postmaster: int | None) -> None:
        self._processes = [psutil.Process(pid) for pid in processes]
        self._database_url = database_url
        self._postmaster = None if postmaster is None else psutil.Process(postmaster)

    def read(self) -> Reading:
        """Return the meters now."""
        commits, statements = self._database()
        return Reading(
            at=time.monotonic(),
            cpu=sum(_cpu(one) for one in self._processes),
            database_cpu=0.0 if self._postmaster is None else _cpu(self._postmaster),
            commits=commits,
            statements=statements,
        )

    def _database(self) -> tuple[int, int]:
        if self._database_url is None:
            return 0, 0
        # Not autocommitted, and rolled back: the meter must not count itself.
        with psycopg.connect(self._database_url) as connection:
            connection.execute("SELECT pg_stat_clear_snapshot()")
            commits = connection.execute(COMMITS).fetchone()
            statements = connection.execute(DATA_STATEMENTS).fetchone()
            connection.rollback()
        return int(commits[0]) if commits else 0, int(statements[0]) if statements else 0


def _cpu(process: psutil.Process) -> float:
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        # A backend or a helper may end while it is being read.
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            # Those of its children that have ended count with it.
            total += times.user + times.system + times.children_user + times.children_system
    return total
