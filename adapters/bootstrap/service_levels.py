"""
What tells how services do: calls are measured, held against what they should be, and alerts raised.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from adapters.alerting.lone_breakers import NOTED_FOR, LoneBreakerNotes, StoredLoneBreakers
from adapters.alerting.readings import Readings
from adapters.alerting.stored import StoredAlerts
from adapters.alerting.watching import NAME as WATCHING
from adapters.alerting.watching import AlertRunner, AlertWatch
from adapters.breakers.policies import NAMES
from adapters.breakers.ports import Breakers
from adapters.database.breaker_events import StoredTransitions
from adapters.database.passes import Passes
from adapters.log.store import Store
from adapters.measuring.calls import Calls
from adapters.measuring.figures import Measures
from adapters.measuring.fleet import FleetCalls
from adapters.measuring.keeping import Keeper
from adapters.measuring.publishing import Publisher
from adapters.measuring.stored import StoredCalls
from adapters.metrics import Metrics
from adapters.settings import Settings

LONGEST_WINDOW = timedelta(days=4)
"""What is kept of what was measured, at least: the longest window of an alert, and a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevels:
    """
    `measures` tell how calls end, and what they take; `alerts` are those of the fleet.

    `keeper` stores what this process has counted, `publisher` tells Prometheus what follows, `notes` say how
    breakers stand that are this process's own, and `alerting` judges for all processes.
    """

    measures: Measures
    alerts: StoredAlerts
    keeper: Keeper
    publisher: Publisher
    notes: LoneBreakerNotes
    alerting: AlertRunner


def service_levels(
    settings: Settings, *, breakers: Breakers, instance: str, calls: Calls, metrics: Metrics, store: Store
) -> ServiceLevels:
    """Build them; nothing runs yet, and nobody is asked. `instance` is whose breakers are not the fleet's."""
    process = secrets.token_hex(8)
    objectives = settings.objectives()
    engine, readers, clock = store.engine, store.readers, store.clock
    stored = StoredCalls(engine=engine, readers=readers, process=process)
    kept = max(objectives.period, LONGEST_WINDOW)
    keeper = Keeper(calls.meter, stored, clock=clock, seconds=settings.measure_seconds, keep=kept)
    fleet = FleetCalls(stored=stored, keeper=keeper)
    transitions = StoredTransitions(engine=engine, readers=readers, instance=instance)
    measures = Measures(
        fleet, breakers=breakers, transitions=transitions, names=NAMES, objectives=objectives, clock=clock
    )
    lone_breakers = StoredLoneBreakers(engine=engine, readers=readers, process=process)
    alerts = StoredAlerts(engine=engine, readers=readers)
    readings = Readings(
        calls=fleet,
        breakers=breakers,
        names=NAMES,
        lone_breakers=lone_breakers,
        clock=clock,
        noted_for=timedelta(seconds=NOTED_FOR * settings.alert_seconds),
    )
    return ServiceLevels(
        measures=measures,
        alerts=alerts,
        keeper=keeper,
        publisher=Publisher(measures, metrics=metrics, seconds=settings.measure_seconds),
        notes=LoneBreakerNotes(breakers, lone_breakers, names=NAMES, clock=clock, seconds=settings.alert_seconds),
        alerting=AlertRunner(
            AlertWatch(readings, alerts, events=store.log, clock=clock, objectives=objectives),
            Passes(WATCHING, engine=engine, readers=readers, clock=clock),
            seconds=settings.alert_seconds,
        ),
    )
