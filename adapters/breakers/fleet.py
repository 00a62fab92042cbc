"""Breakers that the fleet shares, and that this process decides alone while what they are kept in is away."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import TypeVar

from adapters.breakers.local import LocalBreakers
from adapters.breakers.ports import Listener, Restorable, SharedStateAway
from adapters.left_alone import REST_SECONDS, LeftAlone
from domain.breaker_words import Command, Commanded, Outcome, Permit, Refusal, Snapshot

A = TypeVar("A")


class FleetBreakers:
    """
    The shared breakers, with the local ones behind them.

    A permit goes back to whoever gave it. What the fleet's breaker refused last stays refused for as long as it
    said, or until somebody says otherwise here: its going away opens no way through. One that was not closed, as far
    as this process knows, is tried by probes before anything else goes. What a person has made of the
    fleet's breaker, as far as this process knows, the local one is made to do as well. Once the shared ones answer
    again, the local ones are forgotten, and so is what came of calls that they let through.
    """

    def __init__(
        self,
        shared: Restorable,
        local: LocalBreakers,
        *,
        listener: Listener,
        rest: float = REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._local = local
        self._listener = listener
        self._clock = clock
        self._left_alone = LeftAlone(rest=rest, clock=clock)
        self._lost_at: datetime | None = None
        self._refused: dict[str, tuple[Refusal, float]] = {}
        self._not_closed: set[str] = set()
        self._commanded: dict[str, Commanded] = {}

    def lost_at(self) -> datetime | None:
        """Return since when this process has been deciding alone, None if it does not."""
        return self._lost_at

    async def acquire(
        self, name: str, *, operation: str = "call", probe: bool = True, settles: bool = False
    ) -> Permit | Refusal:
        """Ask for leave to call."""
        answer = await self._either(
            lambda breakers: breakers.acquire(name, operation=operation, probe=probe, settles=settles),
            alone=lambda: self._still_refused(name),
        )
        if not self._left_alone.is_away:
            self._remember(name, answer)
            if isinstance(answer, Refusal):
                self._not_closed.add(name)
            elif not probe and not settles:
                # Any other call may be let through a breaker that is half open.
                self._not_closed.discard(name)
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
        return self._learn(await self._either(lambda breakers: breakers.snapshot(name)))

    async def control(self, name: str, command: Command) -> Snapshot:
        """Do what a person wants."""
        self._refused.pop(name, None)
        return self._learn(await self._either(lambda breakers: breakers.control(name, command)))

    async def restore(self, name: str, commanded: Commanded) -> None:
        """Put back a person's command, for the fleet, or for this process while it decides alone."""
        self._keep(name, commanded)
        await self._either(lambda breakers: breakers.restore(name, commanded))

    async def _either(
        self, ask: Callable[[Restorable], Awaitable[A]], *, alone: Callable[[], A | None] = lambda: None
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
            if snapshot.state == "closed":
                self._refused.pop(snapshot.name, None)
                self._not_closed.discard(snapshot.name)
            else:
                self._not_closed.add(snapshot.name)
            if snapshot.commanded is not None:
                self._keep(snapshot.name, snapshot.commanded)
        return snapshot

    def _keep(self, name: str, commanded: Commanded) -> None:
        known = self._commanded.get(name)
        if known is None or known.at < commanded.at:
            self._commanded[name] = commanded

    def _remember(self, name: str, answer: Permit | Refusal) -> None:
        if isinstance(answer, Refusal) and answer.reason != "half_open":
            wait = inf if answer.retry_after is None else answer.retry_after
            self._refused[name] = (answer, self._clock() + wait)
        else:
            self._refused.pop(name, None)

    def _still_refused(self, name: str) -> Refusal | None:
        refusal, until = self._refused.get(name, (None, 0.0))
        left = until - self._clock()
        if refusal is None or left <= 0:
            return None
        return replace(refusal, retry_after=None if refusal.retry_after is None else left)

    def _degrade(self, error: SharedStateAway) -> None:
        if self._left_alone.lost():
            self._lost_at = datetime.now(UTC)
            self._listener.degraded(str(error))
            for name, commanded in self._commanded.items():
                self._local.hold(name, commanded)
            for name in self._not_closed:
                self._local.suspect(name)

    def _recover(self) -> None:
        if self._left_alone.found():
            self._lost_at = None
            self._local.forget()
            self._listener.recovered()
