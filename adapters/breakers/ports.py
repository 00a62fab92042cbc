"""What callers need of the breakers, and who is told what happens to them."""

from typing import Protocol

from domain.breaker_words import Command, Commanded, Outcome, Permit, Refusal, Snapshot, Transition


class Breakers(Protocol):
    """The named breakers. No failure of wherever they are kept is ever raised."""

    async def acquire(
        self, name: str, *, operation: str = "call", probe: bool = True, settles: bool = False
    ) -> Permit | Refusal:
        """
        Ask for leave to call; whoever gets it has to `record` what came of the call.

        `probe=False` is for calls that must not be the first to try whether the far side is well again, `settles` for
        those that settle what was begun before: a share of its own is theirs while the breaker is half-open.
        """
        ...

    async def record(self, permit: Permit, outcome: Outcome) -> None:
        """Give a permit back. A permit of an epoch, or with a lease, that is over is not heard."""
        ...

    async def snapshot(self, name: str) -> Snapshot:
        """Return how a breaker stands; with `shared=False`, in this process alone."""
        ...

    async def control(self, name: str, command: Command) -> Snapshot:
        """Do what a person wants, and return what it is then; with `shared=False`, nobody else knows of it."""
        ...


class Restorable(Breakers, Protocol):
    """Breakers that do once more what a person wanted, where that was lost."""

    async def restore(self, name: str, commanded: Commanded) -> None:
        """Put a command back unless a later one was given, or it is still there."""
        ...


class SharedBreakers(Restorable, Protocol):
    """The breakers of a fleet, or what stands in for them."""

    async def suspect(self, name: str, *, epoch: int) -> None:
        """Have one probed that is closed, in an epoch before this one: whoever knows of a later one knows better."""
        ...


class Listener(Protocol):
    """Is told what happens, by whichever process made it happen; it must not raise, and must not wait."""

    def moved(self, transition: Transition, *, shared: bool) -> None:
        """Take note of a transition."""
        ...

    def degraded(self, reason: str) -> None:
        """Take note that from now on this process decides alone."""
        ...

    def recovered(self) -> None:
        """Take note that the fleet decides together again."""
        ...


class SharedStateAway(Exception):
    """Where the fleet's breakers are kept did not answer, or not sensibly; decide alone."""
