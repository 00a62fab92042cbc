"""
What people want of the fleet's breakers, kept where neither Redis nor a process can lose it (ADR-025).

A breaker in Redis obeys at once, and its last command is written to the log by whoever sees it first. Where Redis has
lost it (it came back empty, or as it was earlier), whoever sees that first puts back the last command of all that are
known, which is the log's as soon as that can be read. Commands are told apart by their instant, on Redis's clock.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
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
        self._news, self._unwritten = asyncio.Event(), asyncio.Event()
        self._told = structlog.get_logger("calsaga.breakers")

    def moved(self, transition: Transition, *, shared: bool) -> None:
        """Look soon, if it was a person who moved the fleet's breaker."""
        if shared and transition.cause == "manual":
            self._look_soon()

    def degraded(self, reason: str) -> None:  # noqa: ARG002 - whatever it was
        """Look soon: what this process has not seen in Redis may stand in the log."""
        self._look_soon()

    def recovered(self) -> None:
        """Look soon: Redis may have come back empty."""
        self._look_soon()

    async def run(self, breakers: Restorable) -> None:
        """Look, at times and when there is news, until cancelled; a log that does not answer holds up nothing else."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._again_and_again(self._news, lambda: self._heed(breakers)))
            tasks.create_task(self._again_and_again(self._unwritten, lambda: self._keep(breakers)))

    async def look_at(self, breakers: Restorable) -> bool:
        """Write what is not written, put back what is lost, and tell whether all that is known is written."""
        await self._heed(breakers)
        return await self._keep(breakers)

    def _look_soon(self) -> None:
        self._news.set()
        self._unwritten.set()

    async def _again_and_again(self, news: asyncio.Event, look: Callable[[], Awaitable[object]]) -> None:
        while True:
            # Even if nothing was heard: another process may have been told something.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await news.wait()
            news.clear()
            await look()

    async def _heed(self, breakers: Restorable) -> None:
        """Learn what Redis knows, and tell it what it has lost."""
        for name in self._names:
            await self._put_back(breakers, name)

    async def _put_back(self, breakers: Restorable, name: str) -> None:
        snapshot = await breakers.snapshot(name)
        here = snapshot.commanded if snapshot.shared else None
        if here is not None and self._learn(name, here):
            self._unwritten.set()
        last = self._known.get(name)
        if last is not None and (here is None or here.at < last.at):
            await breakers.restore(name, last)
            if snapshot.shared:
                self._tell_lost(name, last)

    async def _keep(self, breakers: Restorable) -> bool:
        """Learn what the log knows, and write down what it does not; tell whether it knows everything."""
        return all(await asyncio.gather(*(self._keep_one(breakers, name) for name in self._names)))

    async def _keep_one(self, breakers: Restorable, name: str) -> bool:
        try:
            written, version = await self._last(name)
        except (AppointmentDatabaseError, UnreadableEvent):
            # What cannot be read may be a newer calsaga's, which sees to it.
            return False
        if written is not None and self._learn(name, written):
            await self._put_back(breakers, name)
        last = self._known.get(name)
        if last is None or (written is not None and written.at >= last.at):
            return True
        return await self._write(name, last, version)

    def _learn(self, name: str, commanded: Commanded) -> bool:
        """Remember a command, and tell whether it is later than all that were known."""
        known = self._known.get(name)
        if known is not None and known.at >= commanded.at:
            return False
        self._known[name] = commanded
        return True

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
