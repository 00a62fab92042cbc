"""What a limit is, who keeps it, and what a caller is told who exceeds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Kind: TypeAlias = Literal["key", "company"]
Names: TypeAlias = Mapping[Kind, str]
"""Who asks; ids of keys and companies, never what callers make up."""
Bucket: TypeAlias = tuple[Kind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """`per_second` requests in the long run, `burst` at once."""

    per_second: float
    burst: int

    def __post_init__(self) -> None:
        """Refuse a limit that would let nothing through."""
        if self.per_second <= 0 or self.burst < 1:
            raise ValueError("a rate limit lets at least one request through")


Limits: TypeAlias = Mapping[Kind, RateLimit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceeded:
    """Which limit was exceeded, and in how many seconds there will be a token again."""

    kind: Kind
    limit: RateLimit
    wait: float


class Limiter(Protocol):
    """Keeps the limits; no failure of wherever it keeps them is ever raised."""

    async def take(self, names: Names) -> Exceeded | None:
        """Take a token out of each bucket of whoever asks, or tell why not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How many tokens there were of those asked for; `wait` is when the next one comes, in seconds."""

    tokens: int
    wait: float


class SharedTokens(Protocol):
    """The buckets of a fleet."""

    async def lease(self, wanted: Sequence[tuple[Bucket, int]]) -> Sequence[Grant]:
        """
        Take so many tokens, or as many as there are, out of each bucket.

        Raises:
            SharedTokensAway: that cannot be said in time; tokens may have been taken all the same.

        """
        ...


class SharedTokensAway(Exception):
    """Where the fleet's buckets are kept did not answer, or not sensibly; decide alone."""
