"""
What the API under test stands on, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.breakers.local import LocalBreakers
from adapters.breakers.ports import Restorable
from adapters.breakers.registry import Registry
from adapters.breakers.telling import Telling
from adapters.breakers.watched import WatchedBreaker
from adapters.fallback.rungs import Rungs
from adapters.measuring.figures import Measures
from adapters.web.ports import Backend
from adapters.web.recent import breaker_states, redis_check
from domain.alert_rules import API
from domain.breaker_policy import BreakerPolicy
from domain.service_level import Objectives
from tests.fakes.measures import FakeCalls, FakeTransitions
from tests.fakes.time import FakeClock
from tests.unit.adapters.web.fake_bookings import FakeBookings, FakeList, FakeStreams
from tests.unit.adapters.web.fake_companies import (
    FakeAvailability,
    FakeCompanies,
    FakeCustomers,
    FakeKeys,
    FakeServices,
)
from tests.unit.adapters.web.fake_fallback import FakeFallback, FakeQueue
from tests.unit.adapters.web.fake_health import FakeHealth, FakeProbes
from tests.unit.adapters.web.fake_syncing import FakeInbox, FakeRepairs, FakeSyncFailures
from tests.unit.adapters.web.fake_watching import (
    FakeAlerts,
    FakeBreakerEvents,
    FakeFailures,
    FakeMetrics,
    FakeSnapshots,
)
from tests.unit.adapters.web.given import NOW


@dataclass
class FakeBackend:
    bookings: FakeBookings = field(default_factory=FakeBookings)
    streams: FakeStreams = field(default_factory=FakeStreams)
    list: FakeList = field(default_factory=FakeList)
    sync_failures: FakeSyncFailures = field(default_factory=FakeSyncFailures)
    repairs: FakeRepairs = field(default_factory=FakeRepairs)
    keys: FakeKeys = field(default_factory=FakeKeys)
    services: FakeServices = field(default_factory=FakeServices)
    customers: FakeCustomers = field(default_factory=FakeCustomers)
    availability: FakeAvailability = field(default_factory=FakeAvailability)
    companies: FakeCompanies = field(default_factory=FakeCompanies)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    probes: FakeProbes = field(default_factory=FakeProbes)
    health: FakeHealth = field(default_factory=FakeHealth)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    breakers: Restorable = field(default_factory=lambda: LocalBreakers({}, listener=Telling()))
    fallback: FakeFallback = field(default_factory=FakeFallback)
    rungs: Rungs = field(default_factory=lambda: Rungs(now=lambda: NOW))
    queue: FakeQueue = field(default_factory=FakeQueue)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    calls: FakeCalls = field(default_factory=FakeCalls)
    failures: FakeFailures = field(default_factory=FakeFailures)
    database: WatchedBreaker = field(
        default_factory=lambda: WatchedBreaker("database", BreakerPolicy(), listener=Telling())
    )
    breaker_events: FakeBreakerEvents = field(default_factory=FakeBreakerEvents)

    def as_backend(self) -> Backend:
        parts = {name: part for name, part in vars(self).items() if name not in {"database", "calls"}}
        self.health.registry = registry = Registry(self.breakers, watched=[self.database])
        return Backend(
            **parts,
            alternatives=self.availability,
            alert_figures=self.alerts,
            measures=self._measures(),
            standings=registry,
            breaker_states=breaker_states(registry),
            redis=redis_check(self.health),
            snapshots=FakeSnapshots(registry),
            answered=lambda *answer: self.calls.meter.record(API, *answer),
        )

    def _measures(self) -> Measures:
        clock = FakeClock(NOW)
        return Measures(
            self.calls,
            breakers=self.breakers,
            transitions=FakeTransitions(),
            names=("calcom",),
            objectives=Objectives(),
            clock=clock,
        )
