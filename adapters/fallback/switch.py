"""
The switch of full fallback, in the log.

One stream for the fleet, so that of two who switch at once the second sees what the first has done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from domain import full_fallback as ff
from domain.full_fallback import FullFallbackBegun, FullFallbackEnded, FullFallbackEvent
from sagas.appending import Append, Lost, NothingDue, Recorded
from sagas.ports import Clock, Ids, Log


class SwitchLog(Log, Protocol):
    """The log, with the end of a stream."""

    async def last(self, stream_id: UUID) -> Recorded | None:
        """Return a stream's last event, or None if there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How full fallback stands: what `holds`, and the `last` event, which may be an end."""

    holds: FullFallbackBegun | None
    last: FullFallbackEvent | None
    asked_at: datetime

    @property
    def expired(self) -> bool:
        """Tell whether its time is over, and nobody has written that down."""
        return self.holds is None and isinstance(self.last, FullFallbackBegun)


class FallbackSwitch:
    """Reads and writes the stream; every event is written once, whatever process does it."""

    def __init__(self, *, events: SwitchLog, clock: Clock, ids: Ids) -> None:
        self._events = events
        self._clock = clock
        self._ids = ids
        self._log = structlog.get_logger("calsaga.fallback")

    async def standing(self) -> Standing:
        """
        Return how it stands.

        Raises:
            AppointmentDatabaseError: the database did not answer.

        """
        last, _ = await self._last()
        now = self._clock.now()
        return Standing(holds=ff.holding(last, now), last=last, asked_at=now)

    async def on(self, wish: ff.SwitchOn) -> Standing:
        """
        Switch it on, or on again for another time or reason.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        return await self._write(lambda last, now: ff.switch_on(last, wish, now=now))

    async def off(self, wish: ff.SwitchOff) -> Standing:
        """
        Switch it off; nothing is written if it is off.

        Raises:
            AppointmentDatabaseError: the database did not take it.

        """
        return await self._write(lambda last, now: ff.switch_off(last, wish, now=now))

    async def expire(self) -> Standing:
        """
        Write down that its time is over, if it is and nobody has.

        Raises:
            AppointmentDatabaseError: the database did not answer, or did not take it.

        """
        return await self._write(lambda last, now: ff.expire(last, now=now))

    async def _write(
        self, decide: Callable[[FullFallbackEvent | None, datetime], tuple[FullFallbackEvent, ...]]
    ) -> Standing:
        while True:
            last, version = await self._last()
            now = self._clock.now()
            events = decide(last, now)
            if not events:
                return Standing(holds=ff.holding(last, now), last=last, asked_at=now)
            append = Append(
                stream_id=ff.STREAM,
                expected_version=version,
                append_id=self._ids.attempt_id(),
                correlation_id=ff.STREAM.hex,
                recorded_at=now,
                events=events,
                due=NothingDue(),
            )
            if not isinstance(await self._events.append(append), Lost):
                for event in events:
                    self._tell(event)
                return Standing(holds=ff.holding(events[-1], now), last=events[-1], asked_at=now)

    async def _last(self) -> tuple[FullFallbackEvent | None, int]:
        recorded = await self._events.last(ff.STREAM)
        if recorded is None:
            return None, 0
        if not isinstance(recorded.event, FullFallbackEvent):
            raise TypeError(f"the stream of full fallback ends with {recorded.event.TOPIC}")
        return recorded.event, recorded.version

    def _tell(self, event: FullFallbackEvent) -> None:
        match event:
            case FullFallbackBegun():
                self._log.warning(
                    "fallback.begun", actor=event.actor, reason=event.reason, expires_at=event.expires_at.isoformat()
                )
            case FullFallbackEnded():
                self._log.warning("fallback.ended", actor=event.actor, reason=event.reason)
