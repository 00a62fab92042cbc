"""The forms of the answers about circuit breakers, for `/openapi.json`."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class BreakerOverride(BaseModel):
    """What a person has made of a breaker, and until when; null: until the next command."""

    action: Literal["open", "close", "observe"]
    actor: str
    reason: str
    expires_at: datetime | None


class BreakerMove(BaseModel):
    """One transition of a breaker, with what its window held then."""

    name: str
    before: Literal["closed", "open", "half_open"]
    after: Literal["closed", "open", "half_open"]
    cause: str
    at: datetime
    epoch: int
    failures: int
    calls: int
    actor: str | None
    reason: str | None


class BreakerState(BaseModel):
    """
    How a breaker stands; failures, successes and slow calls are those in its window.

    `half_open_quota` is how many probes more would be let through, `would_open` what would open it if nobody held it
    closed, `recent` its last transitions. With `shared` false the process that answers speaks for itself alone.
    """

    state: Literal["closed", "open", "half_open"]
    since: datetime | None
    open_until: datetime | None
    failures: int
    successes: int
    slow: int
    under_way: int
    last_failure: datetime | None
    half_open_quota: int
    failed_probes: int
    would_open: Literal["failures", "failure_rate", "slow_calls"] | None
    override: BreakerOverride | None
    recent: list[BreakerMove]
    operations: dict[str, dict[str, int]]
    shared: bool


class BreakerStates(BaseModel):
    """Every breaker, by the service that it stands before."""

    services: dict[str, BreakerState]
