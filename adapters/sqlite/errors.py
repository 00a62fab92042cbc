"""SQLite's errors in our own words."""

from adapters.resilience.database_failures import sqlite_kind
from domain.errors import AppointmentDatabaseError


def database_error(exc: BaseException) -> AppointmentDatabaseError:
    """Return what a caller is told; SQLite's name of the error stands in the place of a state."""
    kind = sqlite_kind(exc)
    return AppointmentDatabaseError(
        f"SQLite failed ({kind})", kind=kind, sql_state=getattr(exc, "sqlite_errorname", "")
    )
