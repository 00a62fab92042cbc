"""What stops bookings although every service answers: keys that Cal.com rejects, and a person's word not to use it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from domain.full_fallback import FullFallbackBegun
from domain.verdict import Concern

MODE = "full fallback mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedKey:
    """
    Since when Cal.com rejects a company's API key, so that its bookings wait.

    `is_critical` if it is the default company's, or if no company has one that is accepted.
    """

    company_id: str
    since: datetime
    is_critical: bool


def concerns_of(keys: Iterable[RejectedKey], fallback: FullFallbackBegun | None) -> Iterator[Concern]:
    """Return what the verdict has to say of both; who and why is for operators alone."""
    for one in keys:
        yield Concern(
            verdict="critical" if one.is_critical else "degraded",
            detail=f"Cal.com has rejected an API key since {_instant(one.since)}, so that bookings wait",
            more=f"that of the company {one.company_id}: `calsaga companies set`",
        )
    if fallback is not None:
        until = _instant(fallback.expires_at)
        yield Concern(
            verdict="degraded",
            detail=f"{MODE} since {_instant(fallback.since)}, until {until} at most: bookings wait",
            more=f"by {fallback.actor}: {fallback.reason}",
        )


def is_of_fallback(concern: Concern) -> bool:
    """Tell whether a concern that was kept is full fallback."""
    return concern.detail.startswith(MODE)


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
