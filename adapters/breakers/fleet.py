"""Breakers that the fleet shares, and that this process decides alone while what they are kept in is away."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from adapters.breakers.last_heard import LastHeard
from adapters.breakers.local import LocalBreakers
from adapters.breakers.ports import Breakers, Listener, SharedBreakers, SharedStateAway
from adapters.left_alone import REST_SECONDS, LeftAlone
from domain.breaker_words import Command, Commanded, Outcome, Permit, Refusal, Snapshot

A = TypeVar("A")


class FleetBreakers:
    """
    The shared breakers, with the local ones behind them.

    A permit goes back to whoever gave it. What the fleet's breaker refused last stays refused for as long as it
    said, or until somebody says otherwise here: its going away opens no way through. One that was not closed, as far
    as this process knows, is tried by probes before anything else goes, here while Redis is away, and everywhere if
    Redis has lost it. What a person has made of the
    fleet's breaker, as far as this process knows, the local one is made to do as well. Once the shared ones answer
    again, the local ones are forgotten, and so is what came of calls that they let through.
    """

    def __init__(
        self,
        shared: SharedBreakers,
        local: LocalBreakers,
        *,
        listener: Listener,
        rest: float = REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._local = local
        self._listener = listener
        self._left_alone = LeftAlone(rest=rest, clock=clock)
        self._lost_at: datetime | None = None
        self._heard = LastHeard(clock=clock)

    def lost_at(self) -> datetime | None:
        """Return since when this process has been deciding alone, None if it does not."""
        return self._lost_at

    async def acquire(
        self, name: str, *, operation: str = "call", probe: bool = True, settles: bool = False
    ) -> Permit | Refusal:
        """Ask for leave to call."""

        async def ask(breakers: Breakers) -> Permit | Refusal:
            return await breakers.acquire(name, operation=operation, probe=probe, settles=settles)

        answer = await self._either(ask, alone=lambda: self._heard.still_refused(name))
        if isinstance(answer, Permit) and answer.shared and self._heard.is_lost(name, answer.epoch):
            await self.record(answer, "ignored")
            await self._suspect(name)
            answer = await self._either(ask, alone=lambda: self._heard.still_refused(name))
        if not self._left_alone.is_away:
            # Any other call may be let through a breaker that is half open.
            self._heard.answered(name, answer, closed=not probe and not settles)
        return answer

    async def record(self, permit: Permit, outcome: Outcome) -> None:
        """Give a permit back; one of the fleet's, while that is away, is freed by its lease."""
        if not permit.shared:
            await self._local.record(permit, outcome)
        elif not self._left_alone.is_away:
            try:
                await self._shared.record(permit, outcome)
            except SharedStateAway as error:
                self._degrade(error)

    async def snapshot(self, name: str) -> Snapshot:
        """Return how a breaker stands."""
        snapshot = await self._look(name)
        is_free = snapshot.shared and snapshot.state == "closed" and snapshot.override is None
        if is_free and self._heard.is_lost(name, snapshot.epoch):
            await self._suspect(name)
            snapshot = await self._look(name)
        return self._learn(snapshot)

    async def control(self, name: str, command: Command) -> Snapshot:
        """Do what a person wants."""
        self._heard.forget(name)
        return self._learn(await self._either(lambda breakers: breakers.control(name, command)))

    async def restore(self, name: str, commanded: Commanded) -> None:
        """Put back a person's command, for the fleet, or for this process while it decides alone."""
        self._heard.keep(name, commanded)
        await self._either(lambda breakers: breakers.restore(name, commanded))

    async def _look(self, name: str) -> Snapshot:
        return await self._either(lambda breakers: breakers.snapshot(name))

    async def _suspect(self, name: str) -> None:
        """Have a breaker probed that Redis has lost, and that was not closed."""
        epoch = self._heard.not_closed.get(name, 0)
        await self._either(lambda breakers: breakers.suspect(name, epoch=epoch))

    async def _either(
        self, ask: Callable[[SharedBreakers], Awaitable[A]], *, alone: Callable[[], A | None] = lambda: None
    ) -> A:
        finds_out = self._left_alone.is_away
        if self._left_alone.may_try():
            try:
                answer = await ask(self._shared)
            except SharedStateAway as error:
                self._degrade(error)
            else:
                # What was asked before it was lost shows nothing: of a crowd, some are answered in time and some not.
                if finds_out:
                    self._recover()
                return answer
        return alone() or await ask(self._local)

    def _learn(self, snapshot: Snapshot) -> Snapshot:
        if snapshot.shared:
            self._heard.looked(snapshot)
        return snapshot

    def _degrade(self, error: SharedStateAway) -> None:
        if self._left_alone.lost():
            self._lost_at = datetime.now(UTC)
            self._listener.degraded(str(error))
            for name, commanded in self._heard.commanded.items():
                self._local.hold(name, commanded)
            for name, epoch in self._heard.not_closed.items():
                self._local.distrust(name, epoch=epoch)

    def _recover(self) -> None:
        if self._left_alone.found():
            self._lost_at = None
            self._local.forget()
            self._listener.recovered()
