from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from shutil import copytree, ignore_patterns
from time import monotonic
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.postgres import PostgresApplicationRecorder
from psycopg import sql
from sqlalchemy import Engine, inspect, make_url
from sqlalchemy.exc import IntegrityError

from adapters.database import tables
from adapters.database.engine import open_engine
from adapters.followers import Followers
from adapters.log.store import open_store
from adapters.postgres.datastore import DatabaseFunctionsEnabled, open_datastore
from adapters.recording.backend import Backend
from adapters.recording.codec import booking_codec
from domain.errors import AppointmentDatabaseError
from migrations.errors import (
    ExtensionRefused,
    SchemaNotMigrated,
    SchemaTooNew,
    TableInTheWay,
    TablesRefused,
)
from migrations.runner import check, current, migrate, newest
from projections import tables as read_models
from tests.histories.appending import append_of
from tests.histories.bookings import history, wish
from tests.integration.storage.appends import append, deferred, opened, rows
from tests.integration.storage.test_processes import in_processes
from tests.servers.postgres import DatabaseServer

ROOT = Path(__file__).parents[3]
OUR_TABLES = {**tables.metadata.tables, **read_models.metadata.tables}


def test_an_empty_database_is_migrated_once_and_then_left_alone(empty_database_url: str) -> None:
    assert current(empty_database_url) is None
    migrate(empty_database_url)
    migrate(empty_database_url)

    assert newest() == current(empty_database_url)
    check(empty_database_url)


def test_a_database_without_tables_says_what_to_run(empty_database_url: str) -> None:
    with pytest.raises(SchemaNotMigrated, match="calsaga migrate"):
        check(empty_database_url)


def test_a_newer_database_says_what_to_install(database_url: str) -> None:
    rows(database_url, "UPDATE alembic_version SET version_num = '9999'")

    for look in (check, migrate):
        with pytest.raises(SchemaTooNew, match="Install"):
            look(database_url)


def test_customers_of_an_older_database_are_found_by_their_address(empty_database_url: str) -> None:
    migrate(empty_database_url, to="0001")
    rows(
        empty_database_url,
        "INSERT INTO customers (customer_id, company_id, name, email, created_at) VALUES "
        f"('{uuid4().hex}', 'practice', 'Ada', 'Ada@Example.com', '2026-11-02T08:00:00.000000+00:00')",
    )

    migrate(empty_database_url)

    assert [("Ada@Example.com", "ada@example.com")] == rows(
        empty_database_url, "SELECT email, email_folded FROM customers"
    )


async def test_an_older_database_learns_what_became_of_its_appointments(empty_database_url: str) -> None:
    migrate(empty_database_url, to="0003")
    told = history(Random(3), wish(3))
    with without_check(empty_database_url) as database:
        database.append([append_of([one.event for one in told], like=told[0])])

    migrate(empty_database_url)
    async with open_store(empty_database_url) as store:
        await Followers(store, follow_seconds=1).catch_up()

    assert [(1, len(told))] == rows(empty_database_url, "SELECT count(*), min(version) FROM appointment_standings")
    assert [(1,)] == rows(empty_database_url, "SELECT count(*) FROM customer_engagement")


