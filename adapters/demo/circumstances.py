"""Under which settings the demo runs: everything that production waits minutes for is a matter of seconds."""

import os
from pathlib import Path
from typing import Final

from adapters.demo.day import COMPANY

SHORTENED: Final = {
    "CALSAGA_CALCOM_SEND_SECONDS": "0.75",
    "CALSAGA_CALCOM_ATTEMPT_SECONDS": "1",
    "CALSAGA_CALCOM_TOTAL_SECONDS": "6",
    "CALSAGA_CALCOM_VISIBILITY_SECONDS": "2.5",
    "CALSAGA_CALCOM_LOOK_SECONDS": "0.2,0.5,1,1.5,2",
    "CALSAGA_CALCOM_HORIZON_SECONDS": "9",
    "CALSAGA_CALCOM_KEY_REST_SECONDS": "1",
    "CALSAGA_LEASE_SECONDS": "3",
    "CALSAGA_RETRY_FIRST_SECONDS": "0.2",
    "CALSAGA_CIRCUIT_DRAIN_PER_SECOND": "100",
    "CALSAGA_CIRCUITS": '{"calcom": {"window_seconds": 10, "open_seconds": 1, "open_cap_seconds": 2}}',
    "CALSAGA_RETRY_CAP_SECONDS": "1",
}
LATE_SECONDS: Final = 5.5
"""After how long a request that is late by purpose is done: after its absence was declared, before the horizon."""
RATE_LIMIT: Final = 100_000
RATE_WINDOW_SECONDS: Final = 1.0
WORKERS: Final = 2
PATIENCE_SECONDS: Final = 10.0
ARRIVALS_PER_SECOND: Final = 40
QUIET_WITHIN_SECONDS: Final = 240.0


def settle_in(folder: Path, *, sandbox_url: str) -> None:
    """Make this process, and every one that it starts, work in this folder with this sandbox and nothing else."""
    for name in [name for name in os.environ if name.startswith("CALSAGA_")]:
        del os.environ[name]
    os.environ.update(
        SHORTENED,
        CALSAGA_DATABASE_URL=f"sqlite:///{database_of(folder)}",
        CALSAGA_CALCOM_BASE_URL=sandbox_url,
        CALSAGA_CALCOM_API_KEY="cal_demo",
        CALSAGA_DEFAULT_COMPANY=COMPANY,
        CALSAGA_LOG_FORMAT="json",
        CALSAGA_LOG_LEVEL="warning",
    )


def database_of(folder: Path) -> Path:
    """Return the demo's database file."""
    return folder / "calsaga.db"
