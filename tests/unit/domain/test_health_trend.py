"""
Response times that rise are told from those that do not, however slow single answers are.
"""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.health_trend import FEWEST, PARTS, Trend, trend

MINUTES = range(120)


def rising(per_minute: float, *, start: float = 100.0) -> list[tuple[float, float]]:
    return [(minute + 0.5, start + per_minute * (minute + 0.5)) for minute in MINUTES]


def found(points: list[tuple[float, float]]) -> Trend:
    goes = trend(points, until=120)
    assert goes is not None
    return goes


def test_a_line_is_found_as_it_is() -> None:
    goes = found(rising(2.0))

    assert abs(2.0 - goes.per_minute) < 1e-9
    assert abs(340 - goes.now_ms) < 1e-9
    assert abs(400 - goes.in_minutes(30)) < 1e-9
    assert goes.rises
    assert goes.chance < 1e-4


def test_what_falls_does_not_rise_and_never_below_nothing() -> None:
    goes = found(rising(-0.8))

    assert not goes.rises
    assert 1.0 == goes.chance
    assert 0 == goes.in_minutes(600)


def test_what_does_not_move_does_not_rise() -> None:
    goes = found([(minute, 100.0) for minute in MINUTES])

    assert (0.0, 1.0, False) == (goes.per_minute, goes.chance, goes.rises)


def test_a_rise_that_is_sure_and_small_is_none() -> None:
    goes = found(rising(0.3))

    assert goes.chance < 1e-4
    assert not goes.rises


def test_a_rise_that_is_steep_and_may_be_chance_is_none() -> None:
    goes = found([(10.0 * part + 5, 100.0 + 20 * part + 150 * (part % 2)) for part in range(PARTS)])

    assert goes.now_ms > 2 * 100
    assert 1e-4 < goes.chance < 0.05
    assert not goes.rises


def test_ties_count_for_what_they_are() -> None:
    goes = found([(10.0 * part + 5, 100.0 * (1 + part // 4)) for part in range(PARTS)])

    # 48 pairs rise and none falls; three groups of four are alike: (48 - 1) / sqrt((12·11·29 - 3·4·3·13) / 18) = 3.44.
    assert abs(0.00029 - goes.chance) < 5e-6


def test_one_answer_of_ten_may_be_as_slow_as_it_likes() -> None:
    noisy = [(at, value * (50 if number % 10 == 3 else 1)) for number, (at, value) in enumerate(rising(2.0))]

    assert found(noisy).rises
    assert not found([(at, 100.0 * (50 if number % 10 == 3 else 1)) for number, (at, _) in enumerate(noisy)]).rises


def test_of_too_few_parts_nothing_is_said() -> None:
    part = 120 / PARTS

    assert trend([], until=120) is None
    assert trend([(number * part, 5.0) for number in range(FEWEST - 1)], until=120) is None
    assert trend([(number * part, 5.0) for number in range(FEWEST)], until=120) is not None


def test_what_was_before_or_comes_after_does_not_count() -> None:
    stray = [(-1.0, 9_999.0), (120.0, 9_999.0), (500.0, 9_999.0)]

    assert found(rising(1.0)) == found([*stray, *rising(1.0)])


@settings(max_examples=20)
@given(st.integers(0, 10**9), st.floats(0.5, 4))
def test_twice_as_slow_rises_twice_as_much(seed: int, factor: float) -> None:
    random = Random(seed)
    points = [(float(minute), random.lognormvariate(5, 1)) for minute in MINUTES]
    once, scaled = found(points), found([(at, value * factor) for at, value in points])

    assert abs(scaled.per_minute - once.per_minute * factor) < 1e-6
    assert abs(scaled.chance - once.chance) < 1e-9
    assert 0 <= once.chance <= 1
