"""What is judged: the fleet's calls in every window, and how all its breakers stand."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta

from adapters.alerting.lone_breakers import Condition, StoredLoneBreakers, condition_of
from adapters.breakers.ports import Breakers
from adapters.database.sync_failures import StoredSyncFailures
from adapters.measuring.figures import CallSource
from adapters.measuring.meter import Tallies, Tally, of_services
from adapters.measuring.sketches import Sketch
from adapters.measuring.stored import Slice, within
from domain.alert_rules import (
    API,
    APPOINTMENTS,
    CACHE,
    ENOUGH_FOR_PERCENTILE,
    LOOKED_BACK,
    NO_SERVICES,
    Reading,
    ServiceReading,
)
from domain.concerns import RejectedKey
from domain.full_fallback import FullFallbackBegun
from domain.service_level import SPANS
from sagas.ports import Clock


class Readings:
    """Gathers; `noted_for` is how long a note of another process counts."""

    def __init__(
        self,
        *,
        calls: CallSource,
        breakers: Breakers,
        names: Sequence[str],
        lone_breakers: StoredLoneBreakers,
        sync_failures: StoredSyncFailures,
        rejected_keys: Callable[[], Awaitable[Sequence[RejectedKey]]],
        fallback: Callable[[], FullFallbackBegun | None],
        clock: Clock,
        noted_for: timedelta,
    ) -> None:
        self._calls = calls
        self._breakers = breakers
        self._names = names
        self._lone_breakers = lone_breakers
        self._sync_failures = sync_failures
        self._rejected_keys = rejected_keys
        self._fallback = fallback
        self._clock = clock
        self._noted_for = noted_for

    async def take(self) -> Reading:
        """
        Return what can be said of the fleet now.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        now = self._clock.now()
        tallies = await self._calls.tallies(since=now - LOOKED_BACK)
        lately = of_services(tallies)
        slices = await self._calls.slices(since=now - SPANS[-1])
        noted = await self._lone_breakers.noted(since=now - self._noted_for)
        own = [condition_of(await self._breakers.snapshot(name), now=now) for name in self._names]
        answers = _slowest(_of(API, tallies), share=0.95)
        held = self._fallback()
        bookings = lately.pop(APPOINTMENTS, Tally()).counts
        services = {*self._names, *lately, *(one.service for one in slices)} - NO_SERVICES
        return Reading(
            at=now,
            services=[_of_service(name, tallies, slices, [*own, *noted], now=now) for name in sorted(services)],
            bookings=bookings,
            answer_p95_seconds=None if answers is None else answers.quantile(0.95),
            caches={name: tally.counts for (service, name), tally in tallies.items() if service == CACHE},
            sync_failures=await self._sync_failures.found(now=now),
            rejected_keys=await self._rejected_keys(),
            fallback_since=None if held is None else held.since,
        )


def _of_service(
    name: str, tallies: Tallies, slices: Iterable[Slice], conditions: Iterable[Condition], *, now: datetime
) -> ServiceReading:
    lately = _of(name, tallies)
    slowest = _slowest(lately, share=0.99)
    ours = [one for one in slices if one.service == name]
    breakers = [one for one in conditions if one.service == name]
    return ServiceReading(
        service=name,
        spans={span: within(ours, now - span) for span in SPANS},
        p99_seconds=None if slowest is None else slowest.quantile(0.99),
        p99_calls=0 if slowest is None else slowest.count,
        failed=sum(tally.failed for tally in lately),
        unwell_since=min((one.unwell_since for one in breakers if one.unwell_since is not None), default=None),
        well_since=max((one.well_since for one in breakers if one.well_since is not None), default=None),
    )


def _of(service: str, tallies: Tallies) -> list[Tally]:
    return [tally for (name, _), tally in tallies.items() if name == service]


def _slowest(tallies: Iterable[Tally], *, share: float) -> Sketch | None:
    """Return the slowest operation that was called often enough: many quick reads must not hide slow writes."""
    often = [tally.sketch for tally in tallies if tally.sketch.count >= ENOUGH_FOR_PERCENTILE]
    return max(often, key=lambda sketch: sketch.quantile(share) or 0.0, default=None)
