"""
Whether response times rise: Kendall's test says if, the Theil–Sen slope says how steeply.

Both look at pairs alone, so that single answers, however slow, move them little. They are given medians of parts of
the time, because answers that follow each other are alike, and the test supposes that they are not.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import NormalDist, median

PARTS = 12
"""Into how many parts the time is cut; ten minutes each, of two hours."""
FEWEST = 8
"""Of how many parts there must be answers before anything is said."""
SURE = 0.0001
"""How seldom times that do not rise may look as if they did, in one look (one-sided)."""
STEEP = 0.75
"""By which share of what they were the times must have risen over the whole time."""

Point = tuple[float, float]
"""An instant in minutes, and a response time in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """
    How response times go: by how many ms a minute, and what they are at the end of the time.

    `chance` is how probable it is that times which do not rise look like that; `rises` if that is improbable, and the
    rise worth a word.
    """

    per_minute: float
    now_ms: float
    chance: float
    rises: bool

    def in_minutes(self, minutes: float) -> float:
        """Return what the times will be if they go on like that, never less than nothing."""
        return max(self.now_ms + self.per_minute * minutes, 0.0)


def trend(points: Sequence[Point], *, until: float, minutes: float = 120.0) -> Trend | None:
    """Return how the response times of the last minutes go; None if there are too few."""
    parts = _medians(points, since=until - minutes, width=minutes / PARTS)
    if len(parts) < FEWEST:
        return None
    slope = median((later - sooner) / (at - before) for (before, sooner), (at, later) in combinations(parts, 2))
    level = median(value - slope * at for at, value in parts)
    began_at, now_ms = level + slope * (until - minutes), level + slope * until
    chance = _chance([value for _, value in parts])
    rises = chance <= SURE and now_ms - began_at >= STEEP * max(began_at, 0.0)
    return Trend(per_minute=slope, now_ms=max(now_ms, 0.0), chance=chance, rises=rises and slope > 0)


def _medians(points: Sequence[Point], *, since: float, width: float) -> list[Point]:
    parts: dict[int, list[float]] = {}
    for at, value in points:
        number = int((at - since) // width)
        if 0 <= number < PARTS:
            parts.setdefault(number, []).append(value)
    return [(since + (number + 0.5) * width, median(values)) for number, values in sorted(parts.items())]


def _chance(values: Sequence[float]) -> float:
    """Return how probable it is that values in any order rise as much: Mann and Kendall's test, ties allowed for."""
    count = len(values)
    rising = sum((later > sooner) - (later < sooner) for sooner, later in combinations(values, 2))
    ties = sum(times * (times - 1) * (2 * times + 5) for times in Counter(values).values())
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18
    if variance <= 0 or rising <= 0:
        return 1.0
    return 1 - NormalDist().cdf((rising - 1) / sqrt(variance))
