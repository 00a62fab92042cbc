"""
The buckets of one process.
"""

from __future__ import annotations

import pytest

from adapters.limits.local import LocalLimiter
from adapters.limits.ports import Exceeded, RateLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def wait(answer: Exceeded | None) -> float:
    return 0.0 if answer is None else answer.wait


def test_a_bucket_fills_again_and_is_nobody_elses() -> None:
    clock = Clock()
    limiter = LocalLimiter({"company": RateLimit(per_second=2, burst=2)}, clock=clock)
    taken = [wait(limiter.take_now({"company": "a"})) for _ in range(3)]
    clock.now = 0.5
    later = wait(limiter.take_now({"company": "a"}))

    assert [0, 0, 0.5] == taken
    assert 0 == later == wait(limiter.take_now({"company": "b"}))
    assert wait(limiter.take_now({"company": "a"})) > 0


def test_what_one_bucket_refuses_costs_the_other_nothing() -> None:
    limits = {"key": RateLimit(per_second=1, burst=1), "company": RateLimit(per_second=1, burst=2)}
    limiter = LocalLimiter(limits, clock=Clock())  # type: ignore[arg-type]
    answers = [limiter.take_now({"key": key, "company": "a"}) for key in ("one", "one", "another", "third")]

    assert [None, "key", None, "company"] == [answer and answer.kind for answer in answers]


def test_full_buckets_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.limits.local.MOST_BUCKETS", 3)
    clock = Clock()
    limiter = LocalLimiter({"company": RateLimit(per_second=1, burst=1)}, clock=clock)
    for name in "abc":
        limiter.take_now({"company": name})
    clock.now = 5.0
    limiter.take_now({"company": "d"})

    assert {("company", "d")} == set(limiter._full_at)


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (1, 0)])
def test_a_limit_that_lets_nothing_through_is_refused(per_second: float, burst: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        RateLimit(per_second=per_second, burst=burst)
