"""
What the composition root returns.
"""

import asyncio
from dataclasses import dataclass

from adapters.availability.alternatives import Alternatives
from adapters.availability.free_slots import Availability
from adapters.bootstrap.health import HealthParts
from adapters.bootstrap.resilience import Resilience
from adapters.calcom.calendars import CalComCalendars
from adapters.database.customers import DatabaseCustomers
from adapters.directory.companies import CompanyDirectory
from adapters.directory.keys import KeyDirectory
from adapters.directory.services import ServiceDirectory
from adapters.followers import Followers
from adapters.idempotency.marks import Marks
from adapters.log.store import Store
from adapters.measuring.calls import Calls
from adapters.metrics import Metrics
from adapters.reconciling import ReconcilerRunner
from adapters.settings import Settings
from sagas.engine import Engine
from sagas.inbox import Inbox
from sagas.orchestrator import Orchestrator
from sagas.reconciling import Reconciler
from sagas.repairs import Repairs
from sagas.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Who may book what, and for whom."""

    companies: CompanyDirectory
    services: ServiceDirectory
    customers: DatabaseCustomers
    keys: KeyDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """
    Everything that a front end needs.

    `orchestrator` books, cancels and gets, `repairs` takes a person's decisions, `inbox`
    webhooks. `store` is the log and the rows beside it, `marks` remember what was seen
    lately, `metrics` and `calls` count, `resilience` has the breakers, `health` tells how all is. `availability` finds
    free slots, `alternatives` those near one that is gone. `worker`, `followers`, `reconciling` and the probes of
    `health` run already if the application was opened with `background=True`. `ending` is set when one of them has
    died of a defect: then the application is to be left, which raises it.
    """

    settings: Settings
    orchestrator: Orchestrator
    repairs: Repairs
    inbox: Inbox
    reconciler: Reconciler
    worker: Worker
    engine: Engine
    store: Store
    directory: Directory
    calendars: CalComCalendars
    resilience: Resilience
    health: HealthParts
    availability: Availability
    alternatives: Alternatives
    marks: Marks
    metrics: Metrics
    calls: Calls
    followers: Followers
    reconciling: ReconcilerRunner
    ending: asyncio.Event
