"""
A breaker of this process that asks nobody for leave, and is told afterwards what came of calls.

It is for what is called too often for a permit each, and for work that waits by itself. Whoever can refuse callers
asks `held_back` first; everything else goes on, and what comes of it closes the breaker again.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from random import random
from typing import TypeVar

from adapters.breakers.local import steady_clock
from adapters.breakers.ports import Listener
from domain import breaker as machine
from domain.breaker import Step
from domain.breaker_policy import BreakerPolicy
from domain.breaker_state import Breaker
from domain.breaker_window import Tally
from domain.breaker_words import RECENT, Command, Outcome, Permit, Refusal, Snapshot, Transition

CALL = "call"
"""What a call is that nobody has told more about."""

A = TypeVar("A")
Counted = Callable[[str, str, Outcome, float | None], None]
"""Is told of each call: its service, what it was, what came of it, and how many seconds it took, if that is known."""


class WatchedBreaker:
    """
    All used from one thread. `opened` is set from the moment it opens until somebody has found it closed.

    `count` is told of every call as it comes. What went well while it is closed costs the breaker itself two additions:
    it is counted into the window when the window's next bucket begins, something fails, or somebody looks.

    Nobody probes one that `rests`, since it keeps nothing back: that nothing fails any more closes it, too.
    """

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy,
        *,
        listener: Listener,
        count: Counted = lambda _name, _operation, _outcome, _seconds: None,
        clock: Callable[[], float] | None = None,
        chance: Callable[[], float] = random,
        rests: bool = False,
    ) -> None:
        self.name = name
        self._rests = rests
        self._failed_at = 0.0
        self.opened = asyncio.Event()
        self._policy = policy
        self._listener = listener
        self._count = count
        self._clock = clock or steady_clock()
        self._chance = chance
        self._breaker = Breaker(name=name)
        self._bucket = 0
        self._bucket_ends = 0.0
        self._uncounted = 0
        self._recent: deque[Transition] = deque(maxlen=RECENT)
        self._outcomes: Counter[str] = Counter()

    def succeeded(self, operation: str = CALL, seconds: float | None = None) -> None:
        """Take note of a call that went well."""
        self._count(self.name, operation, "succeeded", seconds)
        now = self._clock()
        if now < self._bucket_ends and self._breaker.state == "closed":
            self._uncounted += 1
        else:
            # The first of each bucket is heard at once: what the window has forgotten by then may change how it judges.
            self._settle(now)
            self._hear("succeeded", now)

    def failed(self, operation: str = CALL, seconds: float | None = None) -> None:
        """Take note of a call that failed for a reason that says something about the far side."""
        self._count(self.name, operation, "failed", seconds)
        now = self._clock()
        self._failed_at = now
        self._settle(now)
        self._hear("failed", now)

    def held_back(self) -> Refusal | None:
        """Say that callers who can be refused should be, or None."""
        if self._breaker.state == "closed":
            return None
        snapshot = self.snapshot()
        if snapshot.state == "closed":
            return None
        until = snapshot.open_until
        return Refusal(
            name=self.name,
            reason="half_open" if snapshot.state == "half_open" else "manual" if snapshot.override else "open",
            retry_after=None if until is None else max(until.timestamp() - self._clock(), 0.0),
        )

    def snapshot(self) -> Snapshot:
        """Return how it stands."""
        now = self._clock()
        self._settle(now)
        self._rest(now)
        snapshot = self._take(machine.look(self._breaker, self._policy, now=now, chance=self._chance()))
        return replace(snapshot, operations={CALL: dict(self._outcomes)}, recent=tuple(self._recent))

    def control(self, command: Command) -> Snapshot:
        """Do what a person wants, in this process."""
        now = self._clock()
        self._settle(now)
        self._take(machine.control(self._breaker, self._policy, command, now=now, chance=self._chance()))
        return self.snapshot()

    def _rest(self, now: float) -> None:
        """Close what is not called any more, once a whole window has gone by without a failure."""
        breaker = self._breaker
        if not self._rests or breaker.state == "closed" or breaker.override is not None:
            return
        if now >= max(breaker.open_until or 0.0, self._failed_at + self._policy.window_seconds):
            for _ in range(self._policy.success_threshold):
                self._probe("succeeded", now)

    def _hear(self, outcome: Outcome, now: float) -> None:
        self._outcomes[outcome] += 1
        self._probe(outcome, now)

    def _probe(self, outcome: Outcome, now: float) -> None:
        """Ask for leave and give it back at once; while it is open and no probe is due yet, that changes nothing."""
        chance = self._chance()
        # Each is given back before the next is asked for, so that all may have one name.
        asked = machine.acquire(self._breaker, self._policy, now=now, permit_id="/it", chance=chance)
        permit = self._take(asked)
        if isinstance(permit, Permit):
            said = machine.record(self._breaker, self._policy, permit=permit, outcome=outcome, now=now, chance=chance)
            self._take(said)

    def _settle(self, now: float) -> None:
        """Count what went well since the last time, in the bucket that it belongs to."""
        if self._uncounted:
            self._outcomes["succeeded"] += self._uncounted
            middle = (self._bucket + 0.5) * self._policy.window_seconds / self._policy.buckets
            window = self._breaker.window.add(Tally(calls=self._uncounted), self._policy, now=middle)
            self._breaker = replace(self._breaker, window=window)
            self._uncounted = 0
        self._bucket = self._policy.bucket_of(now)
        self._bucket_ends = (self._bucket + 1) * self._policy.window_seconds / self._policy.buckets

    def _take(self, step: Step[A]) -> A:
        self._breaker = step.breaker
        for move in step.moves:
            self._recent.append(move)
            self._listener.moved(move, shared=False)
        if step.breaker.state != "closed":
            self.opened.set()
        return step.answer
