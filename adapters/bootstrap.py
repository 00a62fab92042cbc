"""
The composition root: one function that reads top to bottom and returns the wired application.

Nothing is built at import time, and nothing else in calsaga builds anything.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from adapters.settings import Settings
from sagas.engine import Engine
from sagas.orchestrator import Orchestrator
from sagas.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """
    Everything that a front end needs.

    `orchestrator` books, cancels and gets. `store` is the log and the rows beside it,
    `directory` the companies, services and API keys, `calendars` Cal.com. `worker` and
    `followers` are running if the application was opened with `background=True`.
    """

    settings: Settings
    orchestrator: Orchestrator
    worker: Worker
    engine: Engine
    store: "Store"
    directory: "Directory"
    calendars: "CalComCalendars"
    followers: "Followers"
