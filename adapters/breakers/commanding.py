"""What a person wants of every breaker at once: told of each by itself what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from adapters.breakers.ports import SharedStateAway
from domain.breaker_words import Command, Snapshot

Reset: TypeAlias = Literal["reset", "reset_here", "not_reached", "failed"]
"""For all processes; in the process that answers alone; not by this one; not, as what it is kept in did not answer."""


class Controlled(Protocol):
    """Breakers, as far as people set them."""

    async def control(self, name: str, command: Command) -> Snapshot:
        """Do what a person wants, and return how the breaker stands then."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetOf:
    """What became of the reset of one breaker, and how it stands if that is known."""

    name: str
    result: Reset
    snapshot: Snapshot | None = None


async def reset_each(breakers: Controlled, names: Sequence[str], command: Command) -> list[ResetOf]:
    """Reset breakers one after the other, whatever becomes of the others."""
    return [await _reset(breakers, name, command) for name in names]


async def _reset(breakers: Controlled, name: str, command: Command) -> ResetOf:
    try:
        snapshot = await breakers.control(name, command)
    except SharedStateAway:
        return ResetOf(name=name, result="failed")
    return ResetOf(name=name, result="reset" if snapshot.shared else "reset_here", snapshot=snapshot)
