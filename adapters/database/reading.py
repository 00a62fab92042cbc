"""Threads in which the database may block, and its errors in our own words."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from eventsourcing.persistence import PersistenceError
from sqlalchemy.exc import DBAPIError

from adapters.database.outcomes import CallOutcomes
from domain.errors import AppointmentDatabaseError

T = TypeVar("T")


class Readers:
    """Run what blocks in a few threads of their own; the event loop waits no longer than `limit` seconds."""

    def __init__(
        self,
        *,
        threads: int,
        limit: float,
        database_error: Callable[[BaseException], AppointmentDatabaseError],
        outcomes: CallOutcomes | None = None,
    ) -> None:
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="calsaga-reader")
        self._limit = limit
        self._database_error = database_error
        self._outcomes = outcomes or CallOutcomes()

    async def run(self, ask: Callable[[], T]) -> T:
        """
        Return what `ask` returns.

        Raises:
            AppointmentDatabaseError: the database failed, or did not answer in time.

        """
        try:
            answer = await self._run(ask)
        except AppointmentDatabaseError as error:
            self._outcomes.tell(error, wrote=False)
            raise
        self._outcomes.tell(None, wrote=False)
        return answer

    async def _run(self, ask: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limit):
                return await loop.run_in_executor(self._threads, ask)
        except TimeoutError as exc:
            raise AppointmentDatabaseError("the database did not answer in time", kind="timeout") from exc
        except PersistenceError as exc:
            raise self._database_error(exc.__cause__ or exc) from exc
        except DBAPIError as exc:
            raise self._database_error(exc.orig or exc) from exc

    def close(self) -> None:
        """Start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
