"""
A cache that loads what it lacks, once, however many ask for it at the same time.

    cache = Cache("availability", fresh=timedelta(minutes=10), kept=timedelta(hours=1), now=clock.now, count=count)
    found = await cache.fetch(keys, load)

A load goes on when those who wait for it leave, for the sake of the next.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Literal, TypeAlias, TypeVar

from adapters.caching.entries import LIMIT, Entry, ProcessEntries, SharedEntries
from adapters.metrics import CacheName, CacheOutcome

V = TypeVar("V")

Load: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, V]]]
"""Read the values of some keys, and others that come for nothing; `Unloadable` if that cannot be done now."""

Current: TypeAlias = Callable[[str, int], bool]
"""Tell whether what was read of a key can still be true, if its reader had seen the log up to that place."""

SKEW = timedelta(seconds=5)
"""How far the clocks of two processes may differ; an entry from further ahead is of no use."""


class Unloadable(Exception):
    """What was asked for cannot be loaded now, so that an old entry would do; `reason` is what went wrong."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def uncounted(_cache: CacheName, _outcome: CacheOutcome) -> None:
    """Count nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[V]):
    """An entry and where it is from: it was here, it was loaded for this very question, or it is all that there is."""

    entry: Entry[V]
    how: Literal["hit", "miss", "stale"]


@dataclass(frozen=True, slots=True, eq=False)
class _Flight(Generic[V]):
    """A load that is under way."""

    seen: int
    task: "asyncio.Task[dict[str, Entry[V]]]"


class Cache(Generic[V]):
    """
    Values by key, `fresh` for a while, and `kept` for as long as they may stand in when loading fails.

    `seen` and `current` are for values that the log has a say in: a load that began
    before something happened is answered to nobody who asks after it.
    """

    def __init__(
        self,
        name: CacheName,
        *,
        fresh: timedelta,
        kept: timedelta | None = None,
        now: Callable[[], datetime],
        count: Callable[[CacheName, CacheOutcome], None],
        limit: int = LIMIT,
        shared: SharedEntries[V] | None = None,
    ) -> None:
        self._name = name
        self._fresh_for = fresh
        self._kept_for = kept or fresh
        self._now = now
        self._count = count
        self._entries: ProcessEntries[V] = ProcessEntries(limit=limit)
        self._shared = shared
        self._flights: dict[str, _Flight[V]] = {}
        self._tasks: set[asyncio.Task[dict[str, Entry[V]]]] = set()
        self._forgotten = 0

    async def fetch(
        self, keys: Sequence[str], load: Load[V], *, seen: int = 0, current: Current = lambda _key, _seen: True
    ) -> dict[str, Found[V]]:
        """
        Return every key's entry; those that are missing are loaded together.

        Raises:
            Unloadable: loading failed, and not all that was missing is kept.

        """
        found = self._fresh(keys, current)
        if self._shared is not None and len(found) < len(keys):
            elsewhere = await self._shared.read([key for key in keys if key not in found])
            for key, entry in elsewhere.items():
                self._entries.put(key, entry)
            # All of them, because others may have loaded some meanwhile.
            found = self._fresh(keys, current)
        missing = [key for key in keys if key not in found]
        if missing:
            found |= await self._loaded_or_kept(missing, load, seen=seen, current=current)
        for one in found.values():
            self._count(self._name, one.how)
        return found

    def get(self, key: str, *, stale: bool = False) -> V | None:
        """Return a value if it is fresh, or if a `stale` one will do and it is kept; load nothing."""
        found = self._fresh([key], lambda _key, _seen: True).get(key)
        if found is None and stale:
            found = (self._kept([key]) or {}).get(key)
        self._count(self._name, "miss" if found is None else found.how)
        return None if found is None else found.entry.value

    def put(self, key: str, value: V) -> None:
        """Keep a value from now on."""
        self._keep(key, Entry(value=value, read_at=self._now()))

    def forget(self, key: str) -> None:
        """Forget one key, whatever is being loaded of it included."""
        self._forgotten += 1
        self._flights.pop(key, None)
        self._entries.forget(key)
        if self._shared is not None:
            self._shared.forget(key)

    def forget_all(self, prefix: str = "") -> int:
        """Forget every key that this process knows and that begins so, and return how many those were."""
        keys = [key for key in {*self._entries, *self._flights} if key.startswith(prefix)]
        for key in keys:
            self.forget(key)
        return len(keys)

    async def aclose(self) -> None:
        """Stop loading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _fresh(self, keys: Sequence[str], current: Current) -> dict[str, Found[V]]:
        entries = {key: self._entries.get(key) for key in keys}
        return {
            key: Found(entry=entry, how="hit")
            for key, entry in entries.items()
            if entry is not None and self._is_within(entry, self._fresh_for) and current(key, entry.seen)
        }

    async def _loaded_or_kept(
        self, keys: Sequence[str], load: Load[V], *, seen: int, current: Current
    ) -> dict[str, Found[V]]:
        joined = {
            key: flight for key in keys if (flight := self._flights.get(key)) is not None and current(key, flight.seen)
        }
        own = [key for key in keys if key not in joined]
        flights = joined | dict.fromkeys(own, self._begin(own, load, seen)) if own else joined
        try:
            loaded = {key: (await asyncio.shield(flight.task))[key] for key, flight in flights.items()}
        except Unloadable:
            kept = self._kept(keys)
            if kept is None:
                self._count(self._name, "error")
                raise
            return kept
        return {key: Found(entry=entry, how="hit" if key in joined else "miss") for key, entry in loaded.items()}

    def _begin(self, keys: Sequence[str], load: Load[V], seen: int) -> _Flight[V]:
        flight = _Flight(seen, asyncio.create_task(self._load(keys, load, seen), name=f"cache {self._name}"))
        self._flights.update(dict.fromkeys(keys, flight))
        forgotten = self._forgotten

        def landed(task: asyncio.Task[dict[str, Entry[V]]]) -> None:
            self._tasks.discard(task)
            # Asked for, because everybody who waited may have left.
            loaded = {} if task.cancelled() or task.exception() is not None else task.result()
            # What was forgotten meanwhile, or is being loaded anew, is not kept.
            mine = {key for key in keys if self._flights.get(key) is flight}
            others = loaded.keys() - keys if forgotten == self._forgotten else ()
            for key in mine:
                del self._flights[key]
            for key in {*mine, *others} & loaded.keys():
                self._keep(key, loaded[key])

        flight.task.add_done_callback(landed)
        self._tasks.add(flight.task)
        return flight

    async def _load(self, keys: Sequence[str], load: Load[V], seen: int) -> dict[str, Entry[V]]:
        read_at = self._now()
        values = await load(keys)
        return {key: Entry(value=value, read_at=read_at, seen=seen) for key, value in values.items()}

    def _keep(self, key: str, entry: Entry[V]) -> None:
        self._entries.put(key, entry)
        if self._shared is not None:
            self._shared.write(key, entry, seconds=self._kept_for.total_seconds())

    def _kept(self, keys: Sequence[str]) -> dict[str, Found[V]] | None:
        entries = {key: self._entries.get(key) for key in keys}
        kept = {
            key: Found(entry=entry, how="stale")
            for key, entry in entries.items()
            if entry is not None and self._is_within(entry, self._kept_for)
        }
        return kept if len(kept) == len(entries) else None

    def _is_within(self, entry: Entry[V], period: timedelta) -> bool:
        return -SKEW <= self._now() - entry.read_at < period
