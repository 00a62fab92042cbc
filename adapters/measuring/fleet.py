"""What the calls of the whole fleet came to: what is stored, and what this process has not stored yet."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from adapters.measuring.keeping import Keeper
from adapters.measuring.meter import Tallies, merged, of_services
from adapters.measuring.stored import Measured, Slice, StoredCalls


class FleetCalls:
    """Reads calls; those that other processes have made since they last stored are missing, a minute's at most."""

    def __init__(self, *, stored: StoredCalls, keeper: Keeper) -> None:
        self._stored = stored
        self._keeper = keeper

    async def tallies(self, *, since: datetime) -> Tallies:
        """
        Return what came of the calls since an instant; further back than two hours, to the hour.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        # First: what is stored meanwhile is left out there, and what is stored then was seen here.
        own = self._keeper.unstored()
        stored = await self._stored.tallies(since=since, but_for=[one.starts_at for one in own])
        return merged(stored, *(one.tallies for one in own if one.ends_at > since))

    async def slices(self, *, since: datetime) -> Sequence[Slice]:
        """
        Return how the calls ended since an instant, while by while.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        own = self._keeper.unstored()
        stored = await self._stored.slices(since=since, but_for=[one.starts_at for one in own])
        return [*stored, *_slices(own, since=since)]

    def own_tallies(self, *, since: datetime) -> Tallies:
        """Return what came of the calls of this process that are not stored yet."""
        return merged(*(one.tallies for one in self._keeper.unstored() if one.ends_at > since))

    def own_slices(self, *, since: datetime) -> Sequence[Slice]:
        """Return how these ended, while by while."""
        return _slices(self._keeper.unstored(), since=since)


def _slices(measured: Iterable[Measured], *, since: datetime) -> list[Slice]:
    return [
        Slice(service=service, starts_at=one.starts_at, ends_at=one.ends_at, counts=tally.counts)
        for one in measured
        if one.ends_at > since
        for service, tally in of_services(one.tallies).items()
    ]
