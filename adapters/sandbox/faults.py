"""
What goes wrong, how often, and with which calls and webhooks: the knobs, and a profile of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from adapters.sandbox import fault_fields as form
from adapters.sandbox.errors import Shape
from adapters.sandbox.fault_fields import check
from adapters.sandbox.webhooks import Trigger

OPERATIONS = ("create", "get", "list", "cancel", "reschedule", "slots", "event_types", "event_type", "me", "webhooks")
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
    WEBHOOK_DROP = "webhook_drop"
    WEBHOOK_TWICE = "webhook_twice"
    WEBHOOK_DELAY = "webhook_delay"
    WEBHOOK_AFTER_RESPONSE = "webhook_after_response"
    WEBHOOK_WRONG_TRIGGER = "webhook_wrong_trigger"
    WEBHOOK_BAD_SIGNATURE = "webhook_bad_signature"
    WEBHOOK_UNSIGNED = "webhook_unsigned"


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
    # No call but a delivery, so that a webhook's fault takes no part in the dice of calls.
    **{kind: frozenset(("delivery",)) for kind in Kind if kind.value.startswith("webhook_")},
}
# Cal.com is known to tell of a reschedule as of a request, and of nothing else wrongly.
_TRIGGER_OF = {Kind.WEBHOOK_WRONG_TRIGGER: Trigger.RESCHEDULED}

_FAULT = {
    "kind": form.one_of(Kind),
    "operation": form.optional(form.one_of(OPERATIONS)),
    "probability": form.number(1),
    "seconds": form.SECONDS,
    "hold_seconds": form.SECONDS,
    "shape": form.one_of(Shape),
    "commit": form.TRUTH,
    "moment": form.one_of(Moment),
    "match": form.OBJECT,
}
_MATCH = {
    "event_type_id": form.optional(form.WHOLE),
    "attendee_email": form.TEXT,
    "metadata": form.OBJECT,
    "trigger": form.TEXT,
}
_PROFILE = {"seed": form.WHOLE, "faults": form.LIST}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """
    What a fault can be matched with.
    """

    operation: str
    event_type_id: int | None = None
    attendee_email: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    trigger: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """
    Narrow a fault down to some calls, or webhooks; an empty match is all of them.
    """

    event_type_id: int | None = None
    attendee_email: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    trigger: str = ""

    def covers(self, call: CallFacts) -> bool:
        return (
            self.event_type_id in {None, call.event_type_id}
            and self.attendee_email in {"", call.attendee_email}
            and self.trigger in {"", call.trigger}
            and all(call.metadata.get(key) == value for key, value in self.metadata.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One knob of the sandbox.

    ``seconds`` is the delay, the lag, or the time until a late commit or a second delivery; ``hold_seconds`` is how
    long a ``late_commit_timeout`` keeps the connection open; ``shape`` belongs to errors and ``commit`` to
    ``html_502``. The faults of webhooks have no operation; ``match`` narrows them down, also by ``trigger``.
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
        if self.match.trigger not in {"", *Trigger}:
            message = f"trigger must be one of {', '.join(Trigger)}, not {self.match.trigger!r}"
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
        check(document, _FAULT, of="fault")
        if "kind" not in document:
            message = "a fault needs a kind"
            raise ValueError(message)
        values = dict(document)
        for name, enum in (("kind", Kind), ("shape", Shape), ("moment", Moment)):
            if name in values:
                values[name] = enum(values[name])
        if "match" in values:
            check(values["match"], _MATCH, of="match")
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
        return suits and _TRIGGER_OF.get(self.kind, call.trigger) == call.trigger and self.match.covers(call)


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
        check(document, _PROFILE, of="profile")
        return cls(seed=document.get("seed", 0), faults=tuple(map(Fault.from_json, document.get("faults", ()))))
