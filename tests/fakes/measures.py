"""
Calls of a fleet, in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapters.measuring.meter import Meter, Tallies
from adapters.measuring.stored import Slice
from domain.breaker_words import Transition


@dataclass
class FakeCalls:
    """
    What was counted lately, and how calls ended over time.
    """

    meter: Meter = field(default_factory=Meter)
    ended: list[Slice] = field(default_factory=list)

    async def tallies(self, *, since: datetime) -> Tallies:
        return self.meter.look()

    async def slices(self, *, since: datetime) -> Sequence[Slice]:
        return [one for one in self.ended if one.ends_at > since]

    def own_tallies(self, *, since: datetime) -> Tallies:
        return self.meter.look()

    def own_slices(self, *, since: datetime) -> Sequence[Slice]:
        return [one for one in self.ended if one.ends_at > since]


@dataclass
class FakeTransitions:
    """
    How breakers have moved, whosever they are.
    """

    moves: list[Transition] = field(default_factory=list)

    async def since(self, start: datetime, *, shared: Mapping[str, bool]) -> Mapping[str, Sequence[Transition]]:
        return {name: [one for one in self.moves if one.name == name and one.at >= start] for name in shared}
