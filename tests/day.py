"""
The day on which this run began, the same in all its processes: one that starts after midnight books no other day.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, time, timedelta
from typing import Final

# Whoever is forked or started from here on finds it in the environment.
BEGAN_AT: Final = datetime.fromisoformat(os.environ.setdefault("TESTS_BEGAN_AT", datetime.now(UTC).isoformat()))


def after(days: int, *, hour: int) -> datetime:
    """
    Return the full `hour` (UTC) of the day that is `days` after the one on which this run began.
    """
    return datetime.combine(BEGAN_AT.date(), time(hour, tzinfo=UTC)) + timedelta(days=days)
