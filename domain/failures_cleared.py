"""
That a person has cleared what is counted of a service's failures: a stream for each service.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID, uuid5

from domain.dependencies import SERVICES
from domain.text import text_problem

LONGEST_REASON = 500
_NAMESPACE = UUID("8f0b7c1e-9a52-5d0c-8f3e-6d1f6a4b2c90")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailuresCleared:
    """
    The failures of a service until now count no more.

    `actor` is the id of an API key, or the user name on the command line.
    """

    TOPIC: ClassVar[str] = "resilience.failures-cleared.v1"
    at: datetime
    service: str
    actor: str
    reason: str


def clear_failures(service: str, *, actor: str, reason: str, at: datetime) -> FailuresCleared:
    """
    Return what is written when a person clears a service's failures.

    Raises:
        ValueError: nobody could answer for it later; the message begins with the name of what is wrong.

    """
    if service not in SERVICES:
        raise ValueError(f"service must be one of {', '.join(SERVICES)}")
    for name, text in (("actor", actor), ("reason", reason)):
        problem = text_problem(text, at_most=LONGEST_REASON)
        if problem is not None:
            raise ValueError(f"{name} {problem}")
    return FailuresCleared(at=at, service=service, actor=actor, reason=reason)


def clearings_id_of(service: str) -> UUID:
    """Return the stream of a service's clearings."""
    return uuid5(_NAMESPACE, f"failures cleared {service}")
