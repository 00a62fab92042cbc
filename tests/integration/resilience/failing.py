"""
Things that fail for real: each takes a server or a file, and leaves with the error of the library that met it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sqlite3
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import httpx
import psycopg
import redis
import sqlalchemy as sa
from psycopg_pool import ConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.servers.processes import free_port

ONCE = Retry(NoBackoff(), 0)


@contextmanager
def answering(say: Callable[[socket.socket], None]) -> Iterator[str]:
    """
    Serve HTTP, or whatever `say` says to each connection once a request has come.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    say(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def status(code: int, *headers: str) -> Callable[[socket.socket], None]:
    lines = [f"HTTP/1.1 {code} X", "Content-Length: 0", "Connection: close", *headers, "", ""]
    return lambda connection: connection.sendall("\r\n".join(lines).encode())


def silence(connection: socket.socket) -> None:
    connection.recv(1)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def half_an_answer(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")


def with_httpx(url: str) -> None:
    with httpx.Client(timeout=0.2, trust_env=False) as client:
        client.get(url).raise_for_status()


def with_aiohttp(url: str) -> None:
    async def ask() -> None:
        timeout = aiohttp.ClientTimeout(total=0.2)
        async with (
            aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
            session.get(url) as answer,
        ):
            await answer.read()

    asyncio.run(ask())


def with_sockets(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=0.2) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        if not connection.recv(10):
            raise ConnectionAbortedError("hung up")


def nobody() -> str:
    return f"http://127.0.0.1:{free_port()}"


@contextmanager
def self_signed(folder: Path) -> Iterator[str]:
    """
    Serve TLS with a certificate that nobody trusts.
    """
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run(
        ["openssl", *words, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True, cwd=folder
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                    context.wrap_socket(connection, server_side=True).close()
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def deadlock(url: str) -> None:
    """
    Let two transactions of PostgreSQL wait for each other.
    """
    with psycopg.connect(url, autocommit=True) as here, psycopg.connect(url, autocommit=True) as there:
        for connection in (here, there):
            connection.execute("SET deadlock_timeout = '20ms'")
            connection.execute("BEGIN")
        here.execute("SELECT pg_advisory_xact_lock(1)")
        there.execute("SELECT pg_advisory_xact_lock(2)")
        errors: list[psycopg.Error] = []

        def other() -> None:
            try:
                there.execute("SELECT pg_advisory_xact_lock(1)")
            except psycopg.Error as error:
                errors.append(error)

        waiting = threading.Thread(target=other)
        waiting.start()
        try:
            here.execute("SELECT pg_advisory_xact_lock(2)")
        finally:
            here.rollback()
            waiting.join()
        raise errors[0]


def lock_timeout(url: str) -> None:
    with psycopg.connect(url) as holder, psycopg.connect(url) as other:
        holder.execute("SELECT pg_advisory_xact_lock(1)")
        other.execute("SET lock_timeout = '10ms'")
        other.execute("SELECT pg_advisory_xact_lock(1)")


def statement_timeout(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET statement_timeout = '10ms'")
        connection.execute("SELECT pg_sleep(10)")


def ended_by_an_administrator(url: str) -> None:
    with psycopg.connect(url) as victim, psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid])
        victim.execute("SELECT 1")


def serialization(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as here, psycopg.connect(url, autocommit=True) as there:
        here.execute("CREATE TABLE counters (n int)")
        here.execute("INSERT INTO counters VALUES (0)")
        for connection in (here, there):
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT * FROM counters")
        here.execute("UPDATE counters SET n = 1")
        here.execute("COMMIT")
        there.execute("UPDATE counters SET n = 2")


def a_query(query: str) -> Callable[[str], None]:
    def act(url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(query)

    return act


def pool_timeout(url: str) -> None:
    with ConnectionPool(url, min_size=1, max_size=1, timeout=0.05) as pool, pool.connection(), pool.connection():
        pass


def pool_closed(url: str) -> None:
    pool = ConnectionPool(url, min_size=0, max_size=1, open=True)
    pool.close()
    with pool.connection():
        pass


def through_sqlalchemy(act: str) -> Callable[[str], None]:
    def run(url: str) -> None:
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        try:
            with engine.connect() as connection:
                connection.execute(sa.text(act))
        finally:
            engine.dispose()

    return run


def sqlalchemy_pool_timeout(url: str) -> None:
    engine = sa.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"), pool_size=1, max_overflow=0, pool_timeout=0.05
    )
    try:
        with engine.connect(), engine.connect():
            pass
    finally:
        engine.dispose()


def no_server(_url: str) -> None:
    psycopg.connect(f"postgresql://127.0.0.1:{free_port()}/x", connect_timeout=2)


def sqlite_busy(folder: Path) -> None:
    with sqlite3.connect(folder / "x.db", isolation_level=None) as holder:
        holder.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        holder.execute("BEGIN IMMEDIATE")
        other = sqlite3.connect(folder / "x.db", timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        finally:
            other.close()
            holder.execute("ROLLBACK")


def sqlite_constraint(folder: Path) -> None:
    connection = sqlite3.connect(folder / "y.db")
    try:
        connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute("INSERT INTO t VALUES (1)")
    finally:
        connection.close()


def sqlite_syntax(folder: Path) -> None:
    connection = sqlite3.connect(folder / "z.db")
    try:
        connection.execute("SELEKT 1")
    finally:
        connection.close()


def redis_command(*words: str) -> Callable[[str], None]:
    def act(url: str) -> None:
        with redis.Redis.from_url(url, socket_timeout=5) as client:
            client.set("text", "x")
            client.execute_command(*words)

    return act


def redis_password(url: str) -> None:
    with redis.Redis.from_url(url.replace("redis://", "redis://nobody:wrong@")) as client:
        client.ping()


def redis_gone(_url: str) -> None:
    with redis.Redis(port=free_port(), socket_connect_timeout=1, retry=ONCE) as client:
        client.ping()


def redis_silent(_url: str) -> None:
    with (
        answering(silence) as url,
        redis.Redis(port=int(url.rpartition(":")[2]), socket_timeout=0.05, retry=ONCE) as client,
    ):
        client.ping()


def redis_read_only(url: str) -> None:
    """
    Ask a replica, as one does after a fail-over.
    """
    with redis.Redis.from_url(url) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))
        try:
            client.set("text", "x")
        finally:
            client.execute_command("REPLICAOF", "NO", "ONE")


def no_such_file(folder: Path) -> None:
    (folder / "missing").read_text()


def broken_pipe(_folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        os.write(writing, b"x")
    finally:
        os.close(writing)


def no_such_host(_folder: Path) -> None:
    socket.getaddrinfo("no-such-host.invalid", 80)


def unreachable(_folder: Path) -> None:
    # What no machine is sure to have: a network without a way into it.
    raise OSError(errno.EHOSTUNREACH, "no route to host")
