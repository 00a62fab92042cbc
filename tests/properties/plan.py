"""
A plan of misfortune: everything that goes wrong in one simulated run, and when.

A plan is plain data. What it does not mention works, so that every run can end well.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from tests.fakes.calcom import CancelFate, CreateFate, LookFate, MoveFate
from tests.fakes.log import DatabaseFate

WishName: TypeAlias = Literal[
    "a",
    "a again",
    "a by key",
    "a by key again",
    "near a",
    "other staff",
    "overlaps a",
    "b",
    "b without staff",
    "b of anybody",
    "b of anybody else",
    "later",
    "soon",
    "row",
    "row again",
    "row by key",
    "row by key again",
]
WISHES: tuple[WishName, ...] = (
    "a",
    "a again",
    "a by key",
    "a by key again",
    "near a",
    "other staff",
    "overlaps a",
    "b",
    "b without staff",
    "b of anybody",
    "b of anybody else",
    "later",
    "soon",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """
    Ask process `process` for a wish; the caller waits for `patience` seconds.
    """

    at: float
    wish: WishName
    process: int = 0
    patience: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """
    Ask for the cancellation of the `which`th booking there is.
    """

    at: float
    which: int
    process: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """
    Drive the `which`th booking without asking for a lease, as a stale worker does.
    """

    at: float
    which: int
    process: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AtCalcom:
    """
    Let a person do something at Cal.com to the `which`th live booking, or a stranger book.

    A `row` is a stranger's appointment that calsaga hears of right after the next booking has begun: 0 stands, 1 is no
    longer live at Cal.com, 2 cannot be looked up and is gone a little later, 3 cannot be looked up and stands. Of a
    `row elsewhere` Cal.com finds nothing, as for a key that was swapped for another account's.
    """

    at: float
    does: Literal["cancel", "move", "stranger", "forge", "stranger goes", "row", "row elsewhere"]
    which: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reschedule:
    """
    Ask for the `which`th booking to be moved by so many minutes.
    """

    at: float
    which: int
    minutes: int
    process: int = 0


_IN_A_ROW: dict[WishName, WishName] = {
    "a": "row",
    "a again": "row again",
    "a by key": "row by key",
    "a by key again": "row by key again",
}
"""Three services one after the other instead of the first of them alone."""
Action: TypeAlias = Book | Cancel | Reschedule | TakeOver | AtCalcom


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    `gates` are the moments between any two steps, counted over the whole run.

    `hints` is what the next questions for a hint are told, right or wrong; None, and after the last, what is true.
    At one of `deaths` the process is gone, at one of `pauses` one task of it stands still for so many seconds.
    """

    actions: tuple[Action, ...]
    creates: tuple[CreateFate, ...] = ()
    looks: tuple[LookFate, ...] = ()
    cancels: tuple[CancelFate, ...] = ()
    silences: tuple[bool, ...] = ()
    moves: tuple[MoveFate, ...] = ()
    traces: tuple[LookFate, ...] = ()
    webhooks: tuple[tuple[float, ...], ...] = ()
    """For each webhook when it arrives, in seconds after it is sent: never, once, or several times."""
    appends: tuple[DatabaseFate, ...] = ()
    reads: tuple[DatabaseFate, ...] = ()
    hints: tuple[bool | None, ...] = ()
    deaths: frozenset[int] = frozenset()
    pauses: dict[int, float] = field(default_factory=dict)
    tells_refusal_again: bool = True
    seed: int = 0


def with_composites(plan: Plan) -> Plan:
    """
    Return the plan with several services in a row wherever it books the one that all others collide with.
    """
    actions = tuple(
        replace(one, wish=_IN_A_ROW.get(one.wish, one.wish)) if isinstance(one, Book) else one for one in plan.actions
    )
    return replace(plan, actions=actions)
