"""
A notice to the operators: that a sync failure was found, or that a person is needed; a stream of its own, of one event.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias
from uuid import UUID, uuid5

NoticeCause: TypeAlias = Literal["found", "needs_person"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorNotified:
    """
    The operators were told of a sync failure: once that it was `found`, and once that it `needs_person`.

    Where it was over in between, or a person has had it tried again, it is told anew:
    `occasion` is the how manieth time it came to that.
    """

    TOPIC: ClassVar[str] = "notice.operator-notified.v1"
    at: datetime
    company_id: str
    booking_id: UUID
    failure_id: UUID
    failure_type: str
    cause: NoticeCause
    occasion: int = 1


def notice_id_of(failure_id: UUID, cause: NoticeCause, occasion: int = 1) -> UUID:
    """Return the id of a notice's stream, whose first version can be written once only."""
    again = f" {occasion}" if occasion > 1 else ""
    return uuid5(failure_id, f"operator notice {cause}{again}")
