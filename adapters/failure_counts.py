"""
What this process counts of each service's calls, added to what all processes have counted (M12).

Counting is adding in memory. A few times a minute, and once more at the end, the sums go into the database, off
everybody's way; while it is away they wait.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from adapters.database.failure_metrics import Calls, FailureMetrics
from domain.breaker_words import Outcome
from domain.errors import AppointmentDatabaseError
from domain.failure_detector import MINUTE, minute_of
from sagas.ports import Clock

log = logging.getLogger("calsaga.failures")
EVERY = timedelta(seconds=15)
LAST_SECONDS = 2.0
MOST_WAITING = 1000
"""How many sums wait for a database that is away, two hours of all services; of more the oldest are given up."""

_NONE = Calls()


class FailureCounts:
    """The counts of one process, all from one thread."""

    def __init__(self, metrics: FailureMetrics, *, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._requests: defaultdict[str, int] = defaultdict(int)
        self._failures: defaultdict[str, int] = defaultdict(int)
        self._waiting: dict[tuple[str, datetime], Calls] = {}

    def count(self, service: str, outcome: Outcome, calls: int = 1) -> None:
        """Count calls that came to something; what says nothing of the service is no request of it."""
        if outcome == "ignored":
            return
        self._requests[service] += calls
        if outcome == "failed":
            self._failures[service] += calls

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Add the counts to everybody's, again and again until the block is left, and then what is left."""
        task = asyncio.create_task(self._run(), name="failure counts")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_SECONDS):
                    await self.add()

    async def add(self) -> None:
        """Add what was counted since the last time to this minute of everybody's; if that fails, it waits."""
        self._set_aside()
        added, self._waiting = self._waiting, {}
        if not added:
            return
        try:
            await self._metrics.add(added)
        except AppointmentDatabaseError as error:
            # It may be there all the same: to count a failure twice is better than never.
            log.info("failures.kept", extra=error.as_log())
            self._wait(added)
            self._give_up_oldest()

    async def _run(self) -> None:
        while True:
            now = self._clock.now()
            # Not beyond the minute, so that each call is counted in its own.
            await asyncio.sleep(min(EVERY, minute_of(now) + MINUTE - now).total_seconds())
            await self.add()

    def _set_aside(self) -> None:
        # The sum of a minute is made at its end, which by the clock may be the beginning of the next.
        minute = minute_of(self._clock.now() - timedelta(seconds=1))
        requests, failures = self._requests, self._failures
        self._requests, self._failures = defaultdict(int), defaultdict(int)
        self._wait({(it, minute): Calls(requests=requests[it], failures=failures[it]) for it in requests})

    def _wait(self, counted: dict[tuple[str, datetime], Calls]) -> None:
        for key, calls in counted.items():
            self._waiting[key] = self._waiting.get(key, _NONE).plus(calls)

    def _give_up_oldest(self) -> None:
        surplus = max(len(self._waiting) - MOST_WAITING, 0)
        for key in sorted(self._waiting, key=lambda key: key[1])[:surplus]:
            service, minute = key
            given_up = self._waiting.pop(key)
            log.warning(
                "failures.given_up",
                extra={
                    "service": service,
                    "minute": minute.isoformat(),
                    "requests": given_up.requests,
                    "failures": given_up.failures,
                },
            )
