"""
What tells how services do: calls are measured, held against what they should be, and alerts raised.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from adapters.alerting.figures import AlertFigures
from adapters.alerting.lone_breakers import NOTED_FOR, LoneBreakerNotes, StoredLoneBreakers
from adapters.alerting.readings import Readings
from adapters.alerting.rejected_keys import RejectedKeys
from adapters.alerting.stored import StoredAlerts
from adapters.alerting.watching import NAME as WATCHING
from adapters.alerting.watching import AlertRunner, AlertWatch
from adapters.breakers.policies import CALLERS, NAMES
from adapters.breakers.ports import Breakers
from adapters.database.breaker_events import StoredTransitions
from adapters.database.failure_metrics import FailureMetrics
from adapters.database.passes import Passes
from adapters.database.sync_failures import StoredSyncFailures
from adapters.directory.companies import CompanyDirectory
from adapters.fallback.known import KnownFallback
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
PUBLISHED_SECONDS = 60.0
"""How often the gauges of error budgets are brought up to date, which takes a look at the whole period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevels:
    """
    `measures` tell how calls end, and what they take; `alerts` are those of the fleet, `alert_figures` how they go on.

    `keeper` stores what this process has counted, `publisher` tells Prometheus what follows, `notes` say how
    breakers stand that are this process's own, and `alerting` judges for all processes. `rejected_keys` are those that
    Cal.com does not take.
    """

    measures: Measures
    alerts: StoredAlerts
    alert_figures: AlertFigures
    keeper: Keeper
    publisher: Publisher
    notes: LoneBreakerNotes
    alerting: AlertRunner
    rejected_keys: RejectedKeys


def service_levels(
    settings: Settings,
    *,
    breakers: Breakers,
    calls: Calls,
    metrics: Metrics,
    store: Store,
    failures: FailureMetrics,
    companies: CompanyDirectory,
    fallback: KnownFallback,
    process: UUID,
) -> ServiceLevels:
    """Build them; nothing runs yet, and nobody is asked."""
    objectives = settings.objectives()
    engine, readers, clock = store.engine, store.readers, store.clock
    stored = StoredCalls(engine=engine, readers=readers, process=process.hex, failures=failures)
    kept = max(objectives.period, LONGEST_WINDOW)
    keeper = Keeper(calls.meter, stored, clock=clock, seconds=settings.measure_seconds, keep=kept)
    fleet = FleetCalls(stored=stored, keeper=keeper)
    transitions = StoredTransitions(engine=engine, readers=readers, instance=process.hex)
    measures = Measures(
        fleet,
        breakers=breakers,
        transitions=transitions,
        names=NAMES,
        objectives=objectives,
        clock=clock,
        unless_unused=CALLERS,
    )
    lone_breakers = StoredLoneBreakers(engine=engine, readers=readers, process=process.hex)
    alerts, figures = StoredAlerts(engine=engine, readers=readers), AlertFigures(engine=engine, readers=readers)
    noted_for = timedelta(seconds=NOTED_FOR * settings.alert_seconds)
    keys = RejectedKeys(noted=lone_breakers, companies=companies, clock=clock, noted_for=noted_for)
    metrics.watch_rejected_keys(keys.own, default=settings.default_company)
    readings = Readings(
        calls=fleet,
        breakers=breakers,
        names=NAMES,
        lone_breakers=lone_breakers,
        sync_failures=StoredSyncFailures(engine=engine, readers=readers),
        rejected_keys=keys.find,
        fallback=lambda: fallback.held,
        clock=clock,
        noted_for=noted_for,
    )
    return ServiceLevels(
        measures=measures,
        alerts=alerts,
        alert_figures=figures,
        keeper=keeper,
        publisher=Publisher(measures, metrics=metrics, seconds=PUBLISHED_SECONDS),
        notes=LoneBreakerNotes(
            breakers,
            lone_breakers,
            names=NAMES,
            rejected=keys.own,
            clock=clock,
            seconds=settings.alert_seconds,
        ),
        rejected_keys=keys,
        alerting=AlertRunner(
            AlertWatch(readings, alerts, figures=figures, events=store.log, clock=clock, objectives=objectives),
            Passes(WATCHING, engine=engine, readers=readers, clock=clock),
            seconds=settings.alert_seconds,
        ),
    )
