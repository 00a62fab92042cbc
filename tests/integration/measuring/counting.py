"""
Processes that count calls, over one database.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from adapters.database.failure_metrics import FailureMetrics
from adapters.log.store import Store
from adapters.measuring.fleet import FleetCalls
from adapters.measuring.keeping import Keeper
from adapters.measuring.meter import CallOutcome, Meter, Tally
from adapters.measuring.stored import StoredCalls
from domain.failure_detector import FailureRule
from tests.fakes.time import FakeClock

DAY = timedelta(days=1)
MONTH = timedelta(days=30)
RULE = FailureRule()


class Process:
    """
    One process of the fleet; each begins when the clock says so.
    """

    def __init__(
        self, store: Store, clock: FakeClock, name: str, *, keep: timedelta = MONTH, seconds: float = 60
    ) -> None:
        self.clock = clock
        self.meter = Meter()
        self.failures = FailureMetrics(engine=store.engine, readers=store.readers, rule=RULE)
        self.stored = StoredCalls(engine=store.engine, readers=store.readers, process=name, failures=self.failures)
        self.keeper = Keeper(self.meter, self.stored, clock=clock, seconds=seconds, keep=keep)
        self.fleet = FleetCalls(stored=self.stored, keeper=self.keeper)

    def calls(self, *seconds: float, operation: str = "create", outcome: CallOutcome = "succeeded") -> None:
        for one in seconds:
            self.meter.record("calcom", operation, outcome, one)

    async def sees(self, *, since: datetime | None = None) -> Tally:
        """
        Return all calls to Cal.com together.
        """
        whole = Tally()
        for tally in (await self.fleet.tallies(since=since or self.clock.start - MONTH)).values():
            whole.add(tally)
        return whole
