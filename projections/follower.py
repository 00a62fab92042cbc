"""
A follower: reads the log after its checkpoint, and keeps one read model.

Any number of followers of one read model may run; each event counts once. Followers
that stand at the same place go on together, with one reading and one transaction.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Engine, Table

from projections.applying import Applier, Probe, apply_together, positions
from projections.checkpoints import Parked
from projections.errors import LogRestored, NotParked
from projections.source import Entry, EventSource, Projection
from sagas.appending import Recorded

BATCH = 500

Reaction: TypeAlias = Callable[[Sequence[Entry]], Awaitable[None]]
"""What is done about a batch before its checkpoint moves: once at least, so that doing it twice must change nothing."""


async def no_reaction(_: Sequence[Entry]) -> None:
    """Do nothing."""


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
        react: Reaction = no_reaction,
    ) -> None:
        self.name = name or projection.name
        self.react = react
        self.applier = Applier(
            projection,
            engine=engine,
            name=self.name,
            tables=projection.tables if tables is None else tables,
            probe=probe,
        )
        self.source = source
        self.batch = batch

    async def step(self) -> Stepped:
        """
        Apply the next batch.

        Raises:
            LogRestored: the checkpoint lies beyond the head of the log.

        """
        return await step_together([self])

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
        position, parked = await asyncio.to_thread(self.applier.progress)
        return FollowerStatus(name=self.name, position=position, head=await self.source.head(), parked=parked)

    async def unpark(self, stream_id: UUID) -> bool:
        """
        Take a parked stream in again with all that it has missed; False if it has to stay parked.

        Raises:
            NotParked: it is not parked.

        """
        _, parked = await asyncio.to_thread(self.applier.progress)
        seen = next((one.position - 1 for one in parked if one.stream_id == stream_id), None)
        if seen is None:
            raise NotParked(name=self.name, stream_id=stream_id)
        missed: list[Recorded] = []
        taken_in: bool | None = None
        while taken_in is None:
            position = (await asyncio.to_thread(positions, [self.applier]))[self.name]
            async for entry in self._between(seen, position):
                if entry.stream_id == stream_id:
                    if not isinstance(entry, Recorded):
                        return False
                    missed.append(entry)
            taken_in = await asyncio.to_thread(self.applier.take_in, stream_id, missed, at=position)
            seen = position
        return taken_in

    async def _between(self, after: int, until: int) -> AsyncIterator[Entry]:
        while after < until:
            entries = await self.source.read_all(after=after, limit=self.batch)
            for entry in entries:
                if entry.position <= until:
                    yield entry
            after = entries[-1].position if entries else until


async def step_together(followers: Sequence[Follower]) -> Stepped:
    """
    Apply the next batch to those of several followers that are furthest behind.

    They read from one source, in batches of one size. Those that have fallen apart meet
    again, since no batch goes beyond the place where others wait.

    Raises:
        LogRestored: a checkpoint lies beyond the head of the log.

    """
    first = followers[0]
    places = await asyncio.to_thread(positions, [one.applier for one in followers])
    after = min(places.values())
    behind = [one for one in followers if places[one.name] == after]
    read = await first.source.read_all(after=after, limit=first.batch)
    if not read:
        await _refuse_restored(first.source, places)
        return Stepped.NOTHING_NEW
    border = min((place for place in places.values() if place > after), default=read[-1].position)
    entries = [one for one in read if one.position <= border] or read
    for one in behind:
        await one.react(entries)
    if not await asyncio.to_thread(apply_together, [one.applier for one in behind], entries, after=after):
        return Stepped.LOST
    return Stepped.APPLIED if len(read) == first.batch or len(entries) < len(read) else Stepped.CAUGHT_UP


async def _refuse_restored(source: EventSource, places: dict[str, int]) -> None:
    head = await source.head()
    for name, position in places.items():
        if position > head:
            raise LogRestored(name=name, position=position, head=head)
