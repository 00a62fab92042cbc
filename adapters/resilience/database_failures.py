"""What PostgreSQL's and SQLite's errors are, in our own words; which of them are passing is the error class's own."""

import sqlite3
from typing import Final

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from domain.errors import DatabaseKind

READ_ONLY: Final = "25006"
PASSING: Final[frozenset[DatabaseKind]] = frozenset({"deadlock", "timeout", "connection_lost"})
KINDS: Final[dict[str, DatabaseKind]] = {
    "40P01": "deadlock",
    "40001": "deadlock",
    "55P03": "timeout",
    "57014": "timeout",
    # The server shuts down, has crashed, is starting, ended us for idling, or has become a standby.
    "57P01": "connection_lost",
    "57P02": "connection_lost",
    "57P03": "connection_lost",
    "57P05": "connection_lost",
    "25P03": "connection_lost",
    READ_ONLY: "connection_lost",
    "53300": "connection_lost",
    # The disk is full, memory is short, a limit of the server is reached, the disk fails.
    "53100": "exhausted",
    "53200": "exhausted",
    "53400": "exhausted",
    "58030": "exhausted",
}
KINDS_BY_CLASS: Final[dict[str, DatabaseKind]] = {"08": "connection_lost", "22": "data", "23": "constraint"}
_WAITED_IN_VAIN: Final = frozenset({"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_TIMEOUT", "SQLITE_LOCKED"})
_READ_ONLY_FILE: Final = "SQLITE_READONLY"
_EXHAUSTED: Final = ("SQLITE_FULL", "SQLITE_IOERR")


def sql_state(exc: BaseException) -> str:
    """Return the state that PostgreSQL gave an error, or SQLite's name for one; empty if it has none."""
    return str(getattr(exc, "sqlstate", None) or getattr(exc, "sqlite_errorname", None) or "")


def postgres_kind(exc: BaseException) -> DatabaseKind:
    """Return what kind of failure an error of psycopg, or of its pool, is."""
    state = getattr(exc, "sqlstate", None) or ""
    return KINDS.get(state) or KINDS_BY_CLASS.get(state[:2]) or _kind_without_state(exc, state)


def sqlite_kind(exc: BaseException) -> DatabaseKind:
    """Return what kind of failure an error of sqlite3 is."""
    name = getattr(exc, "sqlite_errorname", "")
    if name in _WAITED_IN_VAIN:
        return "timeout"
    if name.startswith(_EXHAUSTED):
        return "exhausted"
    if name.startswith(_READ_ONLY_FILE):
        return "connection_lost"
    match exc:
        case sqlite3.IntegrityError():
            return "constraint"
        case sqlite3.DataError() | UnicodeError() | OverflowError() | TypeError():
            return "data"
        case _:
            return "other"


def _kind_without_state(exc: BaseException, state: str) -> DatabaseKind:
    match exc:
        case PoolTimeout() | PoolClosed():
            return "connection_lost"
        case psycopg.OperationalError() | psycopg.InterfaceError() if not state:
            return "connection_lost"
        case psycopg.DataError() | UnicodeError() | TypeError():
            return "data"
        case _:
            return "other"
