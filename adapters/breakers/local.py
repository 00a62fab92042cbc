"""Breakers that this process keeps in its own memory."""

import itertools
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import random
from typing import TypeVar

from adapters.breakers.ports import Listener
from domain import breaker as machine
from domain.breaker import Step
from domain.breaker_policy import BreakerPolicy
from domain.breaker_state import Breaker, permit_id_of
from domain.breaker_words import RECENT, Command, Commanded, Outcome, Permit, Refusal, Snapshot, Transition

A = TypeVar("A")


def steady_clock() -> Callable[[], float]:
    """Return a clock in seconds since 1970 that nobody can set: only its start is the machine's."""
    source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    began = time.time() - time.clock_gettime(source)
    return lambda: began + time.clock_gettime(source)


class LocalBreakers:
    """
    The breakers of one process, all used from one thread.

    A breaker without a policy of its own has `default`.
    """

    def __init__(
        self,
        policies: Mapping[str, BreakerPolicy],
        *,
        listener: Listener,
        default: BreakerPolicy | None = None,
        instance: str = "",
        clock: Callable[[], float] | None = None,
        chance: Callable[[], float] = random,
    ) -> None:
        self._policies = policies
        self._default = default or BreakerPolicy()
        self._listener = listener
        self._instance = instance
        self._clock = clock or steady_clock()
        self._chance = chance
        # Counted on when everything else is forgotten: what is not worth anything any more must not be again.
        self._tokens = itertools.count()
        self._breakers: dict[str, Breaker] = {}
        self._recent: defaultdict[str, deque[Transition]] = defaultdict(lambda: deque(maxlen=RECENT))
        self._operations: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))

    async def acquire(
        self, name: str, *, operation: str = "call", probe: bool = True, settles: bool = False
    ) -> Permit | Refusal:
        """Ask for leave to call."""
        step = machine.acquire(
            self._breaker(name),
            self._policy(name),
            now=self._clock(),
            permit_id=permit_id_of(self._instance, str(next(self._tokens)), settles=settles),
            chance=self._chance(),
            operation=operation,
            probe=probe,
        )
        if isinstance(step.answer, Refusal):
            self._operations[name][operation]["refused"] += 1
        return self._take(step)

    async def record(self, permit: Permit, outcome: Outcome) -> None:
        """Give a permit back."""
        breaker, policy = self._breaker(permit.name), self._policy(permit.name)
        now, chance = self._clock(), self._chance()
        if self._take(machine.record(breaker, policy, permit=permit, outcome=outcome, now=now, chance=chance)):
            self._operations[permit.name][permit.operation][outcome] += 1

    async def snapshot(self, name: str) -> Snapshot:
        """Return how a breaker stands."""
        snapshot = self._take(
            machine.look(self._breaker(name), self._policy(name), now=self._clock(), chance=self._chance())
        )
        operations = {operation: dict(counted) for operation, counted in self._operations[name].items()}
        return replace(snapshot, operations=operations, recent=tuple(self._recent[name]))

    async def control(self, name: str, command: Command) -> Snapshot:
        """Do what a person wants."""
        breaker, policy = self._breaker(name), self._policy(name)
        self._take(machine.control(breaker, policy, command, now=self._clock(), chance=self._chance()))
        return await self.snapshot(name)

    async def restore(self, name: str, commanded: Commanded) -> None:
        """Do what a person wanted elsewhere, unless something was wanted later, or it is done already."""
        self.hold(name, commanded)

    def hold(self, name: str, commanded: Commanded) -> None:
        """Do as `restore` does, at once."""
        breaker, policy = self._breaker(name), self._policy(name)
        self._take(machine.restore(breaker, policy, commanded, now=self._clock(), chance=self._chance()))

    async def suspect(self, name: str, *, epoch: int) -> None:
        """Have one probed that is closed, in an epoch before this one."""
        self.distrust(name, epoch=epoch)

    def distrust(self, name: str, *, epoch: int) -> None:
        """Do as `suspect` does, at once."""
        breaker, policy = self._breaker(name), self._policy(name)
        self._take(machine.suspect(breaker, policy, epoch=epoch, now=self._clock(), chance=self._chance()))

    def forget(self) -> None:
        """Begin anew, with every breaker closed; permits that are out are worth nothing."""
        self._breakers.clear()
        self._recent.clear()

    def _breaker(self, name: str) -> Breaker:
        return self._breakers.get(name) or Breaker(name=name)

    def _policy(self, name: str) -> BreakerPolicy:
        return self._policies.get(name, self._default)

    def _take(self, step: Step[A]) -> A:
        self._breakers[step.breaker.name] = step.breaker
        for move in step.moves:
            self._recent[move.name].append(move)
            self._listener.moved(move, shared=False)
        return step.answer
