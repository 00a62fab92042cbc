"""
What a process is doing when it dies.

Each scenario is one booking, its own event type and host at the sandbox, and the faults
that Cal.com is to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    A booking and its troubles.

    `faults` are one-shots for the sandbox. `stranger` holds the slot at Cal.com, and
    `walk_in` takes the member of staff in the local database once Cal.com has answered.
    One that `moves` is rescheduled once it is booked. A `composite` is several services in a row.
    """

    name: str
    faults: tuple[Mapping[str, object], ...] = ()
    stranger: bool = False
    walk_in: bool = False
    cancels: Literal["no", "at_once", "afterwards"] = "no"
    moves: bool = False
    composite: bool = False
    ends: frozenset[str] = field(default_factory=lambda: frozenset({"booked"}))


SCENARIOS: Final = (
    Scenario(name="undisturbed"),
    Scenario(name="error_after_commit", faults=({"kind": "error_after_commit", "operation": "create"},)),
    Scenario(name="late_commit", faults=({"kind": "late_commit", "operation": "create", "seconds": 0.3},)),
    Scenario(name="lost_request", faults=({"kind": "drop_before_commit", "operation": "create"},)),
    Scenario(
        name="slow_list",
        faults=(
            {"kind": "drop_after_commit", "operation": "create"},
            {"kind": "error_before_commit", "operation": "list"},
        ),
    ),
    Scenario(name="slot_taken", stranger=True, ends=frozenset({"failed"})),
    Scenario(name="walk_in", walk_in=True, ends=frozenset({"failed", "booked"})),
    Scenario(
        name="walk_in_cancel_fails",
        walk_in=True,
        faults=({"kind": "error_after_commit", "operation": "cancel"},),
        ends=frozenset({"failed", "booked"}),
    ),
    Scenario(name="cancelled", cancels="afterwards", ends=frozenset({"cancelled"})),
    Scenario(
        name="cancelled_in_doubt",
        cancels="at_once",
        faults=({"kind": "drop_after_commit", "operation": "create"},),
        ends=frozenset({"cancelled"}),
    ),
    Scenario(name="moved", moves=True),
    Scenario(name="composite", composite=True),
    Scenario(name="composite_refused", composite=True, walk_in=True, ends=frozenset({"failed", "booked"})),
    Scenario(name="composite_cancelled", composite=True, cancels="afterwards", ends=frozenset({"cancelled"})),
    Scenario(name="moved_in_doubt", moves=True, faults=({"kind": "drop_after_commit", "operation": "reschedule"},)),
)
