"""
Where an answer comes from when its first source fails: the rungs of a chain, and the one that answers (M13).

    rung = rung_of(READ, Ways(stale=timedelta(minutes=12)))   # "stale"
    rung = rung_of(WRITE, Ways(queued=True))                  # "queued"
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

Rung: TypeAlias = Literal["primary", "stale", "queued", "manual_review", "refused"]
Chain: TypeAlias = tuple[Rung, ...]

READ: Chain = ("primary", "stale")
"""A question may be answered by what was known before; nobody waits in a queue for an answer."""
WRITE: Chain = ("primary", "queued", "manual_review")
"""What is to be done is never answered by what was known before."""
OLDEST = timedelta(minutes=60)
"""From this age on, what was known before is not worth telling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """
    Which ways to an answer there are.

    The source itself; what it said before, of that age; a queue that has taken the wish; a person who was asked.
    """

    primary: bool = False
    stale: timedelta | None = None
    queued: bool = False
    manual_review: bool = False


def rung_of(chain: Chain, ways: Ways) -> Rung:
    """Return the first rung of a chain that there is a way to; `refused` is below all of them."""
    return next((rung for rung in chain if _holds(rung, ways)), "refused")


def should_retry(rung: Rung) -> bool:
    """Tell whether calsaga tries again by itself what a rung has answered, so that nobody need ask again."""
    return rung == "queued"


def _holds(rung: Rung, ways: Ways) -> bool:
    if rung == "stale":
        return ways.stale is not None and ways.stale < OLDEST
    return bool(getattr(ways, rung))
