"""A half-open span of time, and the rule that all time inside is aware and UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def utc(moment: datetime) -> datetime:
    """
    Return the same instant in UTC.

    Raises:
        ValueError: the moment has no offset, so it is no instant.

    """
    if moment.utcoffset() is None:
        msg = "a moment needs an offset"
        raise ValueError(msg)
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The instants from `starts_at` up to, and without, `ends_at`, both UTC."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        """Refuse an empty or backward period, and time that is not UTC."""
        if self.starts_at.utcoffset() != timedelta(0) or self.ends_at.utcoffset() != timedelta(0):
            msg = "a period is in UTC"
            raise ValueError(msg)
        if self.ends_at <= self.starts_at:
            msg = "a period ends after it starts"
            raise ValueError(msg)

    def overlaps(self, other: "Period") -> bool:
        """Tell whether both periods share an instant; touching ends do not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at
