"""
What people have wanted of a circuit breaker, as events: a stream for each breaker of the fleet.

The breaker itself, in Redis, obeys; this is what is put back into a Redis that has lost it (ADR-025).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID, uuid5

from domain.breaker_words import Action, Commanded
from domain.idempotency import NAMESPACE


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerCommanded:
    """
    A person has opened, closed, observed or reset a breaker of the fleet.

    `actor` is the id of an API key, or the user name on the command line; `expires_at` is None if it holds until the
    next command.
    """

    TOPIC: ClassVar[str] = "breaker.commanded.v1"
    at: datetime
    service: str
    action: Action
    actor: str
    reason: str
    expires_at: datetime | None

    @property
    def commanded(self) -> Commanded:
        """Return the command."""
        return Commanded(
            action=self.action, actor=self.actor, reason=self.reason, at=self.at, expires_at=self.expires_at
        )


def breaker_commanded(service: str, commanded: Commanded) -> BreakerCommanded:
    """Return a command as an event."""
    return BreakerCommanded(
        at=commanded.at,
        service=service,
        action=commanded.action,
        actor=commanded.actor,
        reason=commanded.reason,
        expires_at=commanded.expires_at,
    )


def commands_id_of(service: str) -> UUID:
    """Return the stream of what people have wanted of a breaker."""
    return uuid5(NAMESPACE, f"breaker commands {service}")
