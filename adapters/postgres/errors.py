"""PostgreSQL's errors in our own words."""

from adapters.resilience.database_failures import READ_ONLY, postgres_kind
from domain.errors import AppointmentDatabaseError


def database_error(exc: BaseException) -> AppointmentDatabaseError:
    """Return what a caller is told; the server's own message stays behind, since it may quote a row."""
    state, kind = getattr(exc, "sqlstate", None) or "", postgres_kind(exc)
    message = "PostgreSQL is read-only" if state == READ_ONLY else "PostgreSQL failed"
    return AppointmentDatabaseError(f"{message} ({kind})", kind=kind, sql_state=state)
