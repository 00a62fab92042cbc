"""What `breaker.lua` is given and gives back: JSON, and milliseconds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Any

import orjson

from domain.breaker_policy import BreakerPolicy
from domain.breaker_state import moment
from domain.breaker_words import RECENT, Commanded, Override, Snapshot, Transition


def policy_document(policy: BreakerPolicy) -> bytes:
    """Return a policy as the script reads it: `open_seconds` is `open`, in milliseconds."""
    document: dict[str, object] = {"recent": RECENT}
    for field in fields(policy):
        value = getattr(policy, field.name)
        if field.name.endswith("_seconds"):
            # Never nothing, however short it was meant to be.
            document[field.name.removesuffix("_seconds")] = max(round(value * 1000), 1)
        else:
            document[field.name] = value
    return orjson.dumps(document)


def read_transition(name: str, move: Mapping[str, Any]) -> Transition:
    """Return a transition that the script tells of."""
    return Transition(
        name=name,
        before=move["before"],
        after=move["after"],
        cause=move["cause"],
        at=moment(move["at"] / 1000),
        epoch=move["epoch"],
        failures=move["failures"],
        calls=move["calls"],
        slow=move.get("slow"),
        actor=move.get("actor"),
        reason=move.get("reason"),
    )


def read_snapshot(name: str, found: Mapping[str, Any]) -> Snapshot:
    """Return how the script says that a breaker stands."""
    since, last_failure, until = found["since"], found.get("last_failure_at"), found.get("open_until")
    return Snapshot(
        name=name,
        state=found["state"],
        since=moment(since / 1000) if found["epoch"] else None,
        failures=found["failures"],
        successes=found["successes"],
        slow=found["slow"],
        under_way=found["under_way"],
        half_open_quota=found["half_open_quota"],
        last_failure_at=None if last_failure is None else moment(last_failure / 1000),
        open_until=None if until is None else moment(until / 1000),
        failed_probes=found["failed_probes"],
        epoch=found["epoch"],
        override=_override(found),
        would_open=found.get("would_open"),
        operations=_operations(found["operations"]),
        recent=tuple(_transitions(name, found["recent"])),
        commanded=_commanded(found),
        shared=True,
    )


def _transitions(name: str, remembered: Sequence[str]) -> Iterator[Transition]:
    for move in remembered:
        # What makes no sense under our keys must not keep anybody away.
        with suppress(ArithmeticError, LookupError, OSError, TypeError, ValueError):
            yield read_transition(name, orjson.loads(move))


def _override(found: Mapping[str, Any]) -> Override | None:
    if "override" not in found:
        return None
    until = found.get("override_until")
    return Override(
        action=found["override"],
        actor=found["override_actor"],
        reason=found["override_reason"],
        expires_at=None if until is None else until / 1000,
    )


def commanded_document(commanded: Commanded) -> dict[str, object]:
    """Return a command that was given before as the script reads it."""
    document: dict[str, object] = {
        "action": commanded.action,
        "actor": commanded.actor,
        "reason": commanded.reason,
        "at": round(commanded.at.timestamp() * 1000),
    }
    if commanded.expires_at is not None:
        document["expires_at"] = round(commanded.expires_at.timestamp() * 1000)
    return document


def _commanded(found: Mapping[str, Any]) -> Commanded | None:
    if "commanded_at" not in found:
        return None
    until = found.get("commanded_until")
    return Commanded(
        action=found["commanded"],
        actor=found["commanded_actor"],
        reason=found["commanded_reason"],
        at=moment(found["commanded_at"] / 1000),
        expires_at=None if until is None else moment(until / 1000),
    )


def _operations(flat: Sequence[str]) -> dict[str, dict[str, int]]:
    """Read fields and values in turn; Lua's JSON writes an empty list as an empty object."""
    counted: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for field, value in zip(flat[::2], flat[1::2], strict=True) if flat else ():
        operation, _, outcome = field.rpartition(":")
        counted[operation][outcome] = int(value)
    return dict(counted)
