"""
The figures of each circuit breaker, as they are set: JSON, by the breaker's name, with the fields of `BreakerPolicy`.

    CALSAGA_CIRCUITS='{"calcom": {"failure_threshold": 10, "open_seconds": 30}}'
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeAlias

from adapters import figures
from domain.breaker_policy import BreakerPolicy

CALLERS = ("retell", "email", "sms")
"""What calsaga itself does not call, but callers' own code may, through a breaker."""
SHARED = ("calcom", *CALLERS)
"""What is called through a breaker that all processes share, if there is a Redis."""
NAMES = (*SHARED, "database", "webhooks", "appointments")
"""All breakers that have figures and obey commands; those that are not shared are each process's own."""
MARGIN = 5.0
"""Seconds by which a permit outlasts the longest call."""

# A process calls the database so often that a minute of good calls would hide its death for half a minute; and whether
# it is well again is found out by a call that costs next to nothing.
_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "database": {"window_seconds": 10.0, "buckets": 10, "open_seconds": 1.0, "open_cap_seconds": 5.0}
}

Given: TypeAlias = Mapping[str, figures.Figures]
_FIELDS = {field.name: type(field.default) for field in fields(BreakerPolicy)}
_KINDS = {int: "a whole number", float: "a number", str: "a word"}


def checked(given: object) -> Given:
    """Return what is set, text being JSON, or raise ValueError with the breaker and the figure that is wrong."""
    example = '{"calcom": {"failure_threshold": 10}}'
    return figures.checked(given, kind="breaker", known=NAMES, check=_policy, example=example)


def of(given: Given, *, longest_calls: Mapping[str, float]) -> Mapping[str, BreakerPolicy]:
    """Return the policies; a permit is held for longer than the longest call (seconds) unless its time is set."""
    return {name: _policy(name, given.get(name, {}), longest_call=longest_calls.get(name, 0.0)) for name in NAMES}


def _policy(breaker: str, given: Mapping[str, object], *, longest_call: float = 0) -> BreakerPolicy:
    chosen = {**_DEFAULTS.get(breaker, {}), **given}
    typed: dict[str, Any] = {name: _typed(name, value) for name, value in chosen.items()}
    slow = typed.get("slow_seconds", BreakerPolicy().slow_seconds)
    return BreakerPolicy(**{"lease_seconds": max(longest_call, slow) + MARGIN, **typed})


def _typed(name: str, value: object) -> object:
    kind = _FIELDS.get(name)
    if kind is None:
        msg = f"{name} is no figure of a breaker; there are {', '.join(_FIELDS)}"
        raise ValueError(msg)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        msg = f"{name} must be {_KINDS[kind]}"
        raise ValueError(msg)
    return value
