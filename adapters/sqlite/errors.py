"""SQLite's errors in our own words."""

import sqlite3

from domain.errors import AppointmentDatabaseError, DatabaseKind

_WAITED_IN_VAIN = frozenset({"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_TIMEOUT", "SQLITE_LOCKED"})


def database_error(exc: BaseException) -> AppointmentDatabaseError:
    """Return what a caller is told; SQLite's name of the error stands in the place of a state."""
    name = getattr(exc, "sqlite_errorname", "")
    kind = _kind(exc, name)
    return AppointmentDatabaseError(f"SQLite failed ({kind})", kind=kind, sql_state=name)


def _kind(exc: BaseException, name: str) -> DatabaseKind:
    if name in _WAITED_IN_VAIN:
        return "timeout"
    match exc:
        case sqlite3.IntegrityError():
            return "constraint"
        case sqlite3.DataError() | UnicodeError() | OverflowError() | TypeError():
            return "data"
        case _:
            return "other"
