"""
A retry budget: never more retries than the bound, and never none for ever.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.resilience.budget import RetryBudget


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    share=st.sampled_from([0, 0.125, 0.25, 1]),
    per_second=st.sampled_from([0, 0.5, 4]),
    at_once=st.sampled_from([1, 3, 10]),
    plan=st.lists(
        st.tuples(st.sampled_from(["call", "retry", "retry"]), st.sampled_from([0, 0, 0.25, 1])), max_size=80
    ),
)
def test_no_span_sees_more_retries_than_the_bound(
    share: float, per_second: float, at_once: float, plan: list[tuple[str, float]]
) -> None:
    clock = Clock()
    budget = RetryBudget(share=share, per_second=per_second, at_once=at_once, clock=clock)
    retries: list[tuple[float, int]] = []
    calls = 0
    for what, later in plan:
        clock.now += later
        if what == "call":
            budget.called()
            calls += 1
        elif budget.may_retry():
            retries.append((clock.now, calls))

    for first, (began, before) in enumerate(retries):
        for last in range(first, len(retries)):
            ended, after = retries[last]
            assert last - first + 1 <= at_once + share * (after - before) + per_second * (ended - began) + 1e-9


def test_who_has_spent_it_is_told_when_there_is_more() -> None:
    clock = Clock()
    budget = RetryBudget(share=0, per_second=2, at_once=1, clock=clock)

    assert [True, False] == [budget.may_retry(), budget.may_retry()]
    assert 0.5 == budget.wait()
    clock.now += 0.5
    assert 0 == budget.wait()
    assert budget.may_retry()


def test_calls_alone_fill_a_budget_that_has_no_time_of_its_own() -> None:
    budget = RetryBudget(share=0.5, per_second=0)

    assert [True, False, None] == [budget.may_retry(), budget.may_retry(), budget.wait()]
    budget.called()
    budget.called()
    assert budget.may_retry()


@pytest.mark.parametrize(("share", "per_second"), [(-0.1, 1), (1.1, 1), (0.5, -1)])
def test_figures_that_cannot_be_meant_are_refused(share: float, per_second: float) -> None:
    with pytest.raises(ValueError, match="share"):
        RetryBudget(share=share, per_second=per_second)
