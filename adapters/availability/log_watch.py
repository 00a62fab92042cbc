"""
What the log says about the days that are cached: since when each is no longer as it was.

Nothing follows the log for this. Whoever is about to answer from a cache has the watch
read on first, so that every process sees every event, and an idle one asks for none
(ADR-012).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol, TypeAlias
from uuid import UUID

from adapters.availability.booked_days import BookedDays, changes_availability
from adapters.recording.errors import UnreadableEvent
from projections.source import Entry, EventSource
from sagas.appending import OtherEvent, Recorded, booking_events

BATCH = 500
MOST_BATCHES = 4
"""After so many events it costs less to load anew what is still asked for."""
MOST_STREAMS = 50
"""How many bookings are looked up in one batch whose beginning was not seen."""
LIMIT = 50_000
"""How many days, and bookings, are remembered."""

_Day: TypeAlias = tuple[str, str, date]


class WatchedLog(EventSource, Protocol):
    """The log, read by position and by stream."""

    async def read(self, stream_id: UUID) -> Sequence[Recorded]:
        """Return a stream from its first event on."""
        ...


class LogWatch:
    """
    Tells whether what was read when the log was at some place can still be true.

    `position` is how far the watch has read. Of what was read before the floor, nothing
    is known. Whoever asks the database for something else may read on by the way, and
    `hand` it over.
    """

    def __init__(self, log: WatchedLog, *, limit: int = LIMIT) -> None:
        self._log = log
        self._limit = limit
        self._reading = asyncio.Lock()
        self._begun = self._done = 0
        self._started = False
        self._floor = 0
        self.position = 0
        self._changed: OrderedDict[_Day, int] = OrderedDict()
        self._known: OrderedDict[UUID, BookedDays] = OrderedDict()
        self._handed: Sequence[Entry] = ()

    @property
    def next_batch(self) -> tuple[int, int]:
        """Return after which position to read on, and how many events at most; none before the watch has begun."""
        # With the event that was seen last: if it is not there any more, this is another log.
        return (max(self.position - 1, 0), BATCH + 1) if self._started else (0, 0)

    def hand(self, entries: Sequence[Entry]) -> None:
        """Take what somebody has read, all from `next_batch` on, for those who will not ask for more than that."""
        if entries and (not self._handed or self._handed[-1].position <= entries[-1].position):
            self._handed = entries

    def is_current(self, seen: int, *, company_id: str, tags: Iterable[str], day: date) -> bool:
        """Tell whether nothing has happened to a day since the log was at `seen`, as far as the watch has read."""
        if not self._floor <= seen <= self.position:
            return False
        return all(self._changed.get((company_id, tag, day), 0) <= seen for tag in tags)

    async def catch_up(self, until: int | None = None) -> None:
        """
        Take in everything that was in the log when this was called, or all of it `until` a position.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        arrived = self._begun
        async with self._reading:
            if self._done > arrived:
                # Somebody has begun to read since, and has finished.
                return
            if until is not None:
                await self._take_in_what_was_handed()
                if until <= self.position:
                    return
            self._begun += 1
            await self._read_on()
            self._done = self._begun

    async def _read_on(self) -> None:
        if not self._started:
            # A little of the past, so that what other processes have cached can be used.
            self.position = self._floor = max(await self._log.head() - BATCH, 0)
            self._started = True
        for _ in range(MOST_BATCHES):
            after, limit = self.next_batch
            entries = await self._log.read_all(after=after, limit=limit)
            if not self._goes_on(entries):
                break
            await self._take_in(entries)
            if len(entries) < limit:
                return
        self.position = self._floor = await self._log.head()

    async def _take_in_what_was_handed(self) -> None:
        entries, self._handed = self._handed, ()
        if self._started and self._goes_on(entries):
            await self._take_in(entries)

    def _goes_on(self, entries: Sequence[Entry]) -> bool:
        """Tell whether these are of the log that the watch has read so far."""
        return not self.position or any(one.position == self.position for one in entries)

    async def _take_in(self, entries: Sequence[Entry]) -> None:
        news = [one for one in entries if one.position > self.position]
        left = MOST_STREAMS
        for one in news:
            if not isinstance(one, Recorded):
                self._floor = one.position
                continue
            if isinstance(one.event, OtherEvent):
                continue
            booked = self._known.get(one.stream_id)
            if booked is None and one.version == 1:
                booked = self._known[one.stream_id] = BookedDays()
            elif booked is None and changes_availability(one.event):
                booked = await self._look_up(one.stream_id) if left else None
                left = max(left - 1, 0)
                if booked is None:
                    self._floor = one.position
            if booked is not None:
                booked.learn(one.event)
                if changes_availability(one.event):
                    self._change(booked, one.position)
        if news:
            self.position = news[-1].position
        self._forget_the_oldest()

    async def _look_up(self, stream_id: UUID) -> BookedDays | None:
        try:
            recorded = await self._log.read(stream_id)
        except UnreadableEvent:
            return None
        booked = self._known[stream_id] = BookedDays()
        for event in booking_events(recorded):
            booked.learn(event)
        return booked

    def _change(self, booked: BookedDays, position: int) -> None:
        for tag in booked.tags:
            for day in booked.days:
                key = (booked.company_id, tag, day)
                self._changed[key] = position
                self._changed.move_to_end(key)

    def _forget_the_oldest(self) -> None:
        while len(self._changed) > self._limit:
            _, position = self._changed.popitem(last=False)
            self._floor = max(self._floor, position)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)
