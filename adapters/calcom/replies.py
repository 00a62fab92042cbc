"""What may come of a request to Cal.com, before anybody reads what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that Cal.com, or a proxy before it, answered; the names of the headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Nothing of the request was written."""

    reason: str
    detail: str
    retry_after: float | None = None
    defer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """The request may have arrived; a whole answer did not."""

    reason: str
    detail: str


Reply: TypeAlias = Answer | Unsent | Unanswered
