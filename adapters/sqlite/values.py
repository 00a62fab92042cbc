"""How ids and instants stand in SQLite: hexadecimal without hyphens, and ISO 8601 in UTC that sorts as text."""

from datetime import UTC, datetime
from typing import Final

NOW: Final = "strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')"
"""The machine's time, by SQLite's own clock: it counts milliseconds."""


def instant(moment: datetime) -> str:
    """Return an instant as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def optional_instant(moment: datetime | None) -> str | None:
    """Return an instant as text, or None."""
    return None if moment is None else instant(moment)
