"""
Calls of a fleet, in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapters.measuring.meter import Meter, Tallies
from adapters.measuring.stored import Slice


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
