"""
Durations as a DDSketch: any percentile within 1 % of the true one, in a few hundred counters that add up.

The mapping and the counters are the library's. Written down they are pairs of a place and a count.
"""

from typing import Any, TypeAlias

from ddsketch.mapping import LogarithmicMapping
from ddsketch.store import DenseStore

ACCURACY = 0.01
"""By which share a percentile may be off."""
SHORTEST, LONGEST = 1e-6, 86_400.0
"""Seconds; what lies outside is taken for these, so that there is an end to the counters."""
_MAPPING = LogarithmicMapping(ACCURACY)

Document: TypeAlias = dict[str, Any]


class Sketch:
    """How long calls took, in seconds."""

    __slots__ = ("_store", "longest", "shortest", "total")

    def __init__(self) -> None:
        self._store = DenseStore()
        self.total = 0.0
        self.shortest = LONGEST
        self.longest = 0.0

    @property
    def count(self) -> int:
        """Return how many calls there were."""
        return round(self._store.count)

    @property
    def mean(self) -> float | None:
        """Return the mean; None without calls."""
        return self.total / self._store.count if self._store.count else None

    def add(self, seconds: float) -> None:
        """Take one call in."""
        if not SHORTEST <= seconds <= LONGEST:
            seconds = LONGEST if seconds > LONGEST else SHORTEST
        self._store.add(_MAPPING.key(seconds))
        self.total += seconds
        # Compared by hand: this is on the way of every call, and the functions would be half of what it costs.
        if seconds < self.shortest:  # noqa: PLR1730 - see above
            self.shortest = seconds
        if seconds > self.longest:  # noqa: PLR1730 - see above
            self.longest = seconds

    def merge(self, other: "Sketch") -> None:
        """Take in all calls of another one, which stays as it is."""
        self._store.merge(other._store)  # noqa: SLF001 - of the same class
        self.total += other.total
        self.shortest = min(self.shortest, other.shortest)
        self.longest = max(self.longest, other.longest)

    def quantile(self, share: float) -> float | None:
        """Return the duration that so many of the calls did not exceed; None without calls."""
        if not self._store.count:
            return None
        found = _MAPPING.value(self._store.key_at_rank(share * (self._store.count - 1)))
        return min(max(found, self.shortest), self.longest)

    def document(self) -> Document:
        """Return it in the form that is stored."""
        store = self._store
        places = [(place + store.offset, round(count)) for place, count in enumerate(store.bins) if count]
        return {"total": self.total, "shortest": self.shortest, "longest": self.longest, "places": places}


def read_sketch(document: Document) -> Sketch:
    """Return what was stored."""
    sketch = Sketch()
    for place, count in document["places"]:
        sketch._store.add(place, count)  # noqa: SLF001 - its own
    sketch.total = document["total"]
    sketch.shortest = document["shortest"]
    sketch.longest = document["longest"]
    return sketch
