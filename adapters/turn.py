"""
Whose turn it is: an advisory lock that keeps processes from doing the same work twice.

It saves work and nothing else. What must not happen twice is guarded where it happens.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from zlib import crc32

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

CLASS = 7_161
"""The first half of the lock's key: calsaga's turns. The log's writer lock has a key of the other kind."""


@asynccontextmanager
async def turn(engine: Engine, name: str) -> AsyncIterator[bool]:
    """Tell whether it is ours to do what `name` says; on SQLite it always is."""
    if engine.dialect.name != "postgresql":
        yield True
        return
    taking = asyncio.ensure_future(asyncio.to_thread(_take, engine, name))
    try:
        connection, mine = await asyncio.shield(taking)
    except asyncio.CancelledError:
        # The thread goes on: what it comes back with must be given back.
        taking.add_done_callback(_give_back)
        raise
    try:
        yield mine
    finally:
        # In a thread: to a database that hangs a rollback takes a minute, in which nothing else would go on here.
        await asyncio.shield(asyncio.to_thread(_close, connection))


def _take(engine: Engine, name: str) -> tuple[Connection, bool]:
    connection = engine.connect()
    try:
        # For a transaction, not for a session: however the connection gets back to its pool, the lock is gone.
        key = {"class": CLASS, "name": crc32(name.encode()) - 2**31}
        return connection, bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:class, :name)"), key))
    except BaseException:
        connection.close()
        raise


def _give_back(taken: "asyncio.Future[tuple[Connection, bool]]") -> None:
    if not taken.cancelled() and taken.exception() is None:
        asyncio.get_running_loop().run_in_executor(None, _close, taken.result()[0])


def _close(connection: Connection) -> None:
    # The lock is gone with the connection, and whatever was done in our turn has been told already.
    with suppress(DBAPIError):
        connection.close()
