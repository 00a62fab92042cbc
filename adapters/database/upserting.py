"""Insert a row or bring it up to date, in the words of either kind of database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, row: Mapping[str, Any], *, keep: frozenset[str] = frozenset()) -> None:
    """Write a row; where its primary key is known already, change all columns but those to `keep`."""
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table).values(row)
    key = [column.name for column in table.primary_key]
    changed = {name: insert.excluded[name] for name in row if name not in keep and name not in key}
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed))
