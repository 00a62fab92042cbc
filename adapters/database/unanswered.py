"""
How long we wait for an answer of PostgreSQL's, whoever keeps it.

The server's own limits end a statement only while the server itself goes on. One that is stopped or hangs, or a proxy
in front of it that passes nothing on, keeps the connection alive and says nothing for hours.
"""

from typing import Any, Final, TypeAlias

import psycopg
from psycopg.abc import PQGen

LATER: Final = 2.0
"""By how many seconds a server may be late in saying that its own limit was reached."""

LimitedConnection: TypeAlias = type[psycopg.Connection[Any]]


def limited(statement_seconds: float) -> LimitedConnection:
    """
    Return the class of connections that are closed when a statement has no answer soon after the server's own limit.

    Whoever waits gets a psycopg.OperationalError, as of any lost connection: what was sent may have been done.
    """

    class Limited(psycopg.Connection[Any]):
        def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401
            limit = statement_seconds + LATER if timeout is None else timeout
            try:
                return super().wait(gen, interval, limit)
            except psycopg.OperationalError:
                if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                    # It has not answered: nobody may read the answer to another question from it.
                    self.close()
                raise

    return Limited