@contextmanager
def without_check(url: str) -> Iterator[Backend]:
    """
    Open a database as an older calsaga does, which needs no newer tables.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in ("adapters.postgres.backend.check", "adapters.sqlite.backend.migrate"):
            patch.setattr(module, lambda _url: None)
        with opened(url) as database:
            yield database


def test_appointments_and_claims_of_an_older_database_have_no_leg_and_still_refuse_each_other(
    empty_database_url: str,
) -> None:
    url = empty_database_url
    migrate(url, to="0003")
    moment, until = "'2026-11-20T10:00:00.000000+00:00'", "'2026-11-20T10:30:00.000000+00:00'"
    no = "false" if url.startswith("postgres") else "0"

    def booked(key: str) -> str:
        return (
            "INSERT INTO appointments (id, company_id, booking_id, idempotency_key, service_id, customer_id, staff_id, "
            f"starts_at, ends_at, status, source, created_at, updated_at) VALUES ('{uuid4().hex}', 'practice', "
            f"'{uuid4().hex}', '{key}', 'checkup', '{uuid4().hex}', 'ann', {moment}, {until}, 'booked', 'web', "
            f"{moment}, {moment})"
        )

    def claimed() -> str:
        return (
            "INSERT INTO slot_claims (booking_id, company_id, customer_id, service_id, staff_id, starts_at, ends_at, "
            f"starts_epoch, allow_near_duplicate, created_at) VALUES ('{uuid4().hex}', 'practice', '{uuid4().hex}', "
            f"'checkup', 'bob', {moment}, {until}, 0, {no}, {moment})"
        )

    rows(url, booked("k1"))
    rows(url, claimed())

    migrate(url)

    assert [("k1", 0, "ann")] == rows(url, "SELECT idempotency_key, leg, staff_id FROM appointments")
    assert [(0, "bob")] == rows(url, "SELECT leg, staff_id FROM slot_claims")
    for again in (booked("k2"), claimed()):
        with pytest.raises(IntegrityError):
            rows(url, again)


def begin_work(url: str) -> None:
    migrate(url)
    with opened(url) as database:
        database.append([append(uuid4(), 0, deferred())])


def test_eight_processes_that_start_at_once_migrate_the_same_database(empty_database_url: str) -> None:
    in_processes([partial(begin_work, empty_database_url)] * 8)

    check(empty_database_url)
    assert [(8,)] == rows(empty_database_url, "SELECT count(*) FROM stored_events")


async def test_postgres_is_not_migrated_behind_the_operators_back(empty_postgres_url: str) -> None:
    with pytest.raises(SchemaNotMigrated):
        async with open_store(empty_postgres_url):
            pass


async def test_a_sqlite_file_is_made_when_it_is_opened(empty_sqlite_url: str) -> None:
    async with open_store(empty_sqlite_url) as store:
        assert 0 == await store.log.head()


@pytest.mark.parametrize("bad_url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/calsaga"])
async def test_a_url_that_names_no_database_of_ours_is_refused(bad_url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        async with open_store(bad_url):
            pass


@pytest.mark.parametrize(
    "url", ["sqlite:////no/such/folder/calsaga.db", "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2"]
)
async def test_a_database_that_cannot_be_opened_says_why_at_once(url: str) -> None:
    began = monotonic()
    with pytest.raises(AppointmentDatabaseError, match=r"unable to open|refused"):
        async with open_store(url):
            pass
    assert monotonic() - began < 5


async def test_functions_of_the_database_are_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")

    with pytest.raises(DatabaseFunctionsEnabled, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        async with open_store(postgres_url):
            pass


def test_a_missing_right_to_create_the_extension_is_named(
    postgres_server: DatabaseServer, empty_postgres_url: str
) -> None:
    with psycopg.connect(empty_postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS nobody_special")
        connection.execute("CREATE ROLE nobody_special LOGIN PASSWORD 'x'")
        connection.execute("GRANT ALL ON SCHEMA public TO nobody_special")
    theirs = make_url(empty_postgres_url).set(username="nobody_special", password="x")

    with pytest.raises(ExtensionRefused, match="btree_gist"):
        migrate(theirs.render_as_string(hide_password=False))

    assert current(empty_postgres_url) is None
    with psycopg.connect(empty_postgres_url, autocommit=True) as connection:
        connection.execute("DROP OWNED BY nobody_special")
        connection.execute("DROP ROLE nobody_special")


def test_a_missing_right_to_create_tables_is_named(postgres_server: DatabaseServer, empty_postgres_url: str) -> None:
    with psycopg.connect(empty_postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS nobody_at_all")
        connection.execute("CREATE ROLE nobody_at_all LOGIN PASSWORD 'x'")
        connection.execute("CREATE EXTENSION btree_gist")
    theirs = make_url(empty_postgres_url).set(username="nobody_at_all", password="x")

    with pytest.raises(TablesRefused, match=r"permission denied for schema public.*GRANT CREATE"):
        migrate(theirs.render_as_string(hide_password=False))

    with psycopg.connect(empty_postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE nobody_at_all")


@pytest.mark.parametrize("name", ["stored_events", "appointments", "sync_failures"])
def test_a_table_of_another_program_is_named_and_left_alone(empty_database_url: str, name: str) -> None:
    rows(empty_database_url, f"CREATE TABLE {name} (x INTEGER)")
    rows(empty_database_url, f"INSERT INTO {name} (x) VALUES (7)")

    with pytest.raises(TableInTheWay, match=rf"table {name}.*of its own.*CALSAGA_DATABASE_URL"):
        migrate(empty_database_url)

    assert [(7,)] == rows(empty_database_url, f"SELECT x FROM {name}")
    assert current(empty_database_url) is None


def test_the_tables_in_the_code_are_those_of_the_migrations(database_url: str) -> None:
    engine = open_engine(database_url)

    for name, table in OUR_TABLES.items():
        assert _described(engine, name) == {column.name: column.nullable for column in table.columns}, name
        key = inspect(engine).get_pk_constraint(name)["constrained_columns"]
        assert [column.name for column in table.primary_key] == key
    found = set(inspect(engine).get_table_names())
    assert found == {*OUR_TABLES, "alembic_version", "stored_events"}
    engine.dispose()


def _described(engine: Engine, name: str) -> dict[str, bool]:
    key = inspect(engine).get_pk_constraint(name)["constrained_columns"]
    # SQLite says that a text primary key may be null; the STRICT table does not let it.
    return {
        column["name"]: column["nullable"] and column["name"] not in key for column in inspect(engine).get_columns(name)
    }


def test_both_kinds_of_database_have_the_same_tables(sqlite_url: str, postgres_url: str) -> None:
    engines = [open_engine(sqlite_url), open_engine(postgres_url)]

    here, there = ({name: set(_described(engine, name)) for name in OUR_TABLES} for engine in engines)
    assert here == there
    for engine in engines:
        engine.dispose()


def test_the_log_in_postgres_is_the_librarys_own_table(postgres_url: str) -> None:
    datastore = open_datastore(postgres_url, sizes=range(1, 2), connect_timeout=5)
    datastore.schema = "library"
    recorder = PostgresApplicationRecorder(datastore)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA library")
        for statement in recorder.sql_create_statements:
            if "CREATE TABLE" in statement.as_string() or "CREATE UNIQUE INDEX" in statement.as_string():
                connection.execute(statement)

        assert _anatomy(connection, "library") == _anatomy(connection, "public")
    datastore.close()


def _anatomy(connection: psycopg.Connection[Any], schema: str) -> list[Any]:
    columns = """
        SELECT column_name, data_type, is_nullable, replace(column_default, %(schema)s || '.', '')
        FROM information_schema.columns WHERE table_schema = %(schema)s AND table_name = 'stored_events'
        ORDER BY ordinal_position
    """
    indexes = """
        SELECT replace(indexdef, %(schema)s || '.', '') FROM pg_indexes
        WHERE schemaname = %(schema)s AND tablename = 'stored_events' ORDER BY 1
    """
    options = "SELECT reloptions FROM pg_class WHERE oid = (%(schema)s || '.stored_events')::regclass"
    return [connection.execute(sql.SQL(query), {"schema": schema}).fetchall() for query in (columns, indexes, options)]


def test_the_log_in_sqlite_is_read_by_the_library(sqlite_url: str) -> None:
    [(definition,)] = rows(sqlite_url, "SELECT sql FROM sqlite_master WHERE name = 'stored_events'")

    assert "notification_id INTEGER PRIMARY KEY AUTOINCREMENT" in definition
    assert "UNIQUE (originator_id, originator_version)" in definition


def test_no_topic_of_the_codec_is_longer_than_a_reader_can_bear() -> None:
    kinds = {"alert", "booking", "breaker", "composite", "full-fallback", "notice", "resilience", "webhook"}
    found = [re.fullmatch(r"([a-z-]+)\.[a-z-]+\.v\d+", topic) for topic in booking_codec().topics]

    assert kinds >= {one[1] if one else "of no such form" for one in found}


def test_the_migrations_work_from_an_installed_wheel(tmp_path: Path) -> None:
    source = tmp_path / "source"
    packages = ("domain", "sagas", "projections", "adapters", "migrations")
    for package in packages:
        copytree(ROOT / package, source / package, ignore=ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    (source / "README.md").write_text("calsaga")
    build = "from hatchling.build import build_wheel; print(build_wheel('.'))"
    wheel = subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, text=True)
    installed = tmp_path / "100% installed"
    zipfile.ZipFile(source / wheel.stdout.split()[-1]).extractall(installed)

    use = (
        "import migrations.runner as it; it.migrate('sqlite:///fresh.db'); it.check('sqlite:///fresh.db'); "
        "print(it.__file__)"
    )
    used = subprocess.run(
        [sys.executable, "-c", use],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert used.stdout.strip().startswith(str(installed))
