"""
How long we wait for an answer of PostgreSQL's, whoever keeps it.

The server's own limits end a statement only while the server itself goes on. One that is stopped or hangs, or a proxy
in front of it that passes nothing on, keeps the connection alive and says nothing for hours.
"""

import os
import socket
from contextlib import suppress
from threading import RLock
from typing import Any, Final, TypeAlias
from weakref import WeakSet

import psycopg
from psycopg.abc import PQGen

LATER: Final = 2.0
"""By how many seconds a server may be late in saying that its own limit was reached."""

LimitedConnection: TypeAlias = type[psycopg.Connection[Any]]


class Connections:
    """The connections of one store: none waits for an answer for ever, and all can be cut."""

    def __init__(self) -> None:
        self._open: WeakSet[psycopg.Connection[Any]] = WeakSet()
        # Reentrant: while it is held, garbage may be collected, and with it somebody's connection closed.
        self._changing = RLock()
        self._are_cut = False

    def cut(self) -> None:
        """Cut all, for good: who waits for an answer, asks or connects later gets psycopg.OperationalError at once."""
        self._are_cut = True
        with self._changing:
            for one in self._open:
                _hang_up(one)

    def limited(self, statement_seconds: float) -> LimitedConnection:
        """
        Return a class of connections that are closed when a statement has no answer soon after the server's own limit.

        Whoever waits gets a psycopg.OperationalError, as of any lost connection: what was sent may have been done.
        """
        those = self

        class Limited(psycopg.Connection[Any]):
            @classmethod
            def connect(cls, *words: Any, **options: Any) -> Any:  # noqa: ANN401
                those._check()
                return super().connect(*words, **options)

            def __init__(self, *words: Any) -> None:  # noqa: ANN401 - psycopg's own form
                super().__init__(*words)
                with those._changing:
                    those._open.add(self)

            def close(self) -> None:
                # Not while they are cut: the socket's number may be somebody else's as soon as it is closed.
                with those._changing:
                    super().close()

            def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401
                if those._are_cut:
                    self.close()
                those._check()
                limit = statement_seconds + LATER if timeout is None else timeout
                try:
                    return super().wait(gen, interval, limit)
                except psycopg.OperationalError:
                    if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                        # It has not answered: nobody may read the answer to another question from it.
                        self.close()
                    raise

        return Limited

    def _check(self) -> None:
        if self._are_cut:
            raise psycopg.OperationalError("the connection was cut: its store is being closed")


def _hang_up(connection: psycopg.Connection[Any]) -> None:
    # The driver may be using it in another thread, which has to find the end of the stream, and not freed memory.
    with suppress(psycopg.OperationalError, OSError), socket.socket(fileno=os.dup(connection.fileno())) as twin:
        twin.shutdown(socket.SHUT_RDWR)
