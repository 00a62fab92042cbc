"""
A follower: reads the log after its checkpoint, and keeps one read model.

Any number of followers of one read model may run; each event counts once.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from sqlalchemy import Engine, Table

from projections.applying import Applier, Probe
from projections.checkpoints import Parked
from projections.errors import LogRestored, NotParked
from projections.source import Entry, EventSource, Projection
from sagas.appending import Recorded

BATCH = 500


class Stepped(Enum):
    """What became of one step."""

    APPLIED = auto()
    """A whole batch, so that more may be waiting."""
    CAUGHT_UP = auto()
    """All that there was; what has come since can wait for the next turn."""
    NOTHING_NEW = auto()
    LOST = auto()
    """Another follower of the same read model was faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerStatus:
    """Where a read model stands; `problem` is why it does not go on."""

    name: str
    position: int
    head: int
    parked: tuple[Parked, ...]
    problem: str | None = None

    @property
    def lag(self) -> int:
        """Return how much of the log it has not seen yet."""
        return max(self.head - self.position, 0)


class Follower:
    """Keeps one read model; `name` and `tables` differ from the projection's own during a rebuild."""

    def __init__(
        self,
        projection: Projection,
        *,
        engine: Engine,
        source: EventSource,
        name: str | None = None,
        tables: Sequence[Table] | None = None,
        batch: int = BATCH,
        probe: Probe = lambda _: None,
    ) -> None:
        self.name = name or projection.name
        self._applier = Applier(
            projection,
            engine=engine,
            name=self.name,
            tables=projection.tables if tables is None else tables,
            probe=probe,
        )
        self._source = source
        self._batch = batch

    async def step(self) -> Stepped:
        """
        Apply the next batch.

        Raises:
            LogRestored: the checkpoint lies beyond the head of the log.

        """
        position = await asyncio.to_thread(self._applier.position)
        entries = await self._source.read_all(after=position, limit=self._batch)
        if entries:
            applied = await asyncio.to_thread(self._applier.apply, entries, after=position)
            if not applied:
                return Stepped.LOST
            return Stepped.APPLIED if len(entries) == self._batch else Stepped.CAUGHT_UP
        head = await self._source.head()
        if position > head:
            raise LogRestored(name=self.name, position=position, head=head)
        return Stepped.NOTHING_NEW

    async def catch_up(self) -> None:
        """
        Apply everything that is in the log by now.

        Raises:
            LogRestored: the checkpoint lies beyond the head of the log.

        """
        while await self.step() is not Stepped.NOTHING_NEW:
            pass

    async def status(self) -> FollowerStatus:
        """Return where the read model stands."""
        position, parked = await asyncio.to_thread(self._applier.progress)
        return FollowerStatus(name=self.name, position=position, head=await self._source.head(), parked=parked)

    async def unpark(self, stream_id: UUID) -> bool:
        """
        Take a parked stream in again with all that it has missed; False if it has to stay parked.

        Raises:
            NotParked: it is not parked.

        """
        _, parked = await asyncio.to_thread(self._applier.progress)
        seen = next((one.position - 1 for one in parked if one.stream_id == stream_id), None)
        if seen is None:
            raise NotParked(name=self.name, stream_id=stream_id)
        missed: list[Recorded] = []
        taken_in: bool | None = None
        while taken_in is None:
            position = await asyncio.to_thread(self._applier.position)
            async for entry in self._between(seen, position):
                if entry.stream_id == stream_id:
                    if not isinstance(entry, Recorded):
                        return False
                    missed.append(entry)
            taken_in = await asyncio.to_thread(self._applier.take_in, stream_id, missed, at=position)
            seen = position
        return taken_in

    async def _between(self, after: int, until: int) -> AsyncIterator[Entry]:
        while after < until:
            entries = await self._source.read_all(after=after, limit=self._batch)
            for entry in entries:
                if entry.position <= until:
                    yield entry
            after = entries[-1].position if entries else until
