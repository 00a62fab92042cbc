"""
Writing rows that may be there already, in both kinds of database.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose key is there replaces it."""
    if rows:
        connection.execute(_replacing(_insert(connection, table), table), rows)


def upsert_from(connection: Connection, table: Table, rows: Select[Any]) -> int:
    """
    Insert what a query returns, in the order of the table's columns, and return how many rows that were.

    The query needs a WHERE: without one SQLite takes ON CONFLICT for a part of its join.
    """
    inserting = _insert(connection, table).from_select([column.name for column in table.columns], rows)
    return connection.execute(_replacing(inserting, table), execution_options={"preserve_rowcount": True}).rowcount


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet."""
    connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def _insert(connection: Connection, table: Table) -> Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _replacing(inserting: Insert, table: Table) -> Insert:
    key = list(table.primary_key)
    others = {column.name: inserting.excluded[column.name] for column in table.columns if column not in key}
    return inserting.on_conflict_do_update(index_elements=key, set_=others)
