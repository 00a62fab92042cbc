"""
A circuit breaker as a pure state machine: what it was, what is asked and the time go in, what it is and says comes out.

    step = acquire(breaker, policy, now=now, permit_id=permit_id_of(instance, random, settles=False), chance=random)
    if isinstance(step.answer, Permit):
        ...  # call, then:
        step = record(step.breaker, policy, permit=step.answer, outcome="succeeded", now=now, chance=random)

`now` is in seconds since 1970, on the one clock of whoever stores the breaker. `chance`, from 0 to 1, becomes jitter.
What is due by time alone happens first, whatever is asked. `adapters/redis/breaker.lua` says the same in Lua, and
`tests/breakers` holds both against a third telling.
"""

from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from domain.breaker_moves import Moved, counts, enter, fail_probe, settle, trigger, trip
from domain.breaker_policy import BreakerPolicy
from domain.breaker_state import Breaker, instance_of, is_settling, is_slow, moment, quota_left, reserve_left
from domain.breaker_window import EMPTY, NONE, WELL, Tally
from domain.breaker_words import Cause, Command, Commanded, Outcome, Override, Permit, Refusal, Snapshot, Transition
from domain.replacing import replace

A = TypeVar("A")


class Step(NamedTuple, Generic[A]):
    """A breaker after it was asked, the transitions on the way there, and its answer."""

    breaker: Breaker
    moves: tuple[Transition, ...]
    answer: A


def acquire(
    breaker: Breaker,
    policy: BreakerPolicy,
    *,
    now: float,
    permit_id: str,
    chance: float,
    operation: str = "call",
    probe: bool = True,
) -> Step[Permit | Refusal]:
    """
    Ask for leave to call.

    A call that must not be the first to try whether the far side is well again (one that changes something there)
    comes with `probe=False`: it is let through a closed breaker alone. A call that settles what was begun before (a
    look, a compensation) is let through a half-open one, too, beside the probes: its `permit_id` says so
    (`permit_id_of`).
    """
    moved = settle(breaker, policy, now=now, chance=chance)
    if probe and _is_due(moved.breaker, now=now):
        moved = enter(moved, "half_open", policy, "probe_due", at=now)
    breaker = moved.breaker
    settles = is_settling(permit_id)
    refusal = _refusal(breaker, policy, now=now, probe=probe, settles=settles)
    if refusal is not None:
        return Step(breaker, moved.moves, answer=refusal)
    held = replace(breaker, permits={**breaker.permits, permit_id: now + policy.lease_seconds})
    permit = Permit(name=breaker.name, id=permit_id, epoch=breaker.epoch, operation=operation)
    return Step(held, moved.moves, answer=permit)


def record(
    breaker: Breaker, policy: BreakerPolicy, *, permit: Permit, outcome: Outcome, now: float, chance: float
) -> Step[bool]:
    """Give a permit back, and say what came of the call; the answer is whether epoch and lease still held."""
    moved = settle(breaker, policy, now=now, chance=chance)
    breaker = moved.breaker
    deadline = breaker.permits.get(permit.id)
    if deadline is None or permit.epoch != breaker.epoch:
        return Step(breaker, moved.moves, answer=False)
    held = dict(breaker.permits)
    del held[permit.id]
    moved = Moved(replace(breaker, permits=held), moved.moves)
    if outcome != "ignored" and counts(breaker):
        failed, slow = outcome == "failed", is_slow(deadline, policy, now=now)
        moved = _count(moved, policy, permit.id, failed=failed, slow=slow, now=now, chance=chance)
    return Step(moved.breaker, moved.moves, answer=True)


def control(breaker: Breaker, policy: BreakerPolicy, command: Command, *, now: float, chance: float) -> Step[None]:
    """Do what a person wants; what was under way before counts no more."""
    moved = settle(breaker, policy, now=now, chance=chance)
    expires_at = None if command.seconds is None else now + command.seconds
    override: Override | None = None
    if command.action != "reset":
        override = Override(action=command.action, actor=command.actor, reason=command.reason, expires_at=expires_at)
    commanded = Commanded(
        action=command.action,
        actor=command.actor,
        reason=command.reason,
        at=_later(now, moved.breaker.commanded),
        expires_at=None if expires_at is None else moment(expires_at),
    )
    moved = _obey(_noted(moved, commanded), policy, commanded, override, "manual", now=now)
    return Step(moved.breaker, moved.moves, answer=None)


def restore(breaker: Breaker, policy: BreakerPolicy, commanded: Commanded, *, now: float, chance: float) -> Step[None]:
    """Do once more what a person wanted, if that was lost here: if the last command that is known is an earlier one."""
    moved = settle(breaker, policy, now=now, chance=chance)
    last = moved.breaker.commanded
    if last is not None and last.at >= commanded.at:
        return Step(moved.breaker, moved.moves, answer=None)
    override, held = commanded.held_at(now), moved.breaker.override
    moved = _noted(moved, commanded)
    if override is not None or held is not None:
        moved = _obey(moved, policy, commanded, override, "restored", now=now)
    return Step(moved.breaker, moved.moves, answer=None)


