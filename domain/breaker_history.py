"""
What a breaker's transitions say of its service: how long it was in each state, and how long it took to recover.

A recovery lasts from leaving closed until closed again, however often it was open and half-open in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.breaker_words import State, Transition

NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerHistory:
    """
    How a breaker stood from `observed_since` until now.

    `recoveries` are those that ended in that time, the oldest first. `unwell_since` is when it left closed, as far as
    that is known, None while it is closed; `well_since` when it came back to closed, None if it is not, or never left.
    """

    observed_since: datetime
    in_state: dict[State, timedelta]
    transitions: int
    recoveries: tuple[timedelta, ...]
    unwell_since: datetime | None
    well_since: datetime | None


def history(
    transitions: Sequence[Transition], *, state: State, since: datetime | None, start: datetime, now: datetime
) -> BreakerHistory:
    """
    Return the history of a breaker that is in a `state` since an instant, None for ever.

    The transitions are consecutive, and end in that state. Of what lies before the first one nothing is known if it
    is later than `start` and the breaker has moved before (its epoch tells), so the history begins there.
    """
    known = [one for one in transitions if one.at <= now]
    begins = _begins(known, since=since, start=start, now=now)
    in_state: dict[State, timedelta] = {"closed": NO_TIME, "open": NO_TIME, "half_open": NO_TIME}
    until = now
    for one in reversed(known):
        in_state[one.after] += max(until - max(one.at, begins), NO_TIME)
        until = max(one.at, begins)
    in_state[known[0].before if known else state] += until - begins
    left, recoveries, well_since = _recovered(known, begins)
    unwell_since = None if state == "closed" else left or since or begins
    return BreakerHistory(
        observed_since=begins,
        in_state=in_state,
        transitions=sum(1 for one in known if one.at >= begins),
        recoveries=recoveries,
        unwell_since=unwell_since,
        well_since=well_since if state == "closed" else None,
    )


def _begins(known: Sequence[Transition], *, since: datetime | None, start: datetime, now: datetime) -> datetime:
    """Return the later of where the history is to begin, and where what is known begins."""
    if known:
        begins = start if known[0].epoch == 1 else max(start, known[0].at)
    else:
        begins = start if since is None else max(start, since)
    return min(begins, now)


def _recovered(
    known: Sequence[Transition], begins: datetime
) -> tuple[datetime | None, tuple[timedelta, ...], datetime | None]:
    """Return when it left closed, if it has not come back; the recoveries that ended; when the last one did."""
    # Of what begins in trouble it is known at least since when it is known.
    left = known[0].at if known and known[0].before != "closed" else None
    recoveries: list[timedelta] = []
    well_since: datetime | None = None
    for one in known:
        if one.after != "closed":
            left = left or one.at
        elif left is not None:
            if one.at >= begins:
                recoveries.append(one.at - left)
            left, well_since = None, one.at
    return left, tuple(recoveries), well_since
