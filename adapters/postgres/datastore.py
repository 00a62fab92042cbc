"""The library's datastore, for a whole connection URL instead of its parts."""

import os
from typing import Final

from eventsourcing.postgres import PostgresDatastore
from eventsourcing.utils import strtobool
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from adapters.database import dead_peers
from adapters.database.unanswered import Connections

FUNCTIONS: Final = "POSTGRES_ENABLE_DB_FUNCTIONS"


class DatabaseFunctionsEnabled(Exception):
    """Unset POSTGRES_ENABLE_DB_FUNCTIONS: with it events would be written without their claims, out of order."""

    def __init__(self) -> None:
        super().__init__(
            f"{FUNCTIONS} is switched on. The library would then write events through a function of the database that "
            "leaves out claims, appointments and due work, and lets followers miss events. Unset it, then start again."
        )


def open_datastore(
    url: str,
    *,
    sizes: range,
    connect_timeout: float,
    statement_timeout: float = 10.0,
    connections: Connections | None = None,
) -> PostgresDatastore:
    """
    Return the pool that the log is read through.

    It keeps `sizes[0]` connections open, and opens up to `sizes[-1]`. `connect_timeout` limits the wait for
    one of them.

    Raises:
        DatabaseFunctionsEnabled: the environment asks for what must not be.

    """
    if strtobool(os.environ.get(FUNCTIONS) or "no"):
        raise DatabaseFunctionsEnabled
    datastore = PostgresDatastore(
        dbname="",
        host="",
        port="",
        user="",
        password="",
        connect_timeout=connect_timeout,
        pool_size=sizes[0],
        max_overflow=sizes[-1] - sizes[0],
        pre_ping=False,
    )
    datastore.pool.connection_class = (connections or Connections()).limited(statement_timeout)
    # The pool is not open yet; a URL also holds what the library has no parameters for, such as sslmode.
    given = conninfo_to_dict(url)
    datastore.pool.kwargs = {
        **dead_peers.limits(connect=statement_timeout / 2, silence=statement_timeout),
        **given,
        "options": dead_peers.server_options(statement_timeout, options=str(given.get("options") or "")),
        "application_name": "calsaga reader",
        "row_factory": dict_row,
    }
    return datastore
