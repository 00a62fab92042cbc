"""The entries that this process keeps in its own memory."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

V = TypeVar("V")

LIMIT = 10_000
"""How many entries a cache holds; the one that was longest of no use goes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[V]):
    """A value, when its reader began to read it, and the place in the log that was seen by then."""

    value: V
    read_at: datetime
    seen: int = 0

    def is_newer_than(self, other: "Entry[V]") -> bool:
        """Tell which of two should be kept."""
        return (self.seen, self.read_at) > (other.seen, other.read_at)


class SharedEntries(Protocol[V]):
    """Entries that other processes see, too; it never raises, and what it cannot say it does not have."""

    async def read(self, keys: list[str]) -> dict[str, Entry[V]]:
        """Return those that are there."""
        ...

    def write(self, key: str, entry: Entry[V], *, seconds: float) -> None:
        """Keep an entry for a time."""
        ...

    def forget(self, key: str) -> None:
        """Keep it no longer."""
        ...


class ProcessEntries(Generic[V]):
    """A bounded memory, in the order of last use."""

    def __init__(self, *, limit: int = LIMIT) -> None:
        self._limit = limit
        self._entries: OrderedDict[str, Entry[V]] = OrderedDict()

    def get(self, key: str) -> Entry[V] | None:
        """Return an entry, which is of use herewith."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: str, entry: Entry[V]) -> None:
        """Keep an entry, unless a newer one is there."""
        held = self._entries.get(key)
        if held is not None and held.is_newer_than(entry):
            return
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def forget(self, key: str) -> None:
        """Forget one."""
        self._entries.pop(key, None)

    def __iter__(self) -> Iterator[str]:
        """Go through the keys as they are now."""
        return iter(tuple(self._entries))
