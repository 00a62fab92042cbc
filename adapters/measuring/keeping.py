"""
Storing what a process has counted, once in a while and away from every booking.

What cannot be stored waits for the next time, for half a day if it is half a minute at a time; what a killed process
had not stored is lost.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from adapters.measuring.meter import Meter, Tallies, of_services
from adapters.measuring.stored import Measured, StoredCalls
from domain.errors import AppointmentDatabaseError
from sagas.ports import Clock

LONGEST_WAIT = 1440
"""How many whiles may wait for the database; then the oldest is given up."""
LAST_SECONDS = 2.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = structlog.get_logger("calsaga.measuring")


class Keeper:
    """
    Stores what `meter` has counted every `seconds`, and folds old hours; `run` ends when it is cancelled.

    `keep` is for how long it is kept there.
    """

    def __init__(self, meter: Meter, stored: StoredCalls, *, clock: Clock, seconds: float, keep: timedelta) -> None:
        self._meter = meter
        self._stored = stored
        self._clock = clock
        self._every = timedelta(seconds=seconds)
        self._keep = keep
        self._waiting: deque[Measured] = deque()
        self._began = self._while_of(clock.now())
        self._folded: datetime | None = None

    async def run(self) -> None:
        """Store whenever a while is over."""
        while True:
            left = self._began + self._every - self._clock.now()
            await asyncio.sleep(max(left.total_seconds(), 0.0) or self._every.total_seconds())
            await self.keep()

    async def keep(self) -> None:
        """Store the whiles that are over, unless the database fails, and fold the hours that are."""
        begun = self._while_of(self._clock.now())
        # A clock that was set back makes a while longer, and never the same one twice.
        if begun > self._began:
            self._take(until=begun)
        try:
            await self._store()
            await self._fold(begun)
        except AppointmentDatabaseError as error:
            _log.warning("measuring.left", waiting=len(self._waiting), **error.as_log())

    async def aclose(self) -> None:
        """Store what there is, for the last time."""
        self._take(until=self._began + self._every)
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self._store()
        except (AppointmentDatabaseError, TimeoutError):
            _log.warning("measuring.lost", whiles=len(self._waiting))

    def unstored(self) -> Sequence[Measured]:
        """Return what nobody else can see yet, the while that is not over included."""
        return [*self._waiting, self._measured(self._meter.look(), until=self._began + self._every)]

    def _take(self, *, until: datetime) -> None:
        measured = self._measured(self._meter.take(), until=until)
        self._began = until
        if measured.tallies:
            self._waiting.append(measured)
        if len(self._waiting) > LONGEST_WAIT:
            given_up = self._waiting.popleft()
            calls = {name: tally.counts.requests for name, tally in of_services(given_up.tallies).items()}
            _log.warning("measuring.given_up", since=given_up.starts_at.isoformat(), calls=calls)

    def _measured(self, tallies: Tallies, *, until: datetime) -> Measured:
        return Measured(starts_at=self._began, ends_at=max(until, self._began), tallies=tallies)

    async def _store(self) -> None:
        while self._waiting:
            await self._stored.store(self._waiting[0])
            # Not before, so that it is always seen somewhere; whoever reads meanwhile leaves the stored one out.
            self._waiting.popleft()

    async def _fold(self, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        if self._folded != hour:
            await self._stored.fold(now=now, keep=self._keep)
            self._folded = hour

    def _while_of(self, moment: datetime) -> datetime:
        return _EPOCH + (moment - _EPOCH) // self._every * self._every
