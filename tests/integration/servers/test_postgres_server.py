from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.servers.postgres import PostgresServer

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    server = PostgresServer(durable=True)
    server.start()
    yield server
    server.stop()


def test_a_started_server_is_ours_and_counts_statements(server: PostgresServer) -> None:
    assert "pg_stat_statements" == ask(server.url("postgres"), "SHOW shared_preload_libraries")
    assert "200" == ask(server.url("postgres"), "SHOW max_connections")
    assert "127.0.0.1" == ask(server.url("postgres"), "SHOW listen_addresses")


def test_fsync_follows_durable(server: PostgresServer) -> None:
    fast = PostgresServer()
    fast.start()
    try:
        assert "on" == ask(server.url("postgres"), "SHOW fsync")
        assert "off" == ask(fast.url("postgres"), "SHOW fsync")
    finally:
        fast.stop()


def test_a_clone_holds_what_its_template_held_and_changes_apart(server: PostgresServer) -> None:
    template = server.create_database("template_of_ours")
    run(template, "CREATE TABLE note (body text)", "INSERT INTO note VALUES ('kept')")

    clone = server.create_database("clone", template="template_of_ours")
    run(clone, "INSERT INTO note VALUES ('new')")

    assert 2 == ask(clone, "SELECT count(*) FROM note")
    assert 1 == ask(template, "SELECT count(*) FROM note")


def test_a_dropped_database_is_gone_even_with_a_connection_open(server: PostgresServer) -> None:
    url = server.create_database("short_lived")

    with psycopg.connect(url):
        server.drop_database("short_lived")

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        ask(url, "SELECT 1")


def test_every_acknowledged_row_outlives_a_kill(server: PostgresServer) -> None:
    url = server.create_database("ledger")
    run(url, "CREATE TABLE line (number integer)")
    acknowledged = 0
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(500):
            connection.execute("INSERT INTO line VALUES (%s)", (number,))
            acknowledged += 1
        server.kill()

    with pytest.raises(psycopg.OperationalError):
        ask(url, "SELECT 1")
    server.restart()

    assert acknowledged == ask(url, "SELECT count(*) FROM line")


def test_a_restart_keeps_port_and_rows(server: PostgresServer) -> None:
    url = server.create_database("kept")
    run(url, "CREATE TABLE note AS SELECT 1 AS body")

    server.restart()

    assert 1 == ask(url, "SELECT body FROM note")


def test_a_stopped_server_leaves_no_process(server: PostgresServer) -> None:
    pid = running_postmaster(server.url("postgres"))

    server.stop()

    assert not is_alive(pid)


def test_a_server_does_not_outlive_a_killed_run() -> None:
    script = "import time; from tests.servers.postgres import PostgresServer; server = PostgresServer(); server.start()"
    script += "; print(server.url('postgres'), flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = running_postmaster(owner.stdout.readline().strip())
        os.kill(owner.pid, signal.SIGKILL)

    deadline = time.monotonic() + 30
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not is_alive(pid)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def running_postmaster(url: str) -> int:
    data = Path(str(ask(url, "SHOW data_directory")))
    return int((data / "postmaster.pid").read_text().split()[0])


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
