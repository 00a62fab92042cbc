"""
What goes wrong, how often, and with which calls: the profile of faults and the seeded choice among them.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from random import Random
from typing import Any

from adapters.sandbox.errors import Shape

OPERATIONS = ("create", "get", "list", "cancel", "reschedule", "slots", "event_types", "event_type", "me")
_BOOKING_OPERATIONS = frozenset(("create", "get", "list", "cancel", "reschedule"))
_WRITES = frozenset(("create", "cancel", "reschedule"))


class Kind(StrEnum):
    """
    Name the faults.
    """

    LATE_COMMIT = "late_commit"
    LATE_COMMIT_TIMEOUT = "late_commit_timeout"
    ERROR_BEFORE_COMMIT = "error_before_commit"
    ERROR_AFTER_COMMIT = "error_after_commit"
    DROP_BEFORE_COMMIT = "drop_before_commit"
    DROP_AFTER_COMMIT = "drop_after_commit"
    DELAY = "delay"
    HTML_502 = "html_502"
    RATE_LIMITED = "rate_limited"
    UNREADABLE_2XX = "unreadable_2xx"
    UNAUTHORIZED = "unauthorized"
    LIST_LAG = "list_lag"
    RACE = "race"


class Moment(StrEnum):
    """
    Say on which side of the commit a delay is.
    """

    BEFORE = "before"
    AFTER = "after"


_OPERATIONS_OF = {
    Kind.LATE_COMMIT: _WRITES,
    Kind.LATE_COMMIT_TIMEOUT: _WRITES,
    Kind.LIST_LAG: frozenset(("create", "reschedule", "list")),
    Kind.RACE: _WRITES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """
    What a fault can be matched with.
    """

    operation: str
    event_type_id: int | None = None
    attendee_email: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """
    Narrow a fault down to some calls; an empty match is all of them.
    """

    event_type_id: int | None = None
    attendee_email: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def covers(self, call: CallFacts) -> bool:
        return (
            self.event_type_id in {None, call.event_type_id}
            and self.attendee_email in {"", call.attendee_email}
            and all(call.metadata.get(key) == value for key, value in self.metadata.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One knob of the sandbox.

    ``seconds`` is the delay, the lag, or the time until a late commit; ``hold_seconds`` is how long a
    ``late_commit_timeout`` keeps the connection open; ``shape`` belongs to errors and ``commit`` to ``html_502``.
    """

    kind: Kind
    operation: str | None = None
    probability: float = 1.0
    seconds: float = 1.0
    hold_seconds: float = 60.0
    shape: Shape = Shape.ENVELOPE
    commit: bool = False
    moment: Moment = Moment.BEFORE
    match: Match = field(default_factory=Match)

    def __post_init__(self) -> None:
        if self.operation not in {None, *OPERATIONS}:
            message = f"operation of a fault must be one of {', '.join(OPERATIONS)}, not {self.operation!r}"
            raise ValueError(message)
        if self.operation is not None and self.operation not in _OPERATIONS_OF.get(self.kind, OPERATIONS):
            message = f"{self.kind} does not go with the operation {self.operation}"
            raise ValueError(message)
        if not 0 <= self.probability <= 1:
            message = f"probability must be between 0 and 1, not {self.probability}"
            raise ValueError(message)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Fault":
        """
        Read a fault.

        Raises:
            ValueError: a field is unknown or has a bad value.
        """
        _refuse_unknown(document, cls)
        if "kind" not in document:
            message = "a fault needs a kind"
            raise ValueError(message)
        values = dict(document)
        for name, enum in (("kind", Kind), ("shape", Shape), ("moment", Moment)):
            if name in values:
                values[name] = enum(values[name])
        if "match" in values:
            _refuse_unknown(values["match"], Match)
            values["match"] = Match(**values["match"])
        return cls(**values)

    def covers(self, call: CallFacts) -> bool:
        """
        Return whether the fault may befall a call.
        """
        if self.operation is not None:
            suits = self.operation == call.operation
        else:
            suits = call.operation in _OPERATIONS_OF.get(self.kind, _BOOKING_OPERATIONS)
        return suits and self.match.covers(call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """
    All knobs and the seed of their dice.
    """

    seed: int = 0
    faults: tuple[Fault, ...] = ()

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Profile":
        """
        Read a profile.

        Raises:
            ValueError: a field is unknown or has a bad value.
        """
        _refuse_unknown(document, cls)
        return cls(seed=document.get("seed", 0), faults=tuple(map(Fault.from_json, document.get("faults", ()))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """
    What befalls one call: at most one fault of the answer, and beside it at most one lag of the list.
    """

    fault: Fault | None = None
    lag: Fault | None = None


class FaultPlan:
    """
    Choose the faults of each call: what was queued comes first, then the dice of the profile.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._random = Random(profile.seed)  # noqa: S311 - dice, not secrets
        self._queued: deque[Fault] = deque()

    def push(self, fault: Fault, *, times: int = 1) -> None:
        """
        Queue a fault for the next calls that it covers.
        """
        self._queued.extend([fault] * times)

    @property
    def queued(self) -> int:
        return len(self._queued)

    def choose(self, call: CallFacts) -> Chosen:
        """
        Return what befalls a call.
        """
        if not self._queued and not self.profile.faults:
            return Chosen()
        return Chosen(fault=self._next(call, lags=False), lag=self._next(call, lags=True))

    def _next(self, call: CallFacts, *, lags: bool) -> Fault | None:
        for position, fault in enumerate(self._queued):
            if (fault.kind is Kind.LIST_LAG) is lags and fault.covers(call):
                del self._queued[position]
                return fault
        fired = [
            fault
            for fault in self.profile.faults
            if (fault.kind is Kind.LIST_LAG) is lags
            and fault.covers(call)
            and self._random.random() < fault.probability
        ]
        return self._random.choice(fired) if fired else None


def _refuse_unknown(document: Mapping[str, Any], cls: type) -> None:
    if unknown := document.keys() - {known.name for known in fields(cls)}:
        message = f"unknown fields of a {cls.__name__.lower()}: {sorted(unknown)}"
        raise ValueError(message)
