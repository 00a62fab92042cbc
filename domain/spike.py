"""
Whether something happens more often than usual, for what is rare and comes by itself.

What has been usual is the mean of the seven days before. Were it to go on like that, the number within an hour would
follow Poisson's distribution; a number that it would exceed less than once in 10,000 hours is a spike.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import exp, lgamma, log

LATELY = timedelta(hours=1)
BEFORE = timedelta(days=7)
SELDOM = 1e-4
"""How seldom chance alone may look like a spike: in one hour of so many."""
NEVER_A_SPIKE = 4
"""So few are none, however quiet it has been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How many there were within the last hour, and how many in the seven days before that."""

    lately: int = 0
    before: int = 0

    @property
    def usual(self) -> int:
        """Return the highest number within an hour that is no spike."""
        # As if one more had been seen: a quiet week proves little.
        return max(_quantile((self.before + 1) / (BEFORE / LATELY)), NEVER_A_SPIKE)


def _quantile(mean: float) -> int:
    """Return the number that a Poisson-distributed one exceeds with a probability of `SELDOM` at most."""
    number, not_above = 0, exp(-mean)
    while not_above < 1 - SELDOM:
        number += 1
        not_above += exp(number * log(mean) - mean - lgamma(number + 1))
    return number
