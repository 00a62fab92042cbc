"""How ids and instants stand in SQLite: hexadecimal without hyphens, and ISO 8601 in UTC that sorts as text."""

from datetime import UTC, datetime


def instant(moment: datetime) -> str:
    """Return an instant as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def optional_instant(moment: datetime | None) -> str | None:
    """Return an instant as text, or None."""
    return None if moment is None else instant(moment)
