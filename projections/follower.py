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

BATCH = 2_000
"""Events at once: what a batch costs whatever is in it, statements above all, was a third of following with 500."""

Reaction: TypeAlias = Callable[[Sequence[Entry]], Awaitable[None]]
"""What is done about a batch before its checkpoint moves: once at least, so that doing it twice must change nothing."""


async def no_reaction(_: Sequence[Entry]) -> None:
    """Do nothing."""


class Stepped(Enum):
    """What became of one step."""

    APPLIED = auto()
    """A whole batch, so that more may be waiting."""
    LOST = auto()
    """Another follower of the same read model was faster."""
    CAUGHT_UP = auto()
    """All that there was; what has come since can wait for the next turn."""
    NOTHING_NEW = auto()


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
        await catch_up_together([self])

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
            await self.react(missed)
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
    Apply the next batch to each of several followers, with one reading for all that stand at the same place.

    They read from one source, in batches of one size. Those that are ahead go first, so that
    nobody waits for one that has much to make up for. It meets them again, since its
    batches do not go beyond the place where they stand.

    Raises:
        LogRestored: a checkpoint lies beyond the head of the log.

    """
    places = await asyncio.to_thread(positions, [one.applier for one in followers])
    stepped: set[Stepped] = set()
    idle: dict[str, int] = {}
    border: int | None = None
    for place in sorted({*places.values()}, reverse=True):
        group = [one for one in followers if places[one.name] == place]
        outcome, border = await _step(group, after=place, border=border)
        stepped.add(outcome)
        if outcome is Stepped.NOTHING_NEW:
            idle |= {one.name: place for one in group}
    if idle:
        await _refuse_restored(followers[0].source, idle)
    # The first of these that came to pass: whether there may be more is what the caller wants to know.
    return next(one for one in Stepped if one in stepped)


async def catch_up_together(followers: Sequence[Follower]) -> None:
    """
    Apply everything that is in the log by now to several followers, however much is written meanwhile.

    Raises:
        LogRestored: a checkpoint lies beyond the head of the log.

    """
    head = await followers[0].source.head()
    while await step_together(followers) is not Stepped.NOTHING_NEW:
        places = await asyncio.to_thread(positions, [one.applier for one in followers])
        if min(places.values()) >= head:
            return


async def _step(group: Sequence[Follower], *, after: int, border: int | None) -> tuple[Stepped, int]:
    """Apply a batch to followers that stand at the same place, and return where they stand then."""
    first = group[0]
    read = await first.source.read_all(after=after, limit=first.batch)
    if not read:
        return Stepped.NOTHING_NEW, after
    entries = read if border is None else [one for one in read if one.position <= border] or read
    for one in group:
        await one.react(entries)
    if not await asyncio.to_thread(apply_together, [one.applier for one in group], entries, after=after):
        return Stepped.LOST, after
    more = len(read) == first.batch or len(entries) < len(read)
    return Stepped.APPLIED if more else Stepped.CAUGHT_UP, entries[-1].position


async def _refuse_restored(source: EventSource, places: dict[str, int]) -> None:
    head = await source.head()
    for name, position in places.items():
        if position > head:
            raise LogRestored(name=name, position=position, head=head)
