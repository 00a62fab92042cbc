"""
A breaker that is told afterwards opens and closes as one that is asked before each call.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.breakers.local import LocalBreakers
from adapters.breakers.watched import WatchedBreaker
from domain.breaker_policy import BreakerPolicy
from domain.breaker_words import Command, Outcome, Permit, Snapshot
from tests.breakers.listening import Heard

POLICY = BreakerPolicy(open_seconds=1, open_cap_seconds=5, open_jitter=0.0, lease_seconds=10)
LATER = st.sampled_from([0.0, 0.01, 0.4, 1.0, 4.9, 7.0, 61.0])
STORIES = st.lists(
    st.tuples(st.sampled_from(["succeeded", "succeeded", "failed"]), st.integers(1, 12), LATER, st.booleans()),
    max_size=15,
)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def facts(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, operations={})


@settings(max_examples=30)
@given(story=STORIES)
def test_it_moves_as_one_that_gives_permits(story: list[tuple[Outcome, int, float, bool]]) -> None:
    async def play() -> None:
        clock, heard, others = Clock(), Heard(), Heard()
        told: Counter[str] = Counter()

        def count(_name: str, operation: str, outcome: Outcome, seconds: float | None) -> None:
            assert (operation, seconds) == ("read", 0.1)
            told[outcome] += 1

        watched = WatchedBreaker("database", POLICY, listener=heard, count=count, clock=clock, chance=lambda: 0)
        asked = LocalBreakers({"database": POLICY}, listener=others, clock=clock, chance=lambda: 0)
        for outcome, times, seconds, looked_at in story:
            clock.now += seconds
            for _ in range(times):
                (watched.succeeded if outcome == "succeeded" else watched.failed)("read", 0.1)
                permit = await asked.acquire("database")
                if isinstance(permit, Permit):
                    await asked.record(permit, outcome)
            if looked_at:
                assert facts(await asked.snapshot("database")) == facts(watched.snapshot())
        assert facts(await asked.snapshot("database")) == facts(watched.snapshot())
        assert others.moves == heard.moves
        expected: Counter[str] = Counter()
        for outcome, times, _, _ in story:
            expected[outcome] += times
        assert expected == told == Counter(watched.snapshot().operations["call"])

    asyncio.run(play())


def open_one(clock: Clock) -> WatchedBreaker:
    watched = WatchedBreaker("database", POLICY, listener=Heard(), clock=clock, chance=lambda: 0)
    for _ in range(5):
        watched.failed()
    return watched


def test_whoever_can_be_refused_is_until_two_tries_have_gone_well() -> None:
    clock = Clock()
    watched = open_one(clock)

    refusal = watched.held_back()
    assert refusal is not None
    assert ("open", 1.0) == (refusal.reason, refusal.retry_after)
    assert watched.opened.is_set()
    clock.now += 1
    watched.succeeded()
    probed = watched.held_back()
    assert probed is not None
    assert ("half_open", None) == (probed.reason, probed.retry_after)
    watched.succeeded()
    assert watched.held_back() is None


def test_what_goes_well_before_a_probe_is_due_closes_nothing() -> None:
    clock = Clock()
    watched = open_one(clock)
    watched.succeeded()
    watched.succeeded()

    assert watched.held_back() is not None


def test_many_calls_that_went_well_long_ago_hide_no_failure() -> None:
    clock = Clock()
    watched = WatchedBreaker("database", POLICY, listener=Heard(), clock=clock, chance=lambda: 0)
    for _ in range(10_000):
        watched.succeeded()
    clock.now += 3600
    for _ in range(5):
        watched.failed()

    assert "open" == watched.snapshot().state


def test_a_person_opens_and_resets_it() -> None:
    clock = Clock()
    watched = WatchedBreaker("database", POLICY, listener=Heard(), clock=clock)

    opened = watched.control(Command(action="open", actor="ada", reason="they move house"))
    refusal = watched.held_back()
    assert refusal is not None
    assert ("open", "manual", None) == (opened.state, refusal.reason, refusal.retry_after)
    assert "closed" == watched.control(Command(action="reset", actor="ada", reason="done")).state
    assert watched.held_back() is None


def test_what_a_person_opened_for_a_time_is_probed_afterwards() -> None:
    clock = Clock()
    watched = WatchedBreaker("database", POLICY, listener=Heard(), clock=clock)
    watched.control(Command(action="open", actor="ada", reason="they move house", seconds=2))
    clock.now += 3

    assert watched.held_back() is not None
    watched.succeeded()
    watched.succeeded()
    assert watched.held_back() is None


@settings(max_examples=30)
@given(quiet=st.sampled_from([1.0, 30.0, 59.0, 61.0, 9_000.0]), half_open=st.booleans())
def test_one_that_rests_closes_once_a_window_has_gone_by_without_a_failure(quiet: float, half_open: bool) -> None:
    clock = Clock()
    watched = WatchedBreaker("appointments", POLICY, listener=Heard(), clock=clock, chance=lambda: 0, rests=True)
    for _ in range(5):
        watched.failed()
    if half_open:
        clock.now += POLICY.open_seconds + 1
        watched.succeeded()
        quiet = max(quiet - POLICY.open_seconds - 1, 0)
    clock.now += quiet

    assert (quiet + (POLICY.open_seconds + 1) * half_open >= POLICY.window_seconds) == (
        "closed" == watched.snapshot().state
    )


def test_one_that_rests_stays_as_a_person_has_set_it() -> None:
    clock = Clock()
    watched = WatchedBreaker("appointments", POLICY, listener=Heard(), clock=clock, chance=lambda: 0, rests=True)
    watched.control(Command(action="open", actor="ada", reason="they move house"))
    clock.now += 9_000

    assert "open" == watched.snapshot().state
