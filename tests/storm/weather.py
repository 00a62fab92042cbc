"""
How bad the storm is: every knob of the sandbox, and times so short that minutes are enough.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from adapters.demo import circumstances
from adapters.demo.day import COMPANY
from adapters.sandbox.faults import Kind
from adapters.sandbox.profiles import load_profile

SECRET: Final = "whsec_storm"
SHORTENED: Final = {
    **circumstances.SHORTENED,
    "CALSAGA_RECONCILE_SECONDS": "45",
    "CALSAGA_RECONCILE_CALLS_PER_MINUTE": "6000",
    "CALSAGA_API_RATE_PER_SECOND": "10000",
    "CALSAGA_API_RATE_BURST": "10000",
    "CALSAGA_DRAIN_SECONDS": "2",
    "CALSAGA_REVIEW_AFTER": "2000",
}
# A webhook has one fault at most, drawn from those whose dice have fallen: these make half of them lost and a fifth
# come twice.
DICE: Final = {Kind.WEBHOOK_DROP: 0.69, Kind.WEBHOOK_TWICE: 0.36}
ARRIVALS_PER_SECOND: Final = 22
SHORTEST_SECONDS: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """
    So many bookings, by this seed, on this kind of database.
    """

    bookings: int = 2000
    seed: int = 1
    database: str = "sqlite"

    @property
    def seconds(self) -> float:
        """
        Return over how long customers come.
        """
        return max(self.bookings / ARRIVALS_PER_SECOND, SHORTEST_SECONDS)


def storm_profile(seed: int) -> dict[str, Any]:
    """
    Return the sandbox's own storm, with more webhooks lost and doubled.
    """
    faults = [asdict(fault) for fault in load_profile("storm").faults]
    for fault in faults:
        fault["probability"] = DICE.get(fault["kind"], fault["probability"])
    return {"seed": seed, "faults": faults}


def settle_in(folder: Path, *, sandbox_url: str, database_url: str, redis_url: str) -> None:
    """
    Make this process, and every one that it starts, work with these and nothing else.
    """
    circumstances.settle_in(folder, sandbox_url=sandbox_url)
    os.environ.update(
        SHORTENED,
        CALSAGA_DATABASE_URL=database_url,
        CALSAGA_CALCOM_WEBHOOK_SECRET=SECRET,
        CALSAGA_DEFAULT_COMPANY=COMPANY,
        CALSAGA_LOG_LEVEL="error",
        CALSAGA_REDIS_URL=redis_url,
    )
