"""How each service has done lately, of all processes together, and a person's clearing of it (M12, M30)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from adapters.database.failure_metrics import FailureMetrics
from domain.dependencies import SERVICES
from domain.failure_detector import Detected, FailureRule, FailureWindow, Severity, detect
from domain.failures_cleared import FailuresCleared, clear_failures, clearings_id_of
from domain.verdict import Failures
from sagas.appending import Append, Lost, NothingDue
from sagas.ports import Clock, Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How a service has done lately, and who cleared it last."""

    detected: Detected
    cleared: FailuresCleared | None


class FailureDetector:
    """Judges by the minutes in the database; what was counted within the last seconds may not be there yet."""

    def __init__(
        self,
        metrics: FailureMetrics,
        *,
        events: Log,
        clock: Clock,
        rule: FailureRule,
        configured: Callable[[], Iterable[str]],
    ) -> None:
        self._metrics = metrics
        self._events = events
        self._clock = clock
        self._rule = rule
        self._configured = configured

    async def find(self) -> Mapping[str, Found]:
        """
        Return how each service has done that is configured, or was called lately.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        now = self._clock.now()
        windows = await self._lately(now)
        called = {one.service for one in windows}
        return {
            name: await self._found(name, windows, now) for name in SERVICES if name in called | {*self._configured()}
        }

    async def unwell(self) -> Mapping[str, Failures]:
        """
        Return what is to be said of the services whose failures are more than low; one question if there are none.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        now = self._clock.now()
        windows = await self._lately(now)
        suspects = {one.service for one in windows if one.failures}
        found = {
            name: (await self._found(name, windows, now)).detected
            for name in SERVICES
            if name in suspects and detect(name, windows, self._rule, now=now).severity != "low"
        }
        return {
            name: Failures(severity=one.severity, detail=one.detail)
            for name, one in found.items()
            if one.severity != "low"
        }

    async def windows(self, *, minutes: int, service: str | None = None) -> Sequence[tuple[FailureWindow, Severity]]:
        """
        Return the last minutes, the oldest first, each with its severity.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        start = self._clock.now() - timedelta(minutes=minutes)
        return await self._metrics.since(start, service=service)

    async def clear(self, service: str, *, actor: str, reason: str) -> Found:
        """
        Let nothing count that failed until now, and return how the service stands then.

        Raises:
            ValueError: the service is unknown, or actor or reason cannot be kept; the message begins with its name.
            AppointmentDatabaseError: it is not known to be written; to clear again is safe.

        """
        cleared = clear_failures(service, actor=actor, reason=reason, at=self._clock.now())
        stream_id = clearings_id_of(service)
        append_id = uuid4().hex
        while True:
            append = Append(
                stream_id=stream_id,
                expected_version=len(await self._events.read(stream_id)),
                append_id=append_id,
                correlation_id=append_id,
                recorded_at=cleared.at,
                events=(cleared,),
                due=NothingDue(),
            )
            # Somebody else may be clearing it as well.
            if not isinstance(await self._events.append(append), Lost):
                now = self._clock.now()
                return await self._found(service, await self._lately(now), now)

    async def _lately(self, now: datetime) -> list[FailureWindow]:
        return [window for window, _ in await self._metrics.since(now - self._rule.window)]

    async def _found(self, service: str, windows: Iterable[FailureWindow], now: datetime) -> Found:
        cleared = await self._last_cleared(service)
        cleared_at = None if cleared is None else cleared.at
        return Found(
            detected=detect(service, windows, self._rule, now=now, cleared_at=cleared_at),
            cleared=cleared,
        )

    async def _last_cleared(self, service: str) -> FailuresCleared | None:
        events = [one.event for one in await self._events.read(clearings_id_of(service))]
        return next((it for it in reversed(events) if isinstance(it, FailuresCleared)), None)
