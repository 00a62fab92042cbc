"""
What kind of outage it is, and under which settings it is gone through: twenty times as quick as in life.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COMPRESSION: Final = 20
"""How many seconds of life one second of the drill is."""
SHORTENED: Final = {
    "CALSAGA_CALCOM_SEND_SECONDS": "0.75",
    "CALSAGA_CALCOM_ATTEMPT_SECONDS": "1",
    "CALSAGA_CALCOM_TOTAL_SECONDS": "6",
    "CALSAGA_CALCOM_VISIBILITY_SECONDS": "2",
    "CALSAGA_CALCOM_LOOK_SECONDS": "0.1,0.3,0.6,1,1.5",
    "CALSAGA_CALCOM_HORIZON_SECONDS": "9",
    "CALSAGA_LEASE_SECONDS": "3",
    "CALSAGA_RETRY_FIRST_SECONDS": "0.1",
    "CALSAGA_CIRCUITS": (
        '{"calcom": {"window_seconds": 3, "open_seconds": 3, "open_cap_seconds": 6, "half_open_limit_seconds": 15}}'
    ),
    "CALSAGA_CIRCUIT_DRAIN_PER_SECOND": "20",
    "CALSAGA_RECONCILE_SECONDS": "86400",
    "CALSAGA_API_RATE_PER_SECOND": "10000",
    "CALSAGA_API_RATE_BURST": "10000",
    "CALSAGA_LOG_LEVEL": "error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """
    Bookings arrive steadily, before, during and after; all seconds are those of the drill.
    """

    per_second: float = 20.0
    before: float = 3.0
    down: float = 15.0
    after: float = 3.0

    @property
    def wishes(self) -> int:
        """
        Return how many bookings arrive.
        """
        return round((self.before + self.down + self.after) * self.per_second)
