"""
The throttle: a window, then a block.
"""

from __future__ import annotations

from adapters.sandbox.rate_limit import RateLimiter


def allowed(limiter: RateLimiter, *times: float, key: str = "cal_a") -> list[bool]:
    return [limiter.hit(key, at=at).allowed for at in times]


def test_the_call_beyond_the_limit_is_blocked() -> None:
    assert [True, True, False] == allowed(RateLimiter(limit=2), 0, 1, 2)


def test_further_calls_do_not_extend_the_block_and_the_count_restarts_after_it() -> None:
    limiter = RateLimiter(limit=1, window_seconds=60, block_seconds=60)

    assert [True, False, False, False, True, False] == allowed(limiter, 0, 10, 40, 69.9, 70, 71)


def test_a_window_ends_by_itself() -> None:
    assert [True, True, True, True] == allowed(RateLimiter(limit=2), 0, 1, 60, 61)


def test_each_key_has_its_own_count() -> None:
    limiter = RateLimiter(limit=1)

    assert [True, True] == allowed(limiter, 0) + allowed(limiter, 0, key="cal_b")


def test_the_headers_count_down_in_calls_and_seconds() -> None:
    limiter = RateLimiter(limit=2, block_seconds=30)
    headers = [tuple(limiter.hit("cal_a", at=at).headers.values()) for at in (0, 0.5, 1, 11)]

    assert [("2", "1", "60"), ("2", "0", "60"), ("2", "0", "30"), ("2", "0", "20")] == headers


def test_a_limit_of_zero_is_none() -> None:
    verdict = RateLimiter(limit=0).hit("cal_a", at=0)

    assert (True, {}) == (verdict.allowed, verdict.headers)
