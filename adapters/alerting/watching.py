"""
Judging for the whole fleet: what follows is appended, and told in the logs of the process that has written it.

A process that dies between the event and its line leaves the line out; the event stands.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import structlog

from adapters.alerting.figures import AlertFigures
from adapters.alerting.readings import Readings
from adapters.alerting.stored import StoredAlerts
from adapters.database.passes import Passes
from domain.alert import AlertCleared, AlertRaised
from domain.alert_rules import judge
from domain.alerting import Move, decide, present
from domain.errors import AppointmentDatabaseError
from domain.service_level import Objectives
from sagas.appending import Append, Lost, NothingDue
from sagas.ports import Clock, Log

NAME = "alerts"
_log = structlog.get_logger("calsaga.alerts")


class AlertWatch:
    """Raises and clears alerts."""

    def __init__(
        self,
        readings: Readings,
        stored: StoredAlerts,
        *,
        figures: AlertFigures,
        events: Log,
        clock: Clock,
        objectives: Objectives,
    ) -> None:
        self._readings = readings
        self._figures = figures
        self._stored = stored
        self._events = events
        self._clock = clock
        self._objectives = objectives

    async def look(self) -> None:
        """
        Judge, write what follows, and keep what every alert was found at.

        Raises:
            AppointmentDatabaseError: the database failed; what is not written is judged again next time.

        """
        judgments = judge(await self._readings.take(), self._objectives)
        latest = await self._stored.latest()
        now = self._clock.now()
        for move in decide(judgments, latest, now=now):
            if await self._write(move):
                _tell(move)
        await self._figures.note(present(judgments, latest), latest, now=now)

    async def _write(self, move: Move) -> bool:
        """Write an event, and tell whether nobody else had; what was decided on an old view is not written."""
        append = Append(
            stream_id=move.alert_id,
            expected_version=move.expected_version,
            append_id=uuid4().hex,
            correlation_id=move.alert_id.hex,
            recorded_at=self._clock.now(),
            events=(move.event,),
            due=NothingDue(),
        )
        return not isinstance(await self._events.append(append), Lost)


class AlertRunner:
    """Has the fleet watched every `seconds`, by one process; `run` ends when it is told to stop or cancelled."""

    def __init__(self, watch: AlertWatch, passes: Passes, *, seconds: float) -> None:
        self._watch = watch
        self._passes = passes
        self._every = timedelta(seconds=seconds)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Watch until `stop` is called; whoever has watched goes on, and if it dies the next one does."""
        while not await self._stopped():
            try:
                if await self._passes.begin(every=self._every):
                    await self._watch.look()
            except AppointmentDatabaseError as error:
                _log.warning("alerts.left", **error.as_log())
            except Exception:  # noqa: BLE001 - said below
                # A defect in one rule must not end the watching for good.
                _log.exception("alerts.crashed")

    async def stop(self) -> None:
        """Tell `run` to end."""
        self._stopping.set()

    async def _stopped(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._every.total_seconds()):
                await self._stopping.wait()
        return self._stopping.is_set()


def _tell(move: Move) -> None:
    about = {"alert_id": str(move.alert_id), "rule": move.rule, "service": move.service}
    match move.event:
        case AlertCleared(value=value):
            _log.info("alert.cleared", **about, value=value)
        case event:
            # An error would be a defect of our own.
            name = "alert.raised" if isinstance(event, AlertRaised) else "alert.severity_changed"
            _log.warning(name, **about, severity=event.severity, value=event.value, threshold=event.threshold)
