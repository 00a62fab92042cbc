"""
Whatever is asked in whatever order, every breaker does what the reference does.

CALSAGA_SWEEP=2 and more multiplies the number of runs, and makes them other ones each time.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from adapters.breakers.local import LocalBreakers
from adapters.redis.breakers import RedisBreakers
from domain.breaker_policy import BreakerPolicy
from domain.breaker_state import moment
from domain.breaker_words import Action, Cause, Command, Commanded, Outcome, Permit, Refusal, Trigger
from tests.breakers.listening import Heard
from tests.breakers.reference import Call, Reference
from tests.breakers.stores import BEGAN, set_redis_clock

A = TypeVar("A")
Store = LocalBreakers | RedisBreakers

TIMES = int(os.environ.get("CALSAGA_SWEEP", "1"))
# All of it in quarters of a second, so that seconds and milliseconds are exactly equal.
POLICY = BreakerPolicy(
    failure_threshold=3,
    window_seconds=8,
    buckets=4,
    rate_from=6,
    failure_rate=0.5,
    minimum_calls=4,
    slow_seconds=2,
    slow_rate=0.75,
    open_seconds=4,
    open_cap_seconds=12,
    open_jitter=0.5,
    stable_seconds=20,
    half_open_quota=3,
    success_threshold=2,
    half_open_limit_seconds=6,
    lease_seconds=3,
)
POLICIES = {
    "all triggers": POLICY,
    "lost calls fail": replace(POLICY, lost="failed"),
    "rates alone": replace(POLICY, failure_threshold=1000),
    "two instances": replace(POLICY, quorum=2),
    "two instances, lost calls fail": replace(POLICY, quorum=2, lost="failed", failure_threshold=4),
    "one probe": replace(POLICY, half_open_quota=1, half_open_reserve=1, success_threshold=1, stable_seconds=0.25),
}
BETWEEN_COMMANDS = 12
INSTANCES = ("a/1", "b")
CAUSES: set[str] = {*get_args(Trigger)}.union(*(get_args(part) or {part} for part in get_args(Cause)))
# Whoever decides alone is told to suspect a breaker, and no store that is shared: see `test_suspecting`.
EVERY_CAUSE = CAUSES - {"suspected"}

Held = tuple[Call, tuple[Permit, ...]]


class AlikeBreakers(RuleBasedStateMachine):
    """
    The reference, the breakers of this process, and, if there is a Redis, those in it, asked the same at the same time.
    """

    held: Bundle[Held] = Bundle("held")
    instances = st.sampled_from(INSTANCES)
    chances = st.sampled_from([0.0, 0.5, 1.0])

    def __init__(self, reached: Counter[str], redis_url: str | None = None) -> None:
        super().__init__()
        # Not a runner, which takes the interrupt of the whole process for each of a hundred thousand calls.
        self.loop = asyncio.new_event_loop()
        self.reached = reached
        self.client = Redis.from_url(redis_url) if redis_url else None
        self.now, self.chance, self.since_command = BEGAN, 0.0, 0

    @initialize(policy=st.sampled_from(sorted(POLICIES)))
    def begin(self, policy: str) -> None:
        figures = {"x": POLICIES[policy]}
        self.reference = Reference(figures["x"])
        self.heard = [Heard()]
        self.stores: list[Store] = [
            LocalBreakers(figures, listener=self.heard[0], clock=lambda: self.now, chance=lambda: self.chance)
        ]
        if self.client is not None:
            self.heard.append(Heard())
            self.stores.append(
                RedisBreakers(self.client, figures, listener=self.heard[1], limit=30, chance=lambda: self.chance)
            )
            self.loop.run_until_complete(_done(self.client.flushdb()))
        self._set_clock()

    @rule(
        target=held,
        instance=instances,
        probe=st.sampled_from([True, True, True, False]),
        settles=st.sampled_from([False, False, True]),
        chance=chances,
    )
    def acquire(
        self, instance: str, chance: float, *, probe: bool, settles: bool = False
    ) -> Held | MultipleResults[Held]:
        self.chance = chance
        expected = self.reference.acquire(instance, now=self.now, chance=chance, probe=probe, settles=settles)
        for store in self.stores:
            store._instance = instance
        answers = self._each(lambda store: store.acquire("x", probe=probe, settles=settles))

        for answer in answers:
            told = (answer.reason, answer.retry_after) if isinstance(answer, Refusal) else answer.epoch
            assert told == (expected.epoch if isinstance(expected, Call) else expected)
        self._agree()
        return (
            (expected, tuple(one for one in answers if isinstance(one, Permit)))
            if isinstance(expected, Call)
            else multiple()
        )

    @rule(
        held=st.one_of(consumes(held), held),
        outcome=st.sampled_from(["succeeded", "succeeded", "failed", "failed", "ignored"]),
        chance=chances,
    )
    def record(self, held: Held, outcome: Outcome, chance: float) -> None:
        self.chance = chance
        self.reference.record(held[0], outcome, now=self.now, chance=chance)
        for store, permit in zip(self.stores, held[1], strict=True):
            self.loop.run_until_complete(store.record(permit, outcome))

        self._agree()

    @rule(
        instance=instances,
        calls=st.integers(1, 6),
        quarters=st.sampled_from([0, 0, 0, 1, 8, 9, 11]),
        outcome=st.sampled_from(["succeeded", "failed"]),
    )
    def call_together(self, instance: str, calls: int, quarters: int, outcome: Outcome) -> None:
        answers = [self.acquire(instance, 0.0, probe=True) for _ in range(calls)]
        if quarters:
            self.wait(quarters)
        for held in answers:
            if isinstance(held, tuple):
                self.record(held, outcome, 0.5)

    @rule(permits=st.integers(1, 4), again=st.integers(1, 4), outcome=st.sampled_from(["succeeded", "ignored"]))
    def one_of_several_comes_back(self, permits: int, again: int, outcome: Outcome) -> None:
        self.wait_for_what_is_due(0, 0)
        answers = [self.acquire(INSTANCES[0], 0.0, probe=True) for _ in range(permits)]
        for held in answers[:1]:
            if isinstance(held, tuple):
                self.record(held, outcome, 0.0)
        for _ in range(again):
            self.acquire(INSTANCES[1], 0.0, probe=True)

    @rule(settling=st.integers(1, 3), outcome=st.sampled_from(["succeeded", "succeeded", "failed", "ignored"]))
    def settle_beside_a_probe(self, settling: int, outcome: Outcome) -> None:
        self.wait_for_what_is_due(0, 0)
        self.acquire(INSTANCES[0], 0.0, probe=True)
        answers = [self.acquire(INSTANCES[1], 0.0, probe=False, settles=True) for _ in range(settling)]
        for held in answers:
            if isinstance(held, tuple):
                self.record(held, outcome, 0.0)
        self.look(0.0)

    @rule(quarters=st.integers(1, 40))
    def wait(self, quarters: int) -> None:
        self.now += quarters / 4
        self._set_clock()

    @rule(which=st.integers(0, 20), by=st.sampled_from([-1, 0, 0, 1]))
    def wait_for_what_is_due(self, which: int, by: int) -> None:
        """
        Wait exactly for one of the next moments at which something ends, or for a little less or more.
        """
        ahead = sorted({at for at in self.reference.moments() if at > self.now})
        if ahead:
            self.now = max(ahead[which % len(ahead)] + by / 4, self.now)
            self._set_clock()

    @precondition(lambda self: self.since_command >= BETWEEN_COMMANDS)
    @rule(
        action=st.sampled_from(["open", "close", "observe", "reset", "reset"]),
        seconds=st.sampled_from([None, 0.25, 1.0, 5.25, 30.0]),
        chance=chances,
    )
    def control(self, action: Action, seconds: float | None, chance: float) -> None:
        self.chance = chance
        lasts = None if action == "reset" else seconds
        command = Command(action=action, actor="ann", reason="as a test", seconds=lasts)
        self.reference.control(command, now=self.now, chance=chance)
        self._each(lambda store: store.control("x", command))

        self._agree()
        self.since_command = 0

    @precondition(lambda self: self.since_command >= BETWEEN_COMMANDS)
    @rule(
        action=st.sampled_from(["open", "close", "observe", "reset"]),
        seconds=st.sampled_from([None, 5.25, 30.0]),
        ago=st.sampled_from([0.0, 0.25, 5.25, 20.0]),
        chance=chances,
    )
    def restore(self, action: Action, seconds: float | None, ago: float, chance: float) -> None:
        self.chance = chance
        at, lasts = self.now - ago, None if action == "reset" else seconds
        command = Command(action=action, actor="bob", reason="as before", seconds=lasts)
        until = None if lasts is None else moment(at + lasts)
        commanded = Commanded(action=action, actor="bob", reason="as before", at=moment(at), expires_at=until)
        self.reference.restore(command, at, now=self.now, chance=chance)
        self._each(lambda store: store.restore("x", commanded))

        self._agree()
        self.since_command = 0

    @rule(chance=chances)
    def look(self, chance: float) -> None:
        self.chance = chance
        expected = self.reference.look(now=self.now, chance=chance)
        first, *others = self._each(lambda store: store.snapshot("x"))

        assert [replace(first, shared=True)] * len(others) == others
        found = {name: getattr(first, name) for name in expected}
        found["override"] = first.override.action if first.override else None
        assert expected == found
        self._agree()

    def teardown(self) -> None:
        if self.client is not None:
            self.loop.run_until_complete(self.client.aclose())
        self.loop.close()

    def _each(self, ask: Callable[[Store], Coroutine[Any, Any, A]]) -> list[A]:
        return [self.loop.run_until_complete(ask(store)) for store in self.stores]

    def _agree(self) -> None:
        self.since_command += 1
        expected = [(*move[:3], moment(move[3]), *move[4:]) for move in self.reference.moves()]
        moves = self.heard[0].moves
        assert expected == [
            (one.before, one.after, one.cause, one.at, one.failures, one.calls, one.slow) for one in moves
        ]
        for heard in self.heard[1:]:
            assert moves == heard.moves
        self.reached.update(move.cause for move in moves[self.seen :])
        self.seen = len(moves)

    seen = 0

    def _set_clock(self) -> None:
        if self.client is not None:
            self.loop.run_until_complete(set_redis_clock(self.client, self.now))


async def _done(command: Awaitable[object]) -> None:
    await command


def run_alike(*, runs: int, redis_url: str | None = None) -> Counter[str]:
    """
    Play, and return how often each cause has moved a breaker.
    """
    reached: Counter[str] = Counter()
    run_state_machine_as_test(
        partial(AlikeBreakers, reached, redis_url),  # type: ignore[arg-type]
        settings=settings(
            max_examples=runs * TIMES,
            stateful_step_count=60,
            derandomize=TIMES == 1,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return reached
