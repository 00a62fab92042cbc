"""
What every tier of tests shares: a bare environment, and databases on demand.

A test asks for `database_url` and runs on each kind of database, or for `sqlite_url` or `postgres_url`. Each gets
migrated tables of its own, copied from a template that is migrated once in a run. `redis_url` is an empty Redis. No
server starts before a test asks.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import redis
import structlog
from hypothesis import settings

from tests.servers.postgres import DatabaseServer, PostgresServer
from tests.servers.redis import RedisServer

# Read before any test, because every test runs without it.
GIVEN_SERVER = os.environ.get("CALSAGA_TEST_DATABASE_URL")
GIVEN_REDIS = os.environ.get("CALSAGA_TEST_REDIS_URL")

# A busy machine is slow, not wrong. Each run looks at other examples; `make sweep` looks at many more at once.
settings.register_profile(
    "calsaga", deadline=None, print_blob=True, max_examples=50 * int(os.environ.get("CALSAGA_SWEEP", "1"))
)
settings.load_profile("calsaga")

# Unless it is told otherwise, structlog draws a traceback with every local variable in it, for a second each.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """
    Let the garbage collector pass over what collecting makes: all of it stays for the whole run.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def bare_environment() -> Iterator[None]:
    """
    Hide the settings of whoever runs the tests.
    """
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in os.environ if name.startswith("CALSAGA_")]:
            monkeypatch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """
    Let the thousands of clients that tests make share what each would read for itself, for as long as a request takes.
    """
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """
    Undo what an application or a command in this process does to logging.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configured = structlog.get_config()
    try:
        return (yield)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        structlog.configure(**configured)


def migrate(url: str) -> None:
    """
    Bring an empty database to the newest tables.
    """
    # Late, so that tests without a database do not pay for Alembic.
    from migrations.runner import migrate as run  # noqa: PLC0415

    run(url)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[DatabaseServer]:
    """
    The server that CALSAGA_TEST_DATABASE_URL names, else one of our own for each worker.
    """
    if GIVEN_SERVER:
        yield DatabaseServer(GIVEN_SERVER)
        return
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: DatabaseServer) -> Iterator[str]:
    """
    The name of a migrated database that nobody is connected to.
    """
    name = _fresh_name()
    migrate(postgres_server.create_database(name))
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def postgres_url(postgres_server: DatabaseServer, postgres_template: str) -> Iterator[str]:
    """
    A migrated PostgreSQL database of the test's own.
    """
    name = _fresh_name()
    yield postgres_server.create_database(name, template=postgres_template)
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def mortal_server() -> Iterator[PostgresServer]:
    """
    A server that may be killed.
    """
    server = PostgresServer(durable=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mortal_url(mortal_server: PostgresServer) -> str:
    """
    A migrated database on it.
    """
    url = mortal_server.create_database(f"mortal_{uuid4().hex}")
    migrate(url)
    return url


@pytest.fixture
def empty_postgres_url(postgres_server: DatabaseServer) -> Iterator[str]:
    """
    A PostgreSQL database of the test's own without tables.
    """
    name = _fresh_name()
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A migrated SQLite file.
    """
    path = tmp_path_factory.mktemp("template") / "calsaga.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """
    A migrated SQLite database of the test's own.
    """
    path = tmp_path / "calsaga.db"
    for part in sqlite_template.parent.glob(f"{sqlite_template.name}*"):
        shutil.copy(part, tmp_path / part.name)
    return f"sqlite:///{path}"


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """
    The URL of a SQLite database that does not exist yet.
    """
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """
    A migrated database of the test's own: the test runs once on each kind.
    """
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """
    A database of the test's own without tables: the test runs once on each kind.
    """
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


@pytest.fixture(scope="session")
def redis_server_url() -> Iterator[str]:
    """
    The Redis that CALSAGA_TEST_REDIS_URL names (with --numprocesses 1: the tests empty it), else one of our own.
    """
    if GIVEN_REDIS:
        yield GIVEN_REDIS
        return
    server = RedisServer()
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """
    A Redis that holds nothing.
    """
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushdb()
    return redis_server_url


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    """
    A Redis of the test's own, which may be stopped and killed.
    """
    server = RedisServer()
    server.start()
    yield server
    server.stop()


def _fresh_name() -> str:
    return f"calsaga_test_{uuid4().hex}"
