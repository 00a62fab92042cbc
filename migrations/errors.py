"""
Why a database cannot be used as it is.

    SchemaError
    ├── SchemaNotMigrated     its tables are missing or old
    ├── SchemaTooNew          its tables are those of a newer calsaga
    ├── NoWayBack             an older revision was asked for
    ├── ExtensionRefused      PostgreSQL's btree_gist could not be created
    ├── TablesRefused         PostgreSQL's role may not create the tables
    ├── TableInTheWay         another program's table has the name of one of calsaga's
    └── EncodingRefused       the database cannot hold every name
"""


class SchemaError(Exception):
    """The database and this calsaga do not fit each other; the message says what to run."""


class SchemaNotMigrated(SchemaError):
    """Run `calsaga migrate` with the same CALSAGA_DATABASE_URL, then start again."""

    def __init__(self, *, found: str | None, needed: str) -> None:
        what = "has no tables of calsaga yet" if found is None else f"is at revision {found}, and {needed} is needed"
        super().__init__(f"The database {what}. Run `calsaga migrate`, then start again.")
        self.found = found
        self.needed = needed


class SchemaTooNew(SchemaError):
    """Install the calsaga that the database was migrated by, or a newer one."""

    def __init__(self, *, found: str, newest: str) -> None:
        super().__init__(
            f"The database is at revision {found}, which this calsaga does not know (its newest is {newest}). "
            "Install the version of calsaga that migrated it, or a newer one."
        )
        self.found = found
        self.newest = newest


class NoWayBack(SchemaError):
    """Restore a backup from before the migration, and install the calsaga of that time."""

    def __init__(self, *, found: str, wanted: str) -> None:
        super().__init__(
            f"The database is at revision {found}, and migrations only go forward: there is no way back to {wanted}. "
            "Nothing was changed. To go back, restore a backup that was made before `calsaga migrate`."
        )
        self.found = found
        self.wanted = wanted


class ExtensionRefused(SchemaError):
    """Let somebody with the right create the extension, or install PostgreSQL's contrib package, then migrate."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"PostgreSQL did not create the extension btree_gist: {reason.strip()}. calsaga needs it to refuse "
            "overlapping appointments. Have the database's owner or a superuser run "
            "`CREATE EXTENSION btree_gist` in this database, then run `calsaga migrate` again."
        )


class TablesRefused(SchemaError):
    """Let the database's owner grant the right to create tables, or migrate as the owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"PostgreSQL did not let this role create calsaga's tables: {reason.strip()}. Have the database's owner "
            "or a superuser run `GRANT CREATE ON SCHEMA public TO` the role of CALSAGA_DATABASE_URL in this "
            "database, then run `calsaga migrate` again."
        )


class TableInTheWay(SchemaError):
    """Give calsaga a database of its own, or on PostgreSQL a schema of its own, then migrate."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"The database already has a table {table}, which calsaga did not make. calsaga needs a database of its "
            "own, or on PostgreSQL a schema of its own: name another one in CALSAGA_DATABASE_URL, then run "
            "`calsaga migrate` again."
        )
        self.table = table


class EncodingRefused(SchemaError):
    """Create the database with the encoding UTF8."""

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"The database has the encoding {encoding}, which cannot hold every name. Create one with "
            "`CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`, and run `calsaga migrate` with its URL."
        )
