"""
Error budgets and burn rates, as laws.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.service_level import BURNING, SPANS, Counts, ErrorBudget, Objectives, burn_rate, error_budget

PERIOD = timedelta(days=30)
numbers = st.integers(0, 10**9)
counts = st.builds(Counts, succeeded=numbers, failed=numbers, refused=numbers)
targets = st.floats(0.5, 0.99999)
shares = st.floats(0, 1)


@given(counts, targets)
def test_a_budget_is_never_negative_and_no_more_is_spent_than_there_are_calls(seen: Counts, target: float) -> None:
    budget = error_budget(seen, target, observed=PERIOD, period=PERIOD)

    assert 0 <= budget.left <= 1
    assert 0 <= budget.spent <= 1 / (1 - target) * (1 + 1e-9)
    assert (budget.left == 0) == (budget.spent >= 1)


@given(st.integers(1, 10**6), st.integers(2, 10**4))
def test_at_a_burn_rate_of_1_the_budget_is_spent_exactly_when_the_period_ends(bad: int, one_in: int) -> None:
    seen = Counts(succeeded=bad * (one_in - 1), failed=bad)
    target = 1 - 1 / one_in

    assert burn_rate(seen, target) == pytest.approx(1)
    assert error_budget(seen, target, observed=PERIOD, period=PERIOD).left == pytest.approx(0, abs=1e-9)
    assert error_budget(seen, target, observed=PERIOD / 2, period=PERIOD).left == pytest.approx(0.5)


@given(counts, targets, st.sampled_from(("failed", "refused")), st.integers(1, 1000))
def test_one_more_that_goes_wrong_instead_of_well_spends_more(seen: Counts, target: float, how: str, more: int) -> None:
    better = seen.plus(Counts(succeeded=more))
    worse = seen.plus(Counts(**{how: more}))

    assert burn_rate(better, target) < burn_rate(worse, target)


@given(counts, targets, shares, shares)
def test_the_longer_it_was_observed_the_more_is_spent(seen: Counts, target: float, one: float, other: float) -> None:
    budgets = [error_budget(seen, target, observed=PERIOD * share, period=PERIOD) for share in sorted((one, other))]

    assert budgets[0].spent <= budgets[1].spent


@given(counts, counts, targets)
def test_windows_together_burn_no_faster_than_the_worse_of_them(one: Counts, other: Counts, target: float) -> None:
    rates = sorted((burn_rate(one, target), burn_rate(other, target)))
    together = burn_rate(one.plus(other), target)

    if one.requests and other.requests:
        assert rates[0] * (1 - 1e-9) <= together <= rates[1] * (1 + 1e-9)


@given(targets)
def test_without_calls_nothing_burns(target: float) -> None:
    nothing = Counts()

    assert (0, None, 0) == (nothing.bad_share, nothing.success_rate, burn_rate(nothing, target))
    assert ErrorBudget(spent=0) == error_budget(nothing, target, observed=PERIOD, period=PERIOD)


def test_what_the_windows_alert_at_has_spent_what_the_sre_workbook_says() -> None:
    """
    Two, five and ten per cent of thirty days' budget, by the time the long window is full of it.
    """
    assert [0.02, 0.05, 0.1] == [pytest.approx(one.rate * (one.long / PERIOD)) for one in BURNING]
    assert all(one.long == 12 * one.short for one in BURNING)
    assert [5, 30, 60, 360, 4320] == [span / timedelta(minutes=1) for span in SPANS]


@pytest.mark.parametrize(
    "wrong",
    [
        {"availability": 1.0},
        {"availability_critical": 0.9995},
        {"availability_critical": 0.0},
        {"p99_seconds": 0.0},
        {"p99_critical_seconds": 0.5},
        {"recovery_seconds": 0.0},
        {"recovery_critical_seconds": 1.0},
        {"period": timedelta(0)},
    ],
)
def test_objectives_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).removesuffix("_critical").split("_")[0]):
        Objectives(**wrong)  # type: ignore[arg-type]
