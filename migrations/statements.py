"""The statements of a migration, which stand in `sql/` as plain SQL, one file for each kind of database."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

SQL = Path(__file__).with_name("sql")


def statements(name: str) -> Iterator[str]:
    """Read the statements of a file, one after the other."""
    statement = ""
    for line in (SQL / name).read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        # SQLite's own lexer knows that a trigger's inner semicolons end nothing.
        if line.strip() and sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if statement.strip():
        message = f"{name} ends within a statement"
        raise ValueError(message)
