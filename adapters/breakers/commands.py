"""
What people want of the fleet's breakers, kept where neither Redis nor a process can lose it (ADR-025).

A breaker in Redis obeys at once, and its last command is written to the log by whoever sees it first. Where Redis has
lost it (it came back empty, or as it was earlier), whoever sees that first puts back the last command of all that are
known, which is the log's as soon as that can be read. Commands are told apart by their instant, on Redis's clock.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID, uuid4

import structlog

from adapters.breakers.ports import Restorable
from adapters.recording.errors import UnreadableEvent
from domain.breaker_commanded import BreakerCommanded, breaker_commanded, commands_id_of
from domain.breaker_words import Commanded, Transition
from domain.errors import AppointmentDatabaseError
from sagas.appending import Append, NothingDue, Recorded
from sagas.ports import Clock, Log

BETWEEN_LOOKS = 5.0
"""Seconds between two looks, unless there is news."""


class CommandLog(Log, Protocol):
    """The log, with the end of a stream."""

    async def last(self, stream_id: UUID) -> Recorded | None:
        """Return a stream's last event, or None if there is none."""
        ...


class KeptCommands:
    """A listener that looks at once when a person has commanded something, and when Redis goes; `run` looks."""

    def __init__(self, *, log: CommandLog, clock: Clock, names: Sequence[str], pause: float = BETWEEN_LOOKS) -> None:
        self._log = log
        self._clock = clock
        self._names = names
        self._pause = pause
        self._known: dict[str, Commanded] = {}
        self._news = asyncio.Event()
        self._told = structlog.get_logger("calsaga.breakers")

    def moved(self, transition: Transition, *, shared: bool) -> None:
        """Look soon, if it was a person who moved the fleet's breaker."""
        if shared and transition.cause == "manual":
            self._news.set()

    def degraded(self, reason: str) -> None:  # noqa: ARG002 - whatever it was
        """Look soon: what this process has not seen in Redis may stand in the log."""
        self._news.set()

    def recovered(self) -> None:
        """Look soon: Redis may have come back empty."""
        self._news.set()

    async def run(self, breakers: Restorable) -> None:
        """Look, at times and when there is news, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._pause):
                    await self._news.wait()
            except TimeoutError:
                # Nothing was heard, and yet another process may have been told something.
                pass
            self._news.clear()
            await self.look_at(breakers)

    async def look_at(self, breakers: Restorable) -> bool:
        """Write what is not written, put back what is lost, and tell whether all that is known is written."""
        return all([await self._look_at(breakers, name) for name in self._names])

    async def _look_at(self, breakers: Restorable, name: str) -> bool:
        snapshot = await breakers.snapshot(name)
        here = snapshot.commanded if snapshot.shared else None
        try:
            written, version = await self._last(name)
        except (AppointmentDatabaseError, UnreadableEvent):
            # What cannot be read may be a newer calsaga's, which sees to it.
            written, version = None, None
        last = max((one for one in (here, written, self._known.get(name)) if one), key=_at, default=None)
        if last is None:
            return version is not None
        self._known[name] = last
        if here is None or here.at < last.at:
            await breakers.restore(name, last)
            if snapshot.shared:
                self._tell_lost(name, last)
        if version is None:
            return False
        return (written is not None and written.at >= last.at) or await self._write(name, last, version)

    async def _last(self, name: str) -> tuple[Commanded | None, int]:
        recorded = await self._log.last(commands_id_of(name))
        if recorded is None or not isinstance(recorded.event, BreakerCommanded):
            return None, 0
        return recorded.event.commanded, recorded.version

    async def _write(self, name: str, commanded: Commanded, version: int) -> bool:
        stream_id = commands_id_of(name)
        append = Append(
            stream_id=stream_id,
            expected_version=version,
            append_id=uuid4().hex,
            correlation_id=stream_id.hex,
            recorded_at=self._clock.now(),
            events=(breaker_commanded(name, commanded),),
            due=NothingDue(),
        )
        try:
            # If another process is faster, this one loses its append, and all is well.
            await self._log.append(append)
        except AppointmentDatabaseError:
            return False
        return True

    def _tell_lost(self, name: str, commanded: Commanded) -> None:
        self._told.warning(
            "breaker.command.restored",
            breaker=name,
            action=commanded.action,
            actor=commanded.actor,
            reason=commanded.reason,
            commanded_at=commanded.at.isoformat(),
        )


def _at(commanded: Commanded) -> float:
    return commanded.at.timestamp()
