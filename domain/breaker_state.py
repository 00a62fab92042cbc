"""What is kept of a circuit breaker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from domain.breaker_policy import BreakerPolicy
from domain.breaker_window import EMPTY, Window
from domain.breaker_words import Cause, Commanded, Override, State

SETTLES = "+"
"""The end of the id of a permit that settles something."""


# Without slots, so that `replace` is cheap: a breaker is copied twice for every call.
@dataclass(frozen=True, kw_only=True)
class Breaker:
    """
    One breaker, all times in seconds since 1970.

    `permits` are those of this epoch that are out, with the end of their lease, the oldest first. `cause` is what began
    this epoch. `open_until` is None while it is open until somebody says otherwise. `failed_probes` counts those in a
    row, and those whose success did not last; `successes` are the probes of this epoch that succeeded. `commanded` is
    the last command, whether it still holds (`override`) or not.
    """

    name: str
    state: State = "closed"
    cause: Cause | None = None
    epoch: int = 0
    since: float = 0.0
    open_until: float | None = None
    successes: int = 0
    failed_probes: int = 0
    last_failure_at: float | None = None
    permits: Mapping[str, float] = field(default_factory=dict)
    window: Window = EMPTY
    override: Override | None = None
    commanded: Commanded | None = None


def overdue(breaker: Breaker, policy: BreakerPolicy, *, now: float) -> list[str]:
    """Return the permits of calls that are under way and slow already."""
    # The oldest come first, so that this costs nothing while there are none.
    found: list[str] = []
    for permit_id, deadline in breaker.permits.items():
        if not is_slow(deadline, policy, now=now):
            break
        found.append(permit_id)
    return found


def is_slow(deadline: float, policy: BreakerPolicy, *, now: float) -> bool:
    """Tell whether the call of a permit that is held until `deadline` takes, or took until now, too long."""
    return now - (deadline - policy.lease_seconds) > policy.slow_seconds


def quota_left(breaker: Breaker, policy: BreakerPolicy) -> int:
    """Return how many more probes may be let through in a half-open epoch."""
    probes = len(breaker.permits) - _settling(breaker)
    return max(policy.half_open_quota - probes - breaker.successes, 0)


def reserve_left(breaker: Breaker, policy: BreakerPolicy) -> int:
    """Return how many more calls that settle something may be let through a half-open breaker now."""
    return max(policy.half_open_reserve - _settling(breaker), 0)


def permit_id_of(instance: str, token: str, *, settles: bool) -> str:
    """Return the id of a permit: whose it is, a token that was never used before, and what it is for."""
    return f"{instance}/{token}{SETTLES if settles else ''}"


def instance_of(permit_id: str) -> str:
    """Return who holds a permit: what stands before the last slash."""
    return permit_id.rpartition("/")[0]


def is_settling(permit_id: str) -> bool:
    """Tell whether a permit is one of those that settle what was begun before."""
    return permit_id.endswith(SETTLES)


def _settling(breaker: Breaker) -> int:
    return sum(map(is_settling, breaker.permits))


def moment(seconds: float) -> datetime:
    """Return an instant as everybody else writes it."""
    return datetime.fromtimestamp(seconds, UTC)
