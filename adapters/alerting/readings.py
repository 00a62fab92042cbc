"""What is judged: the fleet's calls in every window, and how all its breakers stand."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from adapters.alerting.lone_breakers import Condition, StoredLoneBreakers, condition_of
from adapters.breakers.ports import Breakers
from adapters.measuring.figures import CallSource
from adapters.measuring.meter import Tally, of_services
from adapters.measuring.stored import Slice, within
from domain.alert_rules import APPOINTMENTS, LOOKED_BACK, NO_SERVICES, Reading, ServiceReading
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
        clock: Clock,
        noted_for: timedelta,
    ) -> None:
        self._calls = calls
        self._breakers = breakers
        self._names = names
        self._lone_breakers = lone_breakers
        self._clock = clock
        self._noted_for = noted_for

    async def take(self) -> Reading:
        """
        Return what can be said of the fleet now.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        now = self._clock.now()
        lately = of_services(await self._calls.tallies(since=now - LOOKED_BACK))
        slices = await self._calls.slices(since=now - SPANS[-1])
        noted = await self._lone_breakers.noted(since=now - self._noted_for)
        own = [condition_of(await self._breakers.snapshot(name), now=now) for name in self._names]
        bookings = lately.pop(APPOINTMENTS, Tally()).counts
        services = {*self._names, *lately, *(one.service for one in slices)} - NO_SERVICES
        return Reading(
            at=now,
            services=[
                _of_service(name, lately.get(name, Tally()), slices, [*own, *noted], now=now)
                for name in sorted(services)
            ],
            bookings=bookings,
        )


def _of_service(
    name: str, lately: Tally, slices: Iterable[Slice], conditions: Iterable[Condition], *, now: datetime
) -> ServiceReading:
    ours = [one for one in slices if one.service == name]
    breakers = [one for one in conditions if one.service == name]
    return ServiceReading(
        service=name,
        spans={span: within(ours, now - span) for span in SPANS},
        p99_seconds=lately.sketch.quantile(0.99),
        p99_calls=lately.sketch.count,
        unwell_since=min((one.unwell_since for one in breakers if one.unwell_since is not None), default=None),
        well_since=max((one.well_since for one in breakers if one.well_since is not None), default=None),
    )
