"""How a breaker moves from one state to the next, and what moves it by time alone."""

from collections import Counter
from typing import NamedTuple

from domain.breaker_policy import BreakerPolicy
from domain.breaker_state import Breaker, instance_of, moment, overdue
from domain.breaker_window import NONE, Tally, Window
from domain.breaker_words import Cause, Override, State, Transition, Trigger
from domain.replacing import replace


class Moved(NamedTuple):
    """A breaker, and how it came to stand as it does."""

    breaker: Breaker
    moves: tuple[Transition, ...] = ()


def settle(breaker: Breaker, policy: BreakerPolicy, *, now: float, chance: float) -> Moved:
    """Do what is due by time alone: overrides and leases end, no verdict was found, calls under way are slow."""
    moved = _expire_override(breaker, policy, now=now)
    moved = _lose_permits(moved, policy, now=now, chance=chance)
    limit = moved.breaker.since + policy.half_open_limit_seconds
    if moved.breaker.state == "half_open" and limit <= now:
        moved = reopen(moved, policy, "no_verdict", at=limit, chance=chance)
    if overdue(moved.breaker, policy, now=now):
        moved = trip(moved, policy, now=now, chance=chance)
    return moved


def trip(moved: Moved, policy: BreakerPolicy, *, now: float, chance: float) -> Moved:
    """Open a closed breaker if its window says so."""
    breaker = moved.breaker
    if breaker.state != "closed" or breaker.override is not None:
        return moved
    cause = trigger(breaker, policy, now=now)
    if cause is None:
        return moved
    failed_probes = _failed_probes_at_trip(breaker, policy, now=now)
    return reopen(
        Moved(replace(breaker, failed_probes=failed_probes), moved.moves), policy, cause, at=now, chance=chance
    )


def _failed_probes_at_trip(breaker: Breaker, policy: BreakerPolicy, *, now: float) -> int:
    if breaker.since + policy.stable_seconds <= now:
        return 0
    # The probes said that it was well, and it was not: what they tried works while what is called does not.
    return breaker.failed_probes + (breaker.cause == "probes_succeeded")


def trigger(breaker: Breaker, policy: BreakerPolicy, *, now: float) -> Trigger | None:
    """Say what in the window, and of the calls under way, opens a breaker that is closed."""
    late = overdue(breaker, policy, now=now)
    return breaker.window.tally(policy, now=now).trigger(
        policy, overdue=Counter(map(instance_of, late)) if late else NONE
    )


def reopen(moved: Moved, policy: BreakerPolicy, cause: Cause, *, at: float, chance: float) -> Moved:
    """Open for as long as the failed probes so far say."""
    until = at + policy.open_for(moved.breaker.failed_probes, chance=chance)
    return enter(moved, "open", policy, cause, at=at, open_until=until)


def fail_probe(moved: Moved, policy: BreakerPolicy, *, now: float, chance: float) -> Moved:
    """Open again because a probe failed, for longer than before."""
    breaker = replace(moved.breaker, failed_probes=moved.breaker.failed_probes + 1)
    return reopen(Moved(breaker, moved.moves), policy, "probe_failed", at=now, chance=chance)


def enter(
    moved: Moved,
    state: State,
    policy: BreakerPolicy,
    cause: Cause,
    *,
    at: float,
    open_until: float | None = None,
    window: Window | None = None,
    override: Override | None = None,
    actor: str | None = None,
    reason: str | None = None,
) -> Moved:
    """Begin an epoch in a state; the permits of the one before are worth nothing from now on."""
    before = moved.breaker
    tally = before.window.tally(policy, now=at)
    after = replace(
        before,
        state=state,
        cause=cause,
        epoch=before.epoch + 1,
        since=at,
        open_until=open_until,
        successes=0,
        permits={},
        window=before.window if window is None else window,
        override=override,
    )
    move = Transition(
        name=before.name,
        before=before.state,
        after=state,
        cause=cause,
        at=moment(at),
        epoch=after.epoch,
        failures=tally.failed,
        calls=tally.calls,
        slow=tally.slow + len(overdue(before, policy, now=at)),
        actor=actor,
        reason=reason,
    )
    return Moved(after, (*moved.moves, move))


def _expire_override(breaker: Breaker, policy: BreakerPolicy, *, now: float) -> Moved:
    held = breaker.override
    if held is None or held.expires_at is None or held.expires_at > now:
        return Moved(breaker)
    at = held.expires_at
    if held.action == "open":
        # Still open, and due for a probe: whoever was kept away does not come back all at once.
        return enter(Moved(breaker), "open", policy, "override_expired", at=at, open_until=at)
    return enter(Moved(breaker), "closed", policy, "override_expired", at=at)


def _lose_permits(moved: Moved, policy: BreakerPolicy, *, now: float, chance: float) -> Moved:
    breaker = moved.breaker
    if not breaker.permits or next(iter(breaker.permits.values())) > now:
        return moved
    lost = [permit_id for permit_id, deadline in breaker.permits.items() if deadline <= now]
    held = {permit_id: deadline for permit_id, deadline in breaker.permits.items() if deadline > now}
    breaker = replace(breaker, permits=held)
    if policy.lost == "ignored" or not counts(breaker):
        return Moved(breaker, moved.moves)
    tally = Tally(calls=len(lost), failed=len(lost), failed_by=Counter(map(instance_of, lost)))
    breaker = replace(breaker, window=breaker.window.add(tally, policy, now=now), last_failure_at=now)
    moved = Moved(breaker, moved.moves)
    if breaker.state == "half_open":
        return fail_probe(moved, policy, now=now, chance=chance)
    return trip(moved, policy, now=now, chance=chance)


def counts(breaker: Breaker) -> bool:
    """Tell whether what comes of calls is counted; a breaker that somebody closed counts nothing."""
    return breaker.override is None or breaker.override.action != "close"
