"""
How each service is probed, as it is set: JSON, by the service, with the fields of `ProbePolicy`.

    CALSAGA_HEALTH_PROBES='{"calcom": {"interval_seconds": 60}}'
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TypeAlias

from adapters import figures
from domain.health import SERVICES, ProbePolicy

SHORTEST_SECONDS, LONGEST_SECONDS = 5.0, 60.0
"""Between which an interval has to be."""
SLOW_SHARE = 0.5
"""Of the time limit: what takes longer is slow, unless that is set, too."""

_SELDOM = ProbePolicy(interval_seconds=30, limit_seconds=5, slow_seconds=2.5)
DEFAULTS: Mapping[str, ProbePolicy] = dict.fromkeys(SERVICES, _SELDOM) | {
    "database": ProbePolicy(interval_seconds=10, limit_seconds=3, slow_seconds=1.5),
    "redis": ProbePolicy(interval_seconds=10, limit_seconds=2, slow_seconds=1),
}

Given: TypeAlias = Mapping[str, figures.Figures]
_FIELDS = tuple(field.name for field in fields(ProbePolicy))


def checked(given: object) -> Given:
    """Return what is set, text being JSON, or raise ValueError with the service and the figure that is wrong."""
    example = '{"calcom": {"interval_seconds": 60}}'
    return figures.checked(given, kind="service", known=SERVICES, check=_check, example=example)


def of(given: Given) -> Mapping[str, ProbePolicy]:
    """Return how each service is probed."""
    return {service: _policy(service, given.get(service, {})) for service in SERVICES}


def _check(service: str, given: figures.Figures) -> None:
    for name, value in given.items():
        if name not in _FIELDS:
            msg = f"{name} is no figure of a probe; there are {', '.join(_FIELDS)}"
            raise ValueError(msg)
        if isinstance(value, bool) or not isinstance(value, int | float):
            msg = f"{name} must be a number"
            raise ValueError(msg)  # noqa: TRY004 - pydantic wants it for what is set
    policy = _policy(service, given)
    if not SHORTEST_SECONDS <= policy.interval_seconds <= LONGEST_SECONDS:
        msg = f"interval_seconds must be from {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g}"
        raise ValueError(msg)


def _policy(service: str, given: figures.Figures) -> ProbePolicy:
    wanted = {**asdict(DEFAULTS[service]), **given}
    if "limit_seconds" in given and "slow_seconds" not in given:
        wanted["slow_seconds"] = wanted["limit_seconds"] * SLOW_SHARE
    return ProbePolicy(**wanted)
