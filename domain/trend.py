"""
Whether calls go better or worse than before, in a word: the share of bad ones against that of the time before.
"""

from typing import Literal, TypeAlias

from domain.service_level import Counts

Direction: TypeAlias = Literal["better", "steady", "worse", "unknown"]
NOTICEABLE = 0.01
"""By how much the share of bad calls must differ."""


def direction(recent: Counts, before: Counts) -> Direction:
    """Return where it goes; unknown unless there were calls in both times."""
    if not recent.requests or not before.requests:
        return "unknown"
    change = recent.bad_share - before.bad_share
    if abs(change) <= NOTICEABLE:
        return "steady"
    return "worse" if change > 0 else "better"
