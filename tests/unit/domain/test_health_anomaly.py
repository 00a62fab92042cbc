"""
Answers that are not what they used to be, against habits with heavy tails.
"""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.health_anomaly import FEWEST_RECENT, FEWEST_USUAL, Anomaly, anomaly

USUAL = [100.0 + number % 21 for number in range(105)]


def found(recent: list[float], usual: list[float]) -> Anomaly:
    differs = anomaly(recent, usual)
    assert differs is not None
    return differs


def test_what_is_as_usual_is_none() -> None:
    assert not found([110.0] * 7, USUAL).is_one


def test_three_times_as_slow_is_one() -> None:
    differs = found([330.0] * 7, USUAL)

    assert (330.0, 110.0, True) == (differs.recent_ms, differs.usual_ms, differs.is_one)


def test_three_slow_answers_of_seven_are_none_and_four_are_one() -> None:
    assert not found([110.0] * 4 + [5_000.0] * 3, USUAL).is_one
    assert found([110.0] * 3 + [5_000.0] * 4, USUAL).is_one


def test_a_habit_without_any_spread_bears_a_little() -> None:
    assert not found([104.0] * 7, [100.0] * 100).is_one
    assert not found([149.0] * 7, [100.0] * 100).is_one
    assert found([151.0] * 7, [100.0] * 100).is_one


def test_what_is_quicker_is_none() -> None:
    assert not found([1.0] * 7, USUAL).is_one


def test_a_third_of_the_habit_may_be_anything() -> None:
    assert found([330.0] * 7, [*USUAL, *[30_000.0] * 50]).is_one


def test_of_too_few_nothing_is_said() -> None:
    assert anomaly([1.0] * (FEWEST_RECENT - 1), USUAL) is None
    assert anomaly([1.0] * FEWEST_RECENT, USUAL[: FEWEST_USUAL - 1]) is None
    assert anomaly([1.0] * FEWEST_RECENT, USUAL[:FEWEST_USUAL]) is not None


@settings(max_examples=20)
@given(st.integers(0, 10**9))
def test_the_habit_itself_is_no_anomaly_in_any_order(seed: int) -> None:
    random = Random(seed)
    usual = [random.paretovariate(1.2) * 100 for _ in range(FEWEST_USUAL)]

    assert not found(usual, usual).is_one
    assert found(usual, usual) == found(random.sample(usual, len(usual)), sorted(usual))
