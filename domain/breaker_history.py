"""
What a breaker's transitions say of its service: how long it was in each state, and how long it took to recover.

A recovery lasts from leaving closed until closed again, however often it was open and half-open in between.
"""

from collections.abc import Iterable, Sequence
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
    transitions: Iterable[Transition], *, state: State, since: datetime | None, start: datetime, now: datetime
) -> BreakerHistory:
    """
    Return the history of a breaker that is in a `state` since an instant, None for ever.

    The transitions are those that are known of it, in any order, each any number of times. The history begins after the
    last gap: where one is missing, or where the breaker was forgotten in between. Of what lies before the first one
    nothing is known if that is later than `start` and the breaker has moved before (its epoch tells).
    """
    known, gap = _unbroken(transitions, state=state)
    known = [one for one in known if one.at <= now]
    begins = min(_begins(known, gap=gap, since=since, start=start), now)
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


def _unbroken(transitions: Iterable[Transition], *, state: State) -> tuple[list[Transition], datetime | None]:
    """Return the last transitions without a gap, which lead to a state, and when the gap before them ends, if any."""
    told = {(one.at, one.epoch): one for one in transitions}
    known = [told[key] for key in sorted(told)]
    if known and known[-1].after != state:
        # Forgotten since then, nobody knows when: a breaker that never moved is closed.
        return [], known[-1].at
    for place in range(len(known) - 1, 0, -1):
        if not _follows(known[place - 1], known[place]):
            return known[place:], known[place].at
    return known, None


def _follows(earlier: Transition, later: Transition) -> bool:
    # Epochs are counted anew after a flush of Redis, and by a process of its own whenever the fleet's is away.
    return earlier.after == later.before and later.epoch in {earlier.epoch + 1, 1}


def _begins(known: Sequence[Transition], *, gap: datetime | None, since: datetime | None, start: datetime) -> datetime:
    """Return the later of where the history is to begin, and where what is known begins."""
    if not known:
        return max(start, since or gap or start)
    return max(start, gap or start) if known[0].epoch == 1 else max(start, known[0].at)


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
