"""
What is known of each service: how its calls end and what they take, how its breaker stands, and what it is held to.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from adapters.measuring.meter import Tallies, Tally, of_services
from adapters.measuring.stored import Slice, sum_of, within
from domain.alert_rules import API, APPOINTMENTS, NO_SERVICES
from domain.breaker_history import BreakerHistory, history
from domain.breaker_words import Snapshot, Transition
from domain.errors import AppointmentDatabaseError
from domain.health_score import health_score
from domain.service_level import SPANS, Counts, ErrorBudget, Objectives, burn_rate, error_budget
from domain.trend import Direction, direction
from sagas.ports import Clock

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class CallSource(Protocol):
    """How calls ended, for reading."""

    async def tallies(self, *, since: datetime) -> Tallies:
        """Return what came of the calls since an instant, by service and operation."""
        ...

    async def slices(self, *, since: datetime) -> Sequence[Slice]:
        """Return how the calls ended since an instant, while by while."""
        ...

    def own_tallies(self, *, since: datetime) -> Tallies:
        """Return what came of the calls of this process that are not stored yet."""
        ...

    def own_slices(self, *, since: datetime) -> Sequence[Slice]:
        """Return how these ended, while by while."""
        ...


class Breakers(Protocol):
    """The circuit breakers, for looking at."""

    async def snapshot(self, name: str) -> Snapshot:
        """Return how a breaker stands."""
        ...


class Transitions(Protocol):
    """How breakers have moved, as far as that is stored."""

    async def since(self, start: datetime, *, shared: Mapping[str, bool]) -> Mapping[str, Sequence[Transition]]:
        """Return the transitions since an instant, of breakers of the fleet or of this process."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerFigures:
    """A breaker, and what it has been through in the window."""

    snapshot: Snapshot
    history: BreakerHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Which share of the calls went well in the period, None without any, and how the error budget is spent."""

    availability: float | None
    budget: ErrorBudget
    burn_rates: Mapping[timedelta, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """A service against its objectives; what nothing is known of is met. Recovery is the longest, in seconds."""

    spending: Spending
    availability_met: bool
    latency_met: bool
    recovery: float | None
    recovery_met: bool

    @property
    def are_met(self) -> bool:
        """Tell whether all of them are."""
        return self.availability_met and self.latency_met and self.recovery_met


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFigures:
    """Everything about one service; `breaker` is None if no breaker stands before it."""

    tally: Tally
    breaker: BreakerFigures | None
    levels: Levels
    health: int
    trend: Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """How all calls ended in an hour of the clock."""

    starts_at: datetime
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    Everything about all services, and about bookings that ended, in the window.

    Unless `of_all`, the database does not answer, and it is about what this process has not stored yet.
    """

    at: datetime
    window: timedelta
    services: Mapping[str, ServiceFigures]
    bookings: Counts
    hours: Sequence[Hour]
    trend: Direction
    of_all: bool
    objectives: Objectives = field(repr=False)


