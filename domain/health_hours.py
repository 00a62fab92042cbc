"""
Hours of the day in which a service is unwell again and again.

Checks that fail come in bursts, so that it is days that are counted, not checks: on how many days was an hour bad, and
would that many be bad by chance if all hours were alike?
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import comb

BAD_SHARE = 0.05
"""Which share of an hour's checks must have found the service unwell for the hour to be bad."""
FEWEST_CHECKS = 20
"""How many checks an hour needs to be judged."""
SURE = 0.001
"""How seldom hours that are all alike may look otherwise: any of the 24, in one look."""
HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """How many checks there were from an instant on for an hour, and how many found the service unwell."""

    begins_at: datetime
    checks: int
    unwell: int

    @property
    def is_bad(self) -> bool:
        """Tell whether the service was unwell for a part of it that anybody would notice."""
        return self.unwell >= max(BAD_SHARE * self.checks, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """That a service is unwell in an hour of the day (UTC): on so many of the days that are known."""

    hour: int
    bad_days: int
    days: int


def habits(hours: Sequence[Hour]) -> tuple[Habit, ...]:
    """Return the hours of the day that are bad more often than chance would have it."""
    judged = [one for one in hours if one.checks >= FEWEST_CHECKS]
    days = Counter(one.begins_at.hour for one in judged)
    bad_days = Counter(one.begins_at.hour for one in judged if one.is_bad)
    found = []
    for hour, bad in sorted(bad_days.items()):
        # As if one bad hour more had been seen: a short time without any proves little.
        elsewhere = (bad_days.total() - bad + 1) / (days.total() - days[hour] + 1)
        if _at_least(bad, days[hour], elsewhere) <= SURE / HOURS:
            found.append(Habit(hour=hour, bad_days=bad, days=days[hour]))
    return tuple(found)


def _at_least(successes: int, trials: int, rate: float) -> float:
    """Return how probable it is that so many of the trials succeed, or more."""
    return sum(comb(trials, one) * rate**one * (1 - rate) ** (trials - one) for one in range(successes, trials + 1))
