"""
Pacing by the headers: a key that this process uses alone never goes over Cal.com's limit, and the reserve is there.

The server counts in windows that begin with the first call; calls and answers take their time, and overtake each other.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.calcom.rate_limit import ASSUMED_LIMIT, LONGEST_UNDER_WAY, RateLimit
from adapters.sandbox.rate_limit import RateLimiter
from tests.unit.adapters.calcom.building import SettableSeconds

RESERVE = 0.25


class Pacing(RuleBasedStateMachine):
    """
    One process, and Cal.com's throttle, which blocks whoever comes too often.
    """

    @initialize(limit=st.sampled_from([4, 10, 40]))
    def begin(self, limit: int) -> None:
        self.clock = SettableSeconds()
        self.server = RateLimiter(limit=limit)
        self.pace = RateLimit(clock=self.clock, reserve=RESERVE)
        self.limit = limit
        self.on_their_way: list[float] = []
        self.answers: list[tuple[float, dict[str, str]]] = []
        self.refused = 0
        self.held_back: list[float] = []
        # The first answer, before which nobody knows of any limit.
        self.send(spends_reserve=False)
        self.arrive()
        self.hear(0)

    def send(self, *, spends_reserve: bool) -> bool:
        if self.pace.wait(spends_reserve=spends_reserve) is not None:
            return False
        self.on_their_way.append(self.pace.begin())
        return True

    def window_is_open(self) -> bool:
        window = self.server._windows["key"]
        return window.ends_at > self.clock.at

    @rule(calls=st.integers(1, 50), spends_reserve=st.booleans())
    def many_want_to_call(self, calls: int, spends_reserve: bool) -> None:
        for _ in range(calls):
            self.send(spends_reserve=spends_reserve)

    @rule()
    def a_compensation_finds_the_reserve(self) -> None:
        # What only others have used is the server's to tell; here nobody else calls.
        window = self.server._windows["key"]
        hits = window.hits if self.window_is_open() else 0
        ordinary = self.limit - self.limit * RESERVE
        if hits + len(self.on_their_way) <= ordinary and not self.answers:
            assert self.pace.wait(spends_reserve=True) is None

    @precondition(lambda self: self.on_their_way)
    @rule(calls=st.integers(1, 50))
    def some_arrive(self, calls: int) -> None:
        for _ in range(min(calls, len(self.on_their_way))):
            self.arrive(which=calls)

    def arrive(self, which: int = 0) -> None:
        sent_at = self.on_their_way.pop(which % len(self.on_their_way))
        verdict = self.server.hit("key", at=self.clock.at)
        self.refused += not verdict.allowed
        self.answers.append((sent_at, verdict.headers))

    @precondition(lambda self: self.answers)
    @rule(which=st.integers(0, 100))
    def an_answer_is_heard(self, which: int) -> None:
        self.hear(which % len(self.answers))

    def hear(self, which: int) -> None:
        sent_at, headers = self.answers.pop(which)
        self.pace.end()
        self.pace.note({name.lower(): value for name, value in headers.items()}, sent_at=sent_at)

    @rule(seconds=st.sampled_from([0.3, 1, 5, 10, 14]))
    def time_passes(self, seconds: float) -> None:
        # No call is on its way, and no answer unheard, for longer than an attempt may take.
        too_old = self.clock.at + seconds - LONGEST_UNDER_WAY
        while self.on_their_way and min(self.on_their_way) < too_old:
            self.arrive(which=self.on_their_way.index(min(self.on_their_way)))
        while stale := [which for which, (sent_at, _) in enumerate(self.answers) if sent_at < too_old]:
            self.hear(stale[0])
        self.clock.at += seconds

    @precondition(lambda self: self.answers)
    @rule()
    def an_answer_is_lost(self) -> None:
        self.answers.pop()
        self.pace.end()

    @invariant()
    def nobody_was_refused(self) -> None:
        assert not getattr(self, "refused", 0)


TestPacing = Pacing.TestCase
TestPacing.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_ordinary_calls_leave_the_reserve_alone_in_every_window() -> None:
    clock = SettableSeconds()
    server, pace = RateLimiter(limit=40), RateLimit(clock=clock, reserve=RESERVE)
    through: list[int] = []
    for _ in range(4):
        sent = 0
        while pace.wait(spends_reserve=False) is None:
            sent_at = pace.begin()
            sent += 1
            pace.end()
            headers = server.hit("key", at=clock.at).headers
            pace.note({name.lower(): value for name, value in headers.items()}, sent_at=sent_at)
        for _ in range(10):
            assert pace.wait(spends_reserve=True) is None
            pace.begin()
            assert server.hit("key", at=clock.at).allowed
            pace.end()
        through.append(sent)
        clock.at += 60

    assert [30] * 4 == through


def test_a_crowd_that_waits_for_the_window_does_not_go_over_it_at_once() -> None:
    clock = SettableSeconds()
    pace = RateLimit(clock=clock, reserve=0.1)
    pace.note(
        {
            "x-ratelimit-limit-default": "120",
            "x-ratelimit-remaining-default": "0",
            "x-ratelimit-reset-default": "20",
        },
        sent_at=clock.at,
    )
    clock.at += 20
    gone = 0
    while pace.wait(spends_reserve=False) is None:
        pace.begin()
        gone += 1

    assert 108 == gone


def test_before_the_first_answer_no_more_go_than_the_smallest_limit_allows() -> None:
    pace = RateLimit(clock=SettableSeconds(), reserve=0.1)
    gone = 0
    while pace.wait(spends_reserve=False) is None:
        pace.begin()
        gone += 1

    assert ASSUMED_LIMIT == 120
    assert 108 == gone
    assert pace.wait(spends_reserve=True) is None
    # An answer without a word of limits: there are none.
    pace.note({}, sent_at=pace.begin())
    assert pace.wait(spends_reserve=False) is None


def told(remaining: int, reset: int) -> dict[str, str]:
    figures = {"limit": 120, "remaining": remaining, "reset": reset}
    return {f"x-ratelimit-{name}-default": str(figure) for name, figure in figures.items()}


def goes(pace: RateLimit) -> int:
    gone = 0
    while pace.wait(spends_reserve=True) is None:
        pace.begin()
        gone += 1
    return gone


def test_calls_that_are_still_on_their_way_count_in_the_next_window() -> None:
    clock = SettableSeconds()
    pace = RateLimit(clock=clock, reserve=0.1)
    pace.note(told(50, 1), sent_at=clock.at)
    for _ in range(30):
        pace.begin()
    clock.at += 1

    assert 120 - 30 == goes(pace)


def test_a_window_whose_answers_are_lost_is_not_thought_over_too_soon() -> None:
    clock = SettableSeconds()
    pace = RateLimit(clock=clock, reserve=0.1)
    pace.note(told(0, 1), sent_at=clock.at)
    clock.at += 1
    assert 120 == goes(pace)
    # They may all have arrived as late as they could.
    clock.at += 60 + LONGEST_UNDER_WAY - 1
    for _ in range(120):
        pace.end()

    assert 0 == goes(pace)
    clock.at += 1
    assert 120 == goes(pace)
