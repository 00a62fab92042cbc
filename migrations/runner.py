"""
Bring a database to the tables that this calsaga needs.

Any number of processes may call `migrate` at once: one does the work behind an
exclusive lock, the others wait for it and find nothing to do.
"""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import psycopg.errors
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, NullPool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from migrations.errors import (
    EncodingRefused,
    ExtensionRefused,
    NoWayBack,
    SchemaNotMigrated,
    SchemaTooNew,
    TableInTheWay,
    TablesRefused,
)

# Alembic keeps the migration under way in globals, so that two threads would mix them up.
_IN_THIS_PROCESS = Lock()
LOCK = 4_702_111_234_474_983_745
"""The advisory lock that is held while migrating."""
PATIENCE = 60
"""How many seconds to wait for another process that migrates."""

CREATING = re.compile(r"^\s*CREATE TABLE (\w+)", re.MULTILINE)
REFUSALS = (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile)


def migrate(url: str, *, to: str = "head") -> None:
    """
    Bring the database to a revision, the newest by default.

    Raises:
        EncodingRefused: PostgreSQL's database is not in UTF8.
        SchemaTooNew: a newer calsaga has migrated it.
        NoWayBack: the database is past that revision.
        ExtensionRefused: PostgreSQL's btree_gist could not be created.
        TablesRefused: PostgreSQL's role may not create tables.
        TableInTheWay: another program's table has the name of one of calsaga's.

    """
    if to == "head" and current(url) == newest():
        return
    with _IN_THIS_PROCESS, _alone(make_url(url)) as connection:
        found = _revision(connection)
        _refuse_unknown(found)
        config = _config()
        _refuse_going_back(config, found=found, to=to)
        config.attributes["connection"] = connection
        with _named_refusals():
            command.upgrade(config, to)


def current(url: str) -> str | None:
    """
    Return the database's revision, None if it has no tables yet.

    Raises:
        EncodingRefused: PostgreSQL's database is not in UTF8.

    """
    engine = create_engine(_driver(make_url(url)), poolclass=NullPool)
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
            if encoding != "UTF8":
                raise EncodingRefused(encoding)
        return _revision(connection)


def check(url: str) -> None:
    """
    Make sure that the database is at the newest revision.

    Raises:
        EncodingRefused: PostgreSQL's database is not in UTF8.
        SchemaNotMigrated: `calsaga migrate` has not been run.
        SchemaTooNew: a newer calsaga has migrated it.

    """
    found = current(url)
    _refuse_unknown(found)
    needed = newest()
    if found != needed:
        raise SchemaNotMigrated(found=found, needed=needed)


def newest() -> str:
    """Return the newest revision that this calsaga knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        message = "calsaga is installed without its migrations"
        raise RuntimeError(message)
    return head


def _config() -> Config:
    config = Config()
    # A percent sign in the path would begin an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_unknown(found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaTooNew(found=found, newest=newest())


def _refuse_going_back(config: Config, *, found: str | None, to: str) -> None:
    if found is None:
        return
    scripts = ScriptDirectory.from_config(config)
    older = {script.revision for script in scripts.iterate_revisions(found, "base")} - {found}
    older = {script.revision for script in scripts.iterate_revisions(found, "base")} - {found}
    # `base`, the time before the first one, is no revision.
    if to == "base" or scripts.get_revision(to).revision in older:
        raise NoWayBack(found=found, wanted=to)


def _driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url


@contextmanager
def _alone(url: URL) -> Iterator[Connection]:
    if url.get_backend_name() == "sqlite":
        with _alone_in_sqlite(url) as connection:
            yield connection
        return
    with create_engine(_driver(url), poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        yield connection


@contextmanager
def _alone_in_sqlite(url: URL) -> Iterator[Connection]:
    _write_ahead(url)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": PATIENCE})

    # The driver's own BEGIN comes too late, before the first change: everything read until then could be stale.
    @event.listens_for(engine, "connect")
    def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")

    with engine.begin() as connection:
        yield connection


def _write_ahead(url: URL) -> None:
    # Changing the journal needs the file alone, and SQLite does not wait for that by itself.
    deadline = time.monotonic() + PATIENCE
    while True:
        connection = sqlite3.connect(str(url.database), timeout=PATIENCE)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as exc:
            if not exc.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
        finally:
            connection.close()


@contextmanager
def _named_refusals() -> Iterator[None]:
    try:
        yield
    except DBAPIError as exc:
        if isinstance(exc.orig, REFUSALS) and "btree_gist" in (exc.statement or ""):
            raise ExtensionRefused(exc.orig.diag.message_primary or str(exc.orig)) from exc
        if isinstance(exc.orig, psycopg.errors.InsufficientPrivilege):
            raise TablesRefused(exc.orig.diag.message_primary or str(exc.orig)) from exc
        if (table := _table_in_the_way(exc)) is not None:
            raise TableInTheWay(table) from exc
        raise


def _table_in_the_way(exc: DBAPIError) -> str | None:
    creating = CREATING.search(exc.statement or "")
    there = isinstance(exc.orig, psycopg.errors.DuplicateTable) or "already exists" in str(exc.orig)
    return creating[1] if creating and there else None
