"""
Writing how breakers have moved to the log: one event for each transition, whichever process writes it (ADR-019).

A listener hears of those that its own process makes. Those of a process that died first, or whose answer from Redis
got lost, are found among what the fleet's breakers remember.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID, uuid4

import structlog

from adapters.breakers.ports import Breakers
from adapters.recording.errors import UnreadableEvent
from domain.breaker_moved import BreakerMoved, breaker_moved
from domain.breaker_words import Transition
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, NothingDue
from sagas.ports import Clock, Log

MOST_KEPT = 1_000
"""How many transitions may wait for the database; when there are more, the oldest are given up."""
BETWEEN_LOOKS = 5.0
"""Seconds between two looks at what the fleet's breakers remember, which are their last `RECENT` transitions."""


class BreakerEvents:
    """
    A listener that keeps what it hears until it is in the log; `run` writes it, and nobody waits for that.

    `instance` names this process, whose own breakers decide where there is no Redis, or none that answers.
    """

    def __init__(
        self, *, log: Log, clock: Clock, instance: str, names: Sequence[str], pause: float = BETWEEN_LOOKS
    ) -> None:
        self._log = log
        self._clock = clock
        self._instance = instance
        self._names = names
        self._pause = pause
        self._kept: dict[UUID, BreakerMoved] = {}
        self._written: set[UUID] = set()
        self._news = asyncio.Event()
        self._told = structlog.get_logger("calsaga.breakers")

    def moved(self, transition: Transition, *, shared: bool) -> None:
        """Keep a transition."""
        self._keep(breaker_moved(transition, instance=None if shared else self._instance))
        self._news.set()

    def degraded(self, reason: str) -> None:
        """Take note of nothing: the transitions say whose they are."""

    def recovered(self) -> None:
        """Take note of nothing."""

    async def run(self, breakers: Breakers) -> None:
        """Write what was heard, at once, and what is found at times, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._pause):
                    await self._news.wait()
            except TimeoutError:
                await self.look_at(breakers)
            self._news.clear()
            # What cannot be written stays, for the next time.
            with suppress(AppointmentDatabaseError):
                await self.write()

    async def look_at(self, breakers: Breakers) -> None:
        """Keep what the fleet's breakers remember and this process does not know to be written."""
        found: dict[UUID, BreakerMoved] = {}
        for name in self._names:
            snapshot = await breakers.snapshot(name)
            # What this process's own remember was heard.
            recent = snapshot.recent if snapshot.shared else ()
            found |= {one.stream_id: one for one in (breaker_moved(move, instance=None) for move in recent)}
        self._written &= found.keys()
        for stream_id, one in found.items():
            if stream_id not in self._written:
                self._keep(one)

    async def write(self) -> None:
        """
        Write what is kept.

        Raises:
            AppointmentDatabaseError: not all of it is known to be written; it is kept.

        """
        while self._kept:
            stream_id, moved = next(iter(self._kept.items()))
            if not await self._stands(stream_id):
                # If another process is faster, this one loses its append, and all is well.
                await self._log.append(self._append(stream_id, moved))
            self._kept.pop(stream_id, None)
            if moved.instance is None:
                self._written.add(stream_id)

    async def finish(self, *, within: float) -> None:
        """Write what is kept if that takes no longer than so many seconds."""
        with suppress(AppointmentDatabaseError, TimeoutError):
            async with asyncio.timeout(within):
                await self.write()

    def _keep(self, moved: BreakerMoved) -> None:
        self._kept.setdefault(moved.stream_id, moved)
        if len(self._kept) > MOST_KEPT:
            oldest = self._kept.pop(next(iter(self._kept)))
            self._told.warning("breaker.event.given_up", breaker=oldest.service, epoch=oldest.epoch)

    async def _stands(self, stream_id: UUID) -> bool:
        try:
            return bool(await self._log.read(stream_id))
        except UnreadableEvent:
            return True

    def _append(self, stream_id: UUID, moved: BreakerMoved) -> Append:
        return Append(
            stream_id=stream_id,
            expected_version=0,
            append_id=uuid4().hex,
            correlation_id=stream_id.hex,
            recorded_at=self._clock.now(),
            events=(moved,),
            due=NothingDue(),
        )