def suspect(breaker: Breaker, policy: BreakerPolicy, *, epoch: int, now: float, chance: float) -> Step[None]:
    """Open a closed one, due for a probe, if somebody knows that it was not closed in a later `epoch`."""
    moved = settle(breaker, policy, now=now, chance=chance)
    if moved.breaker.state == "closed" and moved.breaker.override is None and moved.breaker.epoch < epoch:
        # Epochs go on from there, so that nobody takes what follows for what was lost.
        there = Moved(replace(moved.breaker, epoch=epoch), moved.moves)
        moved = enter(there, "open", policy, "suspected", at=now, open_until=now)
    return Step(moved.breaker, moved.moves, answer=None)


def look(breaker: Breaker, policy: BreakerPolicy, *, now: float, chance: float) -> Step[Snapshot]:
    """Return how it stands, after what is due by time alone."""
    moved = settle(breaker, policy, now=now, chance=chance)
    breaker = moved.breaker
    tally = breaker.window.tally(policy, now=now)
    snapshot = Snapshot(
        name=breaker.name,
        state=breaker.state,
        since=moment(breaker.since) if breaker.epoch else None,
        failures=tally.failed,
        successes=tally.calls - tally.failed,
        slow=tally.slow,
        under_way=len(breaker.permits),
        half_open_quota=quota_left(breaker, policy) if breaker.state == "half_open" else policy.half_open_quota,
        last_failure_at=None if breaker.last_failure_at is None else moment(breaker.last_failure_at),
        open_until=None if breaker.open_until is None else moment(breaker.open_until),
        failed_probes=breaker.failed_probes,
        epoch=breaker.epoch,
        override=breaker.override,
        would_open=trigger(breaker, policy, now=now) if breaker.state == "closed" else None,
        commanded=breaker.commanded,
    )
    return Step(breaker, moved.moves, answer=snapshot)


def _later(now: float, last: Commanded | None) -> datetime:
    at = moment(now)
    return at if last is None else max(at, last.at + timedelta(milliseconds=1))


def _noted(moved: Moved, commanded: Commanded) -> Moved:
    return Moved(replace(moved.breaker, commanded=commanded), moved.moves)


def _obey(
    moved: Moved, policy: BreakerPolicy, commanded: Commanded, override: Override | None, cause: Cause, *, now: float
) -> Moved:
    """Begin an epoch with what a command holds; if it holds nothing, the breaker is by itself again."""
    if override is None:
        moved = Moved(replace(moved.breaker, failed_probes=0), moved.moves)
    opens = override is not None and override.action == "open"
    observes = override is not None and override.action == "observe"
    keeps_window = opens or (observes and moved.breaker.state == "closed")
    return enter(
        moved,
        "open" if opens else "closed",
        policy,
        cause,
        at=now,
        open_until=override.expires_at if override is not None and opens else None,
        window=None if keeps_window else EMPTY,
        override=override,
        actor=commanded.actor,
        reason=commanded.reason,
    )


def _count(
    moved: Moved, policy: BreakerPolicy, permit_id: str, *, failed: bool, slow: bool, now: float, chance: float
) -> Moved:
    breaker = moved.breaker
    tally = _tally(instance_of(permit_id), failed=failed, slow=slow) if failed or slow else WELL
    window = breaker.window.add(tally, policy, now=now)
    last_failure_at = now if failed else breaker.last_failure_at
    moved = Moved(replace(breaker, window=window, last_failure_at=last_failure_at), moved.moves)
    if breaker.state == "half_open":
        settles = is_settling(permit_id)
        return _judge_probe(moved, policy, failed=failed or slow, settles=settles, now=now, chance=chance)
    return trip(moved, policy, now=now, chance=chance)


def _tally(instance: str, *, failed: bool, slow: bool) -> Tally:
    by = {instance: 1}
    return Tally(
        calls=1, failed=int(failed), slow=int(slow), failed_by=by if failed else NONE, slow_by=by if slow else NONE
    )


def _judge_probe(
    moved: Moved, policy: BreakerPolicy, *, failed: bool, settles: bool, now: float, chance: float
) -> Moved:
    if failed:
        return fail_probe(moved, policy, now=now, chance=chance)
    if settles:
        # Whether it closes is for the probes to say: else a crowd of these would have the last word.
        return moved
    successes = moved.breaker.successes + 1
    if successes >= policy.success_threshold:
        return enter(moved, "closed", policy, "probes_succeeded", at=now, window=EMPTY)
    return Moved(replace(moved.breaker, successes=successes), moved.moves)


def _is_due(breaker: Breaker, *, now: float) -> bool:
    return breaker.state == "open" and breaker.open_until is not None and breaker.open_until <= now


def _refusal(breaker: Breaker, policy: BreakerPolicy, *, now: float, probe: bool, settles: bool) -> Refusal | None:
    match breaker.state:
        case "closed":
            return None
        case "open" if breaker.override is not None:
            wait = None if breaker.open_until is None else breaker.open_until - now
            return Refusal(name=breaker.name, reason="manual", retry_after=wait)
        case "open" if breaker.open_until is not None and breaker.open_until > now:
            return Refusal(name=breaker.name, reason="open", retry_after=breaker.open_until - now)
        case "half_open" if settles and reserve_left(breaker, policy):
            return None
        case "half_open" if probe and not settles and quota_left(breaker, policy):
            return None
        case _:
            return Refusal(name=breaker.name, reason="half_open", retry_after=_until_verdict(breaker, policy, now=now))


def _until_verdict(breaker: Breaker, policy: BreakerPolicy, *, now: float) -> float:
    """Return the seconds until a permit is free at the latest, or until a probe that begins now has ended."""
    return min(breaker.permits.values(), default=now + policy.lease_seconds) - now
