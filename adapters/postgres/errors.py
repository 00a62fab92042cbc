"""PostgreSQL's errors in our own words."""

from typing import Final

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from domain.errors import AppointmentDatabaseError, DatabaseKind

READ_ONLY: Final = "25006"
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
}
KINDS_BY_CLASS: Final[dict[str, DatabaseKind]] = {"08": "connection_lost", "22": "data", "23": "constraint"}


def database_error(exc: BaseException) -> AppointmentDatabaseError:
    """Return what a caller is told; the server's own message stays behind, since it may quote a row."""
    state = getattr(exc, "sqlstate", None) or ""
    kind = KINDS.get(state) or KINDS_BY_CLASS.get(state[:2]) or _kind_without_state(exc, state)
    message = "PostgreSQL is read-only" if state == READ_ONLY else "PostgreSQL failed"
    return AppointmentDatabaseError(f"{message} ({kind})", kind=kind, sql_state=state)


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
