"""
Writing rows that may be there already, in both kinds of database.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, Select, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose key is there replaces it."""
    _insert_all(connection, table, rows, lambda inserting: _replacing(inserting, table))


def is_one_of(connection: Connection, column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of the values, the same statement however many there are."""
    if connection.dialect.name == "sqlite":
        return column.in_(values)
    return column == func.any(bindparam(None, list(values), type_=ARRAY(column.type)))


def upsert_from(connection: Connection, table: Table, rows: Select[Any]) -> int:
    """
    Insert what a query returns, in the order of the table's columns, and return how many rows that were.

    The query needs a WHERE: without one SQLite takes ON CONFLICT for a part of its join.
    """
    inserting = _insert(connection, table).from_select([column.name for column in table.columns], rows)
    return connection.execute(_replacing(inserting, table), execution_options={"preserve_rowcount": True}).rowcount


def insert_missing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key is not there yet."""
    _insert_all(connection, table, rows, lambda inserting: inserting.on_conflict_do_nothing())


def _insert_all(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], with_conflict: Callable[[Insert], Insert]
) -> None:
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(with_conflict(sqlite.insert(table)), rows)
        return
    # A statement a row costs five times as much as one for all of them, here and in the server.
    columns = {column.name: [row[column.name] for row in rows] for column in table.columns}
    unnested = select(*(func.unnest(bindparam(column.name, type_=ARRAY(column.type))) for column in table.columns))
    connection.execute(with_conflict(postgresql.insert(table).from_select(list(columns), unnested)), columns)


def _insert(connection: Connection, table: Table) -> Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _replacing(inserting: Insert, table: Table) -> Insert:
    key = list(table.primary_key)
    others = {column.name: inserting.excluded[column.name] for column in table.columns if column not in key}
    return inserting.on_conflict_do_update(index_elements=key, set_=others)
