"""
Hearing of new events at once: PostgreSQL's LISTEN. SQLite tells nobody, so there the clock has to do.
"""

import asyncio
import logging
from collections.abc import Callable

import psycopg
from sqlalchemy import URL

log = logging.getLogger("calsaga.followers")
CHANNEL = "stored_events"
AFTER_FAILURE_SECONDS = 5.0


class LogListener:
    """Calls `on_news` when something was appended; a lost connection is opened again."""

    def __init__(self, url: URL, *, on_news: Callable[[], None]) -> None:
        self._url = url
        self._on_news = on_news

    async def run(self) -> None:
        """Listen until cancelled; return at once if the database cannot tell."""
        while self._url.get_backend_name() == "postgresql":
            try:
                await self._listen()
            except psycopg.Error as problem:
                # The poll goes on meanwhile.
                log.warning("follower.listener.lost", extra={"problem": type(problem).__name__})
            await asyncio.sleep(AFTER_FAILURE_SECONDS)

    async def _listen(self) -> None:
        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await psycopg.AsyncConnection.connect(
            address, autocommit=True, application_name="calsaga listener", keepalives_idle=5
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._on_news()
            async for _ in connection.notifies():
                self._on_news()
