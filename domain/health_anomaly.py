"""
Whether a service answers otherwise than it used to: the last answers against those of the same time on other days.

Median and MAD, because a mean and a deviation are what the slowest answers say they are. Several answers must be
slow, not one, and by a factor that a person would notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

FEWEST_RECENT = 7
"""How many of the last answers are needed: their median is slow only if most of them are."""
FEWEST_USUAL = 40
"""How many answers tell what is usual."""
FAR = 4.0
"""From how many deviations on it is not usual any more."""
FACTOR = 1.5
"""… and from how many times the usual time."""
AS_SIGMA = 1.4826
"""What makes a MAD of normal noise its standard deviation."""
LEAST_MS = 1.0
"""What nobody measures more exactly than."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """What the last response times are, and what is usual, in ms; `deviations` is how far apart they are."""

    recent_ms: float
    usual_ms: float
    deviations: float

    @property
    def is_one(self) -> bool:
        """Tell whether it is worth a word."""
        return self.deviations >= FAR and self.recent_ms >= FACTOR * self.usual_ms


def anomaly(recent: Sequence[float], usual: Sequence[float]) -> Anomaly | None:
    """Return how the last answers differ from the usual ones, in ms; None if there are too few of either."""
    if len(recent) < FEWEST_RECENT or len(usual) < FEWEST_USUAL:
        return None
    last, middle = median(recent), median(usual)
    spread = AS_SIGMA * median(abs(one - middle) for one in usual)
    return Anomaly(recent_ms=last, usual_ms=middle, deviations=(last - middle) / max(spread, LEAST_MS))
