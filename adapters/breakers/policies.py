"""
The figures of each circuit breaker, as they are set: JSON, by the breaker's name, with the fields of `BreakerPolicy`.

    CALSAGA_CIRCUITS='{"calcom": {"failure_threshold": 10, "open_seconds": 30}}'
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeAlias

import orjson

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

Given: TypeAlias = Mapping[str, Mapping[str, object]]
_FIELDS = {field.name: type(field.default) for field in fields(BreakerPolicy)}
_KINDS = {int: "a whole number", float: "a number", str: "a word"}


def checked(given: object) -> Given:
    """Return what is set, text being JSON, or raise ValueError with the breaker and the figure that is wrong."""
    figures_of = _read(given)
    for name, figures in figures_of.items():
        if name not in NAMES:
            msg = f"there is no breaker {name!r}; there are {', '.join(NAMES)}"
            raise ValueError(msg)
        try:
            _policy(name, figures, longest_call=0)
        except ValueError as error:
            msg = f"{name}.{error}"
            raise ValueError(msg) from error
    return figures_of


def of(given: Given, *, longest_calls: Mapping[str, float]) -> Mapping[str, BreakerPolicy]:
    """Return the policies; a permit is held for longer than the longest call (seconds) unless its time is set."""
    return {name: _policy(name, given.get(name, {}), longest_call=longest_calls.get(name, 0.0)) for name in NAMES}


def _read(given: object) -> Given:
    try:
        found = orjson.loads(given) if isinstance(given, str) else given
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, Mapping) or not all(isinstance(figures, Mapping) for figures in found.values()):
        raise ValueError('must be JSON such as {"calcom": {"failure_threshold": 10}}')
    return found


def _policy(breaker: str, figures: Mapping[str, object], *, longest_call: float) -> BreakerPolicy:
    chosen = {**_DEFAULTS.get(breaker, {}), **figures}
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
