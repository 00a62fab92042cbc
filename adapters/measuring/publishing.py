"""Telling Prometheus how error budgets are spent: read once in a while, so that `/metrics` asks no database."""

import asyncio

import structlog

from adapters.measuring.documents import span_name
from adapters.measuring.figures import Measures
from adapters.metrics import Metrics
from domain.errors import AppointmentDatabaseError

_log = structlog.get_logger("calsaga.measuring")


class Publisher:
    """Brings the gauges of service levels up to date every `seconds`; `run` ends when it is cancelled."""

    def __init__(self, measures: Measures, *, metrics: Metrics, seconds: float) -> None:
        self._measures = measures
        self._metrics = metrics
        self._seconds = seconds

    async def run(self) -> None:
        """Publish, and wait."""
        while True:
            await asyncio.sleep(self._seconds)
            await self.publish()

    async def publish(self) -> None:
        """Bring the gauges up to date, unless the database does not answer: then they stay what they were."""
        try:
            found = await self._measures.spending()
        except AppointmentDatabaseError as error:
            _log.warning("measuring.unpublished", **error.as_log())
            return
        for service, spending in found.items():
            rates = {span_name(span): rate for span, rate in spending.burn_rates.items()}
            self._metrics.budget_spent(service, left=spending.budget.left, burn_rates=rates)
