"""The figures of a circuit breaker; the defaults are those of the public settings (M8)."""

from dataclasses import dataclass, fields
from math import floor, inf
from typing import Literal, TypeAlias

Lost: TypeAlias = Literal["ignored", "failed"]
"""What a permit counts as whose holder never said what came of the call."""

STEEPEST = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """
    When a breaker opens, how long it stays open, and what closes it. All times are seconds.

    It opens when the window, the last `window_seconds` in `buckets` parts, holds
    - `failure_threshold` failures, as long as it holds fewer than `rate_from` calls;
    - `minimum_calls` calls or more, and `failure_rate` of them, a share, failed; or
    - as many, and `slow_rate` of them took longer than `slow_seconds`. Calls under way that
      already take longer count as slow.
    Of the failed calls, and of the slow ones, of an instance only so many count as the `quorum`-th worst instance
    has; the rest is left out altogether. So fewer than `quorum` instances never open it, however broken they are
    themselves, and do not drown what the others say.

    It stays open for `open_seconds`, times `open_multiplier` for each failed probe in a row, longer by up
    to `open_jitter` (a share), at most `open_cap_seconds`. If it opens again before it was closed for `stable_seconds`,
    the probes that closed it count as one more that failed; once it was closed for so long, all are forgotten.

    Half-open, `half_open_quota` calls are let through. `success_threshold` of them close it, one that
    failed or was slow opens it, and so do `half_open_limit_seconds` without a verdict. Beside them `half_open_reserve`
    calls at once are let through that settle what was begun before: these do not close it, but open it likewise.

    A permit is held for `lease_seconds` at most, so these must outlast the longest call: what a call says
    afterwards is not heard. A permit that is not given back until then is free again, and counts as `lost` says.
    """

    failure_threshold: int = 5
    window_seconds: float = 60.0
    buckets: int = 12
    rate_from: int = 20
    failure_rate: float = 0.5
    minimum_calls: int = 10
    slow_seconds: float = 5.0
    slow_rate: float = 0.8
    open_seconds: float = 60.0
    open_multiplier: float = 1.5
    open_cap_seconds: float = 120.0
    open_jitter: float = 0.1
    stable_seconds: float = 300.0
    half_open_quota: int = 3
    half_open_reserve: int = 2
    success_threshold: int = 2
    half_open_limit_seconds: float = 300.0
    lease_seconds: float = 15.0
    lost: Lost = "ignored"
    quorum: int = 1

    def __post_init__(self) -> None:
        """Refuse figures that cannot be meant, by the name of the field."""
        for field in fields(self):
            value = getattr(self, field.name)
            # Written so that NaN, which compares as false, is refused as well.
            if field.name.endswith("_seconds"):
                _need(0 < value < inf, field.name, "must be above 0")
            elif field.name.endswith("_rate"):
                _need(0 < value <= 1, field.name, "is a share: above 0, at most 1")
            elif isinstance(value, int):
                _need(value >= 1, field.name, "must be at least 1")
        _need(1 <= self.open_multiplier <= STEEPEST, "open_multiplier", "must be from 1 to 100")
        _need(0 <= self.open_jitter <= 1, "open_jitter", "is a share: from 0 to 1")
        _need(self.open_cap_seconds >= self.open_seconds, "open_cap_seconds", "must be at least open_seconds")
        _need(self.half_open_quota >= self.success_threshold, "half_open_quota", "must be at least success_threshold")
        _need(self.lease_seconds > self.slow_seconds, "lease_seconds", "must be above slow_seconds")
        _need(self.lost in {"ignored", "failed"}, "lost", "is ignored or failed")

    def open_for(self, failed_probes: int, *, chance: float) -> float:
        """Return how long it stays open after so many failed probes in a row; `chance`, from 0 to 1, is the jitter."""
        # The exponent is bounded, since a float power overflows long before a year of failed probes is over.
        plain = self.open_seconds * self.open_multiplier ** min(failed_probes, 64)
        return min(plain * (1 + self.open_jitter * chance), self.open_cap_seconds)

    def bucket_of(self, now: float) -> int:
        """Return the number of the part of time that an instant falls into."""
        return floor(now * self.buckets / self.window_seconds)


def _need(condition: bool, field: str, problem: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise ValueError(f"{field} {problem}")
