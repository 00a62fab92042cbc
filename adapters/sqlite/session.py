"""The writer's own connection to the file."""

import sqlite3

from adapters.sqlite.file import DatabaseFile

BUSY_SECONDS = 30.0


class WriterSession:
    """Hold the connection, and never hand out one that is in an unknown state."""

    def __init__(self, path: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self.file = DatabaseFile(path)
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None

    def begin(self) -> sqlite3.Connection:
        """
        Wait for the file's write lock, and return the connection in its transaction.

        Raises:
            sqlite3.OperationalError: the lock was not to be had in time, or the file is another one.

        """
        if self._connection is None:
            # Or another one would be made.
            self.file.check()
            self._connection = self._connect()
        # Not a plain BEGIN: a transaction that reads first cannot wait for the lock later.
        self._connection.execute("BEGIN IMMEDIATE")
        # Not before: it may be replaced while the lock is waited for.
        self.file.check()
        return self._connection

    def commit(self) -> None:
        """Commit."""
        if self._connection is None:
            raise sqlite3.InterfaceError("there is no transaction to commit")
        self._connection.execute("COMMIT")

    def abandon(self) -> None:
        """Roll back; close the connection if that does not work."""
        if self._connection is None or not self._connection.in_transaction:
            return
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()

    def close(self) -> None:
        """Close the connection; the next append opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=self._busy_seconds, cached_statements=64
        )
        connection.execute("PRAGMA journal_mode = WAL")
        # Every commit is on the disk before it is acknowledged.
        connection.execute("PRAGMA synchronous = FULL")
        return connection
