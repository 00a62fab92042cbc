"""
Writing rows that may be there already, in both kinds of database.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    null,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator, UserDefinedType

Insert = postgresql.Insert | sqlite.Insert


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose key is there replaces it."""
    _insert_all(connection, table, rows, replaces=True)


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
    _insert_all(connection, table, rows, replaces=False)


def _insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, replaces: bool) -> None:
    if not rows:
        return
    dialect = connection.dialect.name
    statement = _statement(dialect, table, replaces=replaces)
    if dialect == "sqlite":
        connection.execute(statement, rows)
    else:
        connection.execute(statement, {"rows": _as_stored(connection, table, rows)})


# A turn of the read models takes a few rows only: to put its statements together would take longer than to run them.
@lru_cache(maxsize=64)
def _statement(dialect: str, table: Table, *, replaces: bool) -> Insert:
    inserting = sqlite.insert(table) if dialect == "sqlite" else _inserting_from_document(table)
    return _replacing(inserting, table) if replaces else inserting.on_conflict_do_nothing()


def _inserting_from_document(table: Table) -> postgresql.Insert:
    # One statement for all rows, and one document: to turn each value into a parameter costs more than to write it.
    given = func.json_populate_recordset(cast(null(), _RowOf(table)), bindparam("rows", type_=JSON))
    unpacked = select(*given.table_valued(*table.columns.keys()).c)
    return postgresql.insert(table).from_select(table.columns.keys(), unpacked)


def _as_stored(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return rows with what their columns keep as text in a form of their own."""
    own = _of_own_form(table)
    if not own:
        return rows
    dialect = connection.dialect
    return [
        {**row, **{name: kept.process_bind_param(row[name], dialect) for name, kept in own.items()}} for row in rows
    ]


@lru_cache(maxsize=64)
def _of_own_form(table: Table) -> Mapping[str, TypeDecorator[Any]]:
    return {
        str(column.name): column.type
        for column in table.columns
        if isinstance(column.type, TypeDecorator) and isinstance(column.type.impl, Text)
    }


class _RowOf(UserDefinedType[Any]):
    """The type that PostgreSQL gives the rows of a table."""

    cache_ok = True

    def __init__(self, table: Table) -> None:
        self.table_name = table.name

    def get_col_spec(self, **_: object) -> str:
        """Return the name of the type, which is that of its table."""
        return self.table_name


def _insert(connection: Connection, table: Table) -> Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _replacing(inserting: Insert, table: Table) -> Insert:
    key = list(table.primary_key)
    others = {column.name: inserting.excluded[column.name] for column in table.columns if column not in key}
    return inserting.on_conflict_do_update(index_elements=key, set_=others)
