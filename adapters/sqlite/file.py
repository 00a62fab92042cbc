"""
Which file a path means: what is written into one that was deleted or replaced is lost when its process ends.

SQLite itself looks only when it opens a rollback journal (SQLITE_READONLY_DBMOVED), which it does not with a WAL.
"""

import sqlite3
from pathlib import Path


class DatabaseFile:
    """The file that a path meant at first."""

    def __init__(self, path: str) -> None:
        self._path = Path(path).absolute()
        self._identity = self._found()
        self._is_gone = False

    @property
    def is_gone(self) -> bool:
        """Tell whether the path has come to mean another file, or none, ever since."""
        self._is_gone = self._is_gone or self._found() != self._identity
        return self._is_gone

    def check(self) -> None:
        """Raise sqlite3.OperationalError if it is gone, as SQLite does."""
        if self.is_gone:
            gone = sqlite3.OperationalError("the database's file was deleted or replaced")
            gone.sqlite_errorname = "SQLITE_READONLY_DBMOVED"
            raise gone

    def _found(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
