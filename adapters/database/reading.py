"""Threads in which the database may block, and its errors in our own words."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import TypeVar

from eventsourcing.persistence import PersistenceError
from sqlalchemy.exc import DBAPIError

from adapters.database.outcomes import CallOutcomes
from adapters.pools import PoolState
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
        self._most = threads
        self._limit = limit
        self._lock = Lock()
        self._in_use = 0
        self._longest_wait = 0.0
        self._timeouts = 0
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
                return await loop.run_in_executor(self._threads, self._measured, ask, monotonic())
        except TimeoutError as exc:
            self._timeouts += 1
            raise AppointmentDatabaseError("the database did not answer in time", kind="timeout") from exc
        except PersistenceError as exc:
            raise self._database_error(exc.__cause__ or exc) from exc
        except DBAPIError as exc:
            raise self._database_error(exc.orig or exc) from exc

    @property
    def state(self) -> PoolState:
        """Return how many threads read, and who waits for one; every read is counted, whichever connection it takes."""
        return PoolState(
            limit=self._most,
            size=self._most,
            in_use=self._in_use,
            waiting=self._threads._work_queue.qsize(),  # noqa: SLF001 - nobody else knows it
            longest_wait=self._longest_wait,
            timeouts=self._timeouts,
        )

    def _measured(self, ask: Callable[[], T], asked_at: float) -> T:
        with self._lock:
            self._in_use += 1
            self._longest_wait = max(self._longest_wait, monotonic() - asked_at)
        try:
            return ask()
        finally:
            with self._lock:
                self._in_use -= 1

    def close(self) -> None:
        """Start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
