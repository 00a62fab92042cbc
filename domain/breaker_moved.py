"""
That a circuit breaker has moved, as an event: a stream of its own for each transition, of one event.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID, uuid5

from domain.breaker_words import State, Transition
from domain.idempotency import NAMESPACE


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerMoved:
    """
    A breaker went from one state to the next, because of `cause` or, by hand, for a person's `reason`.

    `failures`, `calls` and `slow` are what its window held then; `slow` has calls under way in it, too, and is None of
    events from before it was counted. `instance` is the process whose own breaker it was; None: the fleet's. `cause`
    may be one that only a newer calsaga knows.
    """

    TOPIC: ClassVar[str] = "breaker.moved.v1"
    at: datetime
    service: str
    before: State
    after: State
    cause: str
    epoch: int
    failures: int
    calls: int
    actor: str | None
    reason: str | None
    instance: str | None
    slow: int | None = None

    @property
    def stream_id(self) -> UUID:
        """Return the stream that it stands on, whoever writes it; its first version can be written once only."""
        # The instant tells epochs apart that are counted anew: after a flush of Redis, or in a breaker of a process.
        own = "" if self.instance is None else f" of {self.instance}"
        return uuid5(NAMESPACE, f"breaker {self.service} epoch {self.epoch} at {self.at.isoformat()}{own}")


def breaker_moved(transition: Transition, *, instance: str | None) -> BreakerMoved:
    """Return a transition as an event; `instance` is the process whose own breaker it is, None for the fleet's."""
    return BreakerMoved(
        at=transition.at,
        service=transition.name,
        before=transition.before,
        after=transition.after,
        cause=transition.cause,
        epoch=transition.epoch,
        failures=transition.failures,
        calls=transition.calls,
        slow=transition.slow,
        actor=transition.actor,
        reason=transition.reason,
        instance=instance,
    )
