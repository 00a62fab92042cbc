"""The forms of what is asked and answered about circuit breakers and failures, for `/openapi.json`."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from adapters.web.fields import Fields
from domain.breaker_words import LONGEST_OVERRIDE, LONGEST_REASON
from domain.failure_detector import Judgment, Severity
from domain.verdict import ReasonCode, Status, Verdict


class BreakerOverride(BaseModel):
    """What a person has made of a breaker, and until when; null: until the next command."""

    action: Literal["open", "close", "observe"]
    actor: str
    reason: str
    expires_at: datetime | None


class BreakerMove(BaseModel):
    """One transition of a breaker, with what its window held then; `slow` has calls under way in it, too."""

    name: str
    before: Literal["closed", "open", "half_open"]
    after: Literal["closed", "open", "half_open"]
    cause: str
    at: datetime
    epoch: int
    failures: int
    calls: int
    slow: int | None
    actor: str | None
    reason: str | None


class BreakerState(BaseModel):
    """
    How a breaker stands; failures, successes and slow calls are those in its window.

    *no_breaker*: nothing calls the service, which is judged by its probe alone; see `statuses`. *not_configured*: it
    has no probe either.
    `half_open_quota` is how many probes more would be let through, `would_open` what would open it if nobody held it
    closed, `recent` its last transitions. With `shared` false the process that answers speaks for itself alone.
    """

    state: Literal["closed", "open", "half_open", "no_breaker", "not_configured"]
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


class StandingReason(BaseModel):
    """Why a service is not healthy; `way` leads, through what it needs, to the service that is unhealthy."""

    code: ReasonCode
    detail: str
    way: list[str]


class StandingCascade(BaseModel):
    """A service that is unhealthy for reasons of its own, and all that it hits."""

    root: str
    hit: list[str]


class SystemStanding(BaseModel):
    """
    The verdict, and why: `because` of the whole, `reasons` of each service that is not healthy.

    *unhealthy* is what fails itself, *affected* what needs something that does; *not_configured* is neither.
    """

    verdict: Verdict
    because: list[str]
    statuses: dict[str, Status]
    reasons: dict[str, list[StandingReason]]
    cascades: list[StandingCascade]


class BreakerStates(SystemStanding):
    """Every breaker, by the service that it stands before, what that means together, and which needs which."""

    services: dict[str, BreakerState]
    dependencies: dict[str, list[str]]


class StoodService(BaseModel):
    """How a service's breaker stood; with `shared` false, in the one process that took the snapshot."""

    state: Literal["closed", "open", "half_open"]
    since: datetime | None
    failures: int
    successes: int
    override: dict[str, Any] | None
    would_open: Literal["failures", "failure_rate", "slow_calls"] | None
    shared: bool


class StandingConcern(BaseModel):
    """What is wrong with the whole, and with no service as such."""

    verdict: Literal["degraded", "critical"]
    detail: str


class StandingSnapshot(SystemStanding):
    """How everything stood at an instant; `concerns` are missing where an older version has kept it."""

    at: datetime
    concerns: list[StandingConcern] = []
    services: dict[str, StoodService]


class SnapshotList(BaseModel):
    """The snapshots of the last minutes, the oldest first."""

    snapshots: list[StandingSnapshot]


class FailureClearing(BaseModel):
    """Who has cleared a service's failures last, when and why."""

    at: datetime
    actor: str
    reason: str


class ServiceFailures(BaseModel):
    """
    How a service has done lately. `failures_in_a_minute` is the worse of this minute and the one before.

    *low*: at most a quarter failed, or none; *medium*, degraded: more; *critical*: more than three within a minute.
    """

    status: Judgment
    severity: Severity
    requests: int
    failures: int
    rate: float
    failures_in_a_minute: int
    cleared: FailureClearing | None


class ClearedFailures(ServiceFailures):
    """How a service stands once its failures are cleared."""

    service: str


class FailureMinute(BaseModel):
    """The calls of a service in the minute from `window_start` on, and how bad that minute was by itself."""

    service: str
    window_start: datetime
    requests: int
    failures: int
    rate: float
    severity: Severity


class Failures(BaseModel):
    """How services have done lately, and the minutes asked for, the oldest first."""

    services: dict[str, ServiceFailures]
    windows: list[FailureMinute]


class BreakerEvent(BaseModel):
    """
    That a breaker has moved, and why: the `cause`; `reason` and `actor` are a person's.

    `failures`, `calls` and `slow` are what its window held then. Calls that were slow and still under way are in `slow`
    alone, which is null of transitions from before it was counted. With `shared` false it was the breaker of one
    process alone, the `instance`.
    """

    id: UUID
    service: str
    # A keyword of Python's, which no class can have as a field.
    from_: Literal["closed", "open", "half_open"] = Field(alias="from")
    to: Literal["closed", "open", "half_open"]
    cause: str
    reason: str | None
    actor: str | None
    failures: int
    calls: int
    slow: int | None
    epoch: int
    shared: bool
    instance: str | None
    at: datetime


class BreakerEventPage(BaseModel):
    """Some transitions of breakers, the newest first; `next_cursor` leads to the rest."""

    events: list[BreakerEvent]
    next_cursor: str | None


class BreakerCommandFields(Fields):
    """The body of `POST /api/resilience/breakers/{service}/open`, `close` and `observe`."""

    reason: str = Field(description=f"Why; kept with the breaker. {LONGEST_REASON} characters at most.")
    seconds: float | None = Field(
        default=None,
        description=f"For how long, {LONGEST_OVERRIDE} at most; until the next command if it is left out.",
    )


class BreakerResetFields(Fields):
    """The body of `POST /api/resilience/breakers/{service}/reset`, and of the reset of all."""

    reason: str = Field(default="reset", description=f"Why. {LONGEST_REASON} characters at most.")


class ControlledBreakers(BaseModel):
    """
    How a breaker stands after a command.

    With `shared` false that is so in the process that answers alone, since there is no Redis, or none that answers; a
    Redis that was only late has done it by then, or never will.
    """

    services: dict[str, BreakerState]


class BreakerResets(BaseModel):
    """
    What became of the reset of each breaker, and how they stand.

    `reset`: for all processes. `reset_here`: in the process that answers alone, since there is no Redis, or none
    that answers. `failed`: not at all.
    """

    results: dict[str, Literal["reset", "reset_here", "failed"]]
    services: dict[str, BreakerState]
