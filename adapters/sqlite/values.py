"""How ids and instants stand in SQLite: hexadecimal without hyphens, and ISO 8601 in UTC that sorts as text."""

from datetime import UTC, datetime, timedelta
from typing import Final

CLOCK_UNIT: Final = timedelta(milliseconds=1)
"""SQLite tells the time in whole milliseconds."""


def instant(moment: datetime) -> str:
    """Return an instant as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def optional_instant(moment: datetime | None) -> str | None:
    """Return an instant as text, or None."""
    return None if moment is None else instant(moment)
