"""
Processes that watch over one fleet, each with breakers of its own.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from adapters.alerting.figures import AlertFigures
from adapters.alerting.lone_breakers import LoneBreakerNotes, StoredLoneBreakers
from adapters.alerting.readings import Readings
from adapters.alerting.rejected_keys import RejectedKeys
from adapters.alerting.stored import StoredAlerts
from adapters.alerting.watching import AlertWatch
from adapters.breakers.local import LocalBreakers
from adapters.breakers.telling import Telling
from adapters.database.companies import Companies
from adapters.database.sync_failures import StoredSyncFailures
from adapters.directory.companies import CompanyDirectory
from adapters.followers import Followers
from adapters.log.store import Store
from domain.alert import Alert, AlertEvent
from domain.breaker_words import Command, Permit
from domain.full_fallback import FullFallbackBegun
from domain.service_level import Objectives
from projections.alerts import ALERTS
from tests.fakes.measures import FakeCalls
from tests.fakes.time import FakeClock

EVERY = 15


def a_directory(store: Store) -> CompanyDirectory:
    """
    Return the companies: `default` has a key for all.
    """
    stored = Companies(engine=store.engine, readers=store.readers, clock=store.clock, secrets=None)
    return CompanyDirectory(stored=stored, default_company="default", default_calcom_key="cal_default")


class Watcher:
    """
    One process. It judges when it is told to, and notes how its own breakers stand whenever time passes.
    """

    def __init__(self, store: Store, clock: FakeClock, name: str, *, calls: FakeCalls) -> None:
        self.clock = clock
        self.store = store
        self.names = ("calcom", "retell")
        self.breakers = LocalBreakers({}, listener=Telling(), clock=lambda: clock.now().timestamp())
        self.rejected: dict[str, datetime] = {}
        self.fallback: FullFallbackBegun | None = None
        lone_breakers = StoredLoneBreakers(engine=store.engine, readers=store.readers, process=name)
        self.alerts = StoredAlerts(engine=store.engine, readers=store.readers)
        noted_for = timedelta(seconds=4 * EVERY)
        self.keys = RejectedKeys(noted=lone_breakers, companies=a_directory(store), clock=clock, noted_for=noted_for)
        self.keys.follow(lambda: self.rejected)
        readings = Readings(
            calls=calls,
            breakers=self.breakers,
            names=self.names,
            lone_breakers=lone_breakers,
            sync_failures=StoredSyncFailures(engine=store.engine, readers=store.readers),
            rejected_keys=self.keys.find,
            fallback=lambda: self.fallback,
            clock=clock,
            noted_for=noted_for,
        )
        self.notes = LoneBreakerNotes(
            self.breakers, lone_breakers, names=self.names, rejected=self.keys.own, clock=clock, seconds=EVERY
        )
        self.figures = AlertFigures(engine=store.engine, readers=store.readers)
        self.watch = AlertWatch(
            readings, self.alerts, figures=self.figures, events=store.log, clock=clock, objectives=Objectives()
        )

    async def opens(self, *names: str, used: bool = True) -> None:
        for name in names or ("calcom",):
            permit = await self.breakers.acquire(name) if used else None
            if isinstance(permit, Permit):
                await self.breakers.record(permit, "succeeded")
            await self.breakers.control(name, Command(action="open", actor="ada", reason="a test"))

    async def closes(self, *names: str) -> None:
        for name in names or ("calcom",):
            await self.breakers.control(name, Command(action="reset", actor="ada", reason="a test"))


class Fleet:
    """
    Several processes over one database.
    """

    def __init__(self, store: Store, *names: str) -> None:
        self.store = store
        self.clock = FakeClock()
        self.calls = FakeCalls()
        self.watchers = [Watcher(store, self.clock, name, calls=self.calls) for name in names]
        self.followers = Followers(store, follow_seconds=1, projections=[ALERTS])

    async def passes(self, seconds: float, *, judge: int = 0) -> None:
        """
        Let time pass; all note, and one of them judges.
        """
        left = seconds
        while left > 0:
            self.clock.advance(min(left, EVERY))
            left -= EVERY
            for watcher in self.watchers:
                await watcher.notes.note()
            await self.watchers[judge % len(self.watchers)].watch.look()
            await self.followers.catch_up()

    async def told(self) -> Counter[str]:
        """
        Return how often each kind of event stands in the log, by the rule's stream.
        """
        entries = await self.store.log.read_all(after=0, limit=100_000)
        return Counter(type(one.event).__name__ for one in entries if isinstance(one.event, AlertEvent))  # type: ignore[union-attr]

    async def active(self) -> dict[str, str]:
        found: list[Alert] = [*await self.watchers[0].alerts.list(status="active", limit=200)]
        return {f"{one.rule} {one.service}": one.severity for one in found}
