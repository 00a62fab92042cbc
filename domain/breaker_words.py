"""What a circuit breaker is told, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from domain.text import text_problem

State: TypeAlias = Literal["closed", "open", "half_open"]
Outcome: TypeAlias = Literal["succeeded", "failed", "ignored"]
"""What came of a call; *ignored* says nothing about the far side: the caller left, or the request was wrong."""
Trigger: TypeAlias = Literal["failures", "failure_rate", "slow_calls"]
"""What opens a closed breaker."""
Cause: TypeAlias = (
    Trigger
    | Literal[
        "probe_due",
        "probe_failed",
        "probes_succeeded",
        "no_verdict",
        "manual",
        "override_expired",
        "restored",
        "suspected",
    ]
)
"""Why it moved. *suspected*: it was not closed when it was last heard of, by whoever has lost it since."""
RECENT = 20
"""How many transitions of a breaker are remembered."""
LONGEST_REASON: Final = 500
LONGEST_OVERRIDE: Final = 366 * 24 * 3600
Action: TypeAlias = Literal["open", "close", "observe", "reset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """
    Leave to call, until the lease is over.

    `epoch` is the fence: what comes of the call counts only while the breaker has not moved
    since. `shared` says whose permit it is: the fleet's, or this process's alone.
    """

    name: str
    id: str
    epoch: int
    operation: str = "call"
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """
    No call now. Ask again after `retry_after` seconds; None while nobody can say.

    `reason`: it is *open*; it is *half_open*, and its probes are under way; somebody opened it (*manual*).
    """

    name: str
    reason: Literal["open", "half_open", "manual"]
    retry_after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """
    What a person wants of a breaker, for `seconds`, or, with None, until the next command.

    *open*: let nothing through; when the time is over, probes decide. *close*: let everything
    through and count nothing. *observe*: let everything through and count it. *reset*: closed, with an
    empty window, and by itself again; takes no time.
    """

    action: Action
    actor: str
    reason: str
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody could answer for later."""
        if not self.actor.strip():
            raise ValueError("actor must not be empty")
        problem = text_problem(self.reason, at_most=LONGEST_REASON)
        if problem is not None:
            raise ValueError(f"reason {problem}")
        if self.seconds is None:
            return
        if self.action == "reset":
            raise ValueError("seconds must not be given for a reset, which does not end")
        if not 0 < self.seconds <= LONGEST_OVERRIDE:
            raise ValueError(f"seconds must be above 0, and at most {LONGEST_OVERRIDE}, a year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A command that holds."""

    action: Literal["open", "close", "observe"]
    actor: str
    reason: str
    expires_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commanded:
    """
    A command as it was given, `at` an instant of the clock of whoever stores the breaker; no two have the same.

    By that instant it can be put back where it was lost, and never takes the place of a later one.
    """

    action: Action
    actor: str
    reason: str
    at: datetime
    expires_at: datetime | None

    def held_at(self, now: float) -> Override | None:
        """Return what holds of it at an instant, in seconds since 1970; of a reset, nothing does."""
        until = None if self.expires_at is None else self.expires_at.timestamp()
        if self.action == "reset" or (until is not None and until <= now):
            return None
        return Override(action=self.action, actor=self.actor, reason=self.reason, expires_at=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """
    That a breaker has moved, with what its window held at that moment.

    `slow` are the slow calls of the window and those under way that were slow already, which are not among `calls`;
    None if nobody counted them. Actor and reason are a person's. A manual move may end in the state that it began in.
    """

    name: str
    before: State
    after: State
    cause: Cause
    at: datetime
    epoch: int
    failures: int
    calls: int
    slow: int | None = None
    actor: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    How a breaker stands.

    Failures, successes and slow calls are those in the window, probes included. `half_open_quota` is how many more
    probes would be let through now; `would_open` is what would open it if nobody held it closed.
    `operations` counts, by the name of the operation, what came of its calls, and those that were refused, for ever.
    `recent` are the last transitions, the oldest first. Each has an epoch of its own, so that whoever keeps them sees
    which one is missing because the process that was to tell of it died. `commanded` is the last command, also one that
    holds no more. `shared` is false when this process speaks for itself alone.
    """

    name: str
    state: State
    since: datetime | None
    failures: int
    successes: int
    slow: int
    under_way: int
    half_open_quota: int
    last_failure_at: datetime | None
    open_until: datetime | None
    failed_probes: int
    epoch: int
    override: Override | None
    would_open: Trigger | None
    operations: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    recent: tuple[Transition, ...] = ()
    commanded: Commanded | None = None
    shared: bool = False

    @property
    def is_used(self) -> bool:
        """Tell whether anybody has ever asked it for leave to call; to command it is not to use it."""
        return self.under_way > 0 or bool(self.operations)
