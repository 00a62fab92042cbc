"""
When more is found than is usual, and how seldom chance alone says so.
"""

from __future__ import annotations

from math import exp, lgamma, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.spike import BEFORE, LATELY, NEVER_A_SPIKE, SELDOM, Found

HOURS = BEFORE / LATELY


def exceeded(number: int, mean: float) -> float:
    """
    Return how probable it is that a Poisson-distributed number is higher.
    """
    return sum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(number + 1, number + 400))


@given(st.integers(0, 20_000))
def test_chance_alone_is_a_spike_less_than_once_in_so_many_hours_and_no_lower_number_would_do(before: int) -> None:
    mean, usual = (before + 1) / HOURS, Found(before=before).usual

    assert exceeded(usual, mean) <= SELDOM * 1.001
    assert usual == NEVER_A_SPIKE or exceeded(usual - 1, mean) > SELDOM * 0.999


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_the_more_is_usual_the_more_it_takes(one: int, more: int) -> None:
    assert NEVER_A_SPIKE <= Found(before=one).usual <= Found(before=one + more).usual


@pytest.mark.parametrize(("before", "usual"), [(0, 4), (23, 4), (168, 6), (1680, 24), (168_000, 1120)])
def test_some_figures(before: int, usual: int) -> None:
    assert usual == Found(before=before).usual