class Measures:
    """Reads figures; `names` are the breakers, and `unless_unused` those of them that count only if they are used."""

    def __init__(
        self,
        calls: CallSource,
        *,
        breakers: Breakers,
        transitions: Transitions,
        names: Sequence[str],
        objectives: Objectives,
        clock: Clock,
        unless_unused: Collection[str] = (),
    ) -> None:
        self._calls = calls
        self._transitions = transitions
        self._breakers = breakers
        self._names = names
        self._unless_unused = unless_unused
        self._objectives = objectives
        self._clock = clock

    async def figures(self, *, window: timedelta) -> Figures:
        """
        Return what is known of every service in the last `window`, a day at most.

        While the database does not answer, it is what this process has to say by itself.
        """
        now = self._clock.now()
        since, period = now - window, now - self._objectives.period
        try:
            found, slices = await self._calls.tallies(since=since), await self._calls.slices(since=period)
            of_all = True
        except AppointmentDatabaseError:
            found, slices = self._calls.own_tallies(since=since), self._calls.own_slices(since=period)
            of_all = False
        tallies = of_services(found)
        breakers_of = await self._breakers_of(now=now, window=window)
        bookings = tallies.get(APPOINTMENTS, Tally()).counts
        tallies = {name: tally for name, tally in tallies.items() if name not in NO_SERVICES}
        of_each = _by_service(slices)
        names = sorted({*breakers_of, *tallies, *of_each})
        services = {
            name: self._of_service(
                tallies.get(name, Tally()), of_each.get(name, ()), breaker=breakers_of.get(name), now=now
            )
            for name in names
        }
        everything = [one for found in of_each.values() for one in found]
        return Figures(
            at=now,
            window=window,
            services=services,
            bookings=bookings,
            hours=_hours(everything, since=now - DAY),
            trend=_trend(everything, now=now),
            of_all=of_all,
            objectives=self._objectives,
        )

    async def spending(self) -> Mapping[str, Spending]:
        """
        Return how each service's error budget is spent.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        now = self._clock.now()
        slices = await self._calls.slices(since=now - self._objectives.period)
        return {name: spending_of(found, self._objectives, now=now) for name, found in _by_service(slices).items()}

    async def breakdown(self, *, window: timedelta) -> Tallies:
        """
        Return what came of the calls by service and operation, and of our own answers as those of `api`.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        tallies = await self._calls.tallies(since=self._clock.now() - window)
        return {kind: tally for kind, tally in sorted(tallies.items()) if kind[0] not in NO_SERVICES - {API}}

    async def _breakers_of(self, *, now: datetime, window: timedelta) -> dict[str, BreakerFigures]:
        every = [await self._breakers.snapshot(name) for name in self._names]
        snapshots = [one for one in every if one.is_used or one.name not in self._unless_unused]
        start = now - window
        # A breaker remembers its last transitions only; the last of all may not be stored yet.
        try:
            stored = await self._transitions.since(start, shared={one.name: one.shared for one in snapshots})
        except AppointmentDatabaseError:
            stored = {}
        return {
            one.name: BreakerFigures(
                snapshot=one, history=history_of(one, stored.get(one.name, ()), start=start, now=now)
            )
            for one in snapshots
        }

    def _of_service(
        self, tally: Tally, slices: Sequence[Slice], *, breaker: BreakerFigures | None, now: datetime
    ) -> ServiceFigures:
        p99 = tally.sketch.quantile(0.99)
        state = "closed" if breaker is None else breaker.snapshot.state
        return ServiceFigures(
            tally=tally,
            breaker=breaker,
            levels=self._levels(slices, p99=p99, breaker=breaker, now=now),
            health=health_score(tally.counts, p99_seconds=p99, state=state, objectives=self._objectives),
            trend=_trend(slices, now=now),
        )

    def _levels(
        self, slices: Sequence[Slice], *, p99: float | None, breaker: BreakerFigures | None, now: datetime
    ) -> Levels:
        goals = self._objectives
        spending = spending_of(slices, goals, now=now)
        recovery = None if breaker is None else _longest(breaker.history, now=now)
        return Levels(
            spending=spending,
            availability_met=spending.availability is None or spending.availability >= goals.availability,
            latency_met=p99 is None or p99 <= goals.p99_seconds,
            recovery=recovery,
            recovery_met=recovery is None or recovery <= goals.recovery_seconds,
        )


def history_of(
    snapshot: Snapshot, stored: Sequence[Transition] = (), *, start: datetime, now: datetime
) -> BreakerHistory:
    """Return what a breaker's snapshot, and what is stored of it besides, tell of the time since an instant."""
    return history((*stored, *snapshot.recent), state=snapshot.state, since=snapshot.since, start=start, now=now)


def spending_of(slices: Sequence[Slice], objectives: Objectives, *, now: datetime) -> Spending:
    """Return how a service's error budget is spent by calls that ended like this."""
    whole = sum_of(one.counts for one in slices)
    began = min((one.starts_at for one in slices), default=now)
    target = objectives.availability
    return Spending(
        availability=whole.success_rate,
        budget=error_budget(whole, target, observed=now - began, period=objectives.period),
        burn_rates={span: burn_rate(within(slices, now - span), target) for span in SPANS},
    )


def _longest(seen: BreakerHistory, *, now: datetime) -> float | None:
    under_way = () if seen.unwell_since is None else (now - seen.unwell_since,)
    longest = max((*seen.recoveries, *under_way), default=None)
    return None if longest is None else longest.total_seconds()


def _by_service(slices: Sequence[Slice]) -> dict[str, list[Slice]]:
    found: dict[str, list[Slice]] = {}
    for one in slices:
        if one.service not in NO_SERVICES:
            found.setdefault(one.service, []).append(one)
    return found


def _hours(slices: Sequence[Slice], *, since: datetime) -> list[Hour]:
    found: dict[datetime, Counts] = {}
    for one in slices:
        if one.ends_at > since:
            hour = one.starts_at.replace(minute=0, second=0, microsecond=0)
            found[hour] = found.get(hour, Counts()).plus(one.counts)
    return [Hour(starts_at=hour, counts=counts) for hour, counts in sorted(found.items())]


def _trend(slices: Sequence[Slice], *, now: datetime) -> Direction:
    recent = within(slices, now - HOUR)
    before = sum_of(one.counts for one in slices if now - DAY < one.ends_at <= now - HOUR)
    return direction(recent, before)
