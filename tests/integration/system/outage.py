"""
A database that is away: PostgreSQL is killed, a SQLite file is held by somebody who does not let go.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Protocol

from sqlalchemy import make_url

from tests.servers.postgres import PostgresServer


class Outage(Protocol):
    """
    What can be away, and come back.
    """

    def begins(self) -> None: ...

    def ends(self) -> None: ...


class KilledServer:
    """
    All processes of a PostgreSQL server are killed, and it is started again on what is on its disk.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def begins(self) -> None:
        self._server.kill()

    def ends(self) -> None:
        self._server.restart()


class HeldFile:
    """
    Another program writes into the SQLite file, and does not come to an end.
    """

    def __init__(self, url: str) -> None:
        self._path = str(make_url(url).database)
        self._holder: sqlite3.Connection | None = None

    def begins(self) -> None:
        self._holder = sqlite3.connect(self._path, isolation_level=None, timeout=30, check_same_thread=False)
        self._holder.execute("BEGIN EXCLUSIVE")

    def ends(self) -> None:
        if self._holder is not None:
            with suppress(sqlite3.Error):
                self._holder.execute("ROLLBACK")
            self._holder.close()
            self._holder = None
