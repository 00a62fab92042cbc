from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.breaker_words import State
from domain.health_score import health_score
from domain.service_level import Counts, Objectives

numbers = st.integers(0, 10_000)
counts = st.builds(Counts, succeeded=numbers, failed=numbers, refused=numbers)
speeds = st.none() | st.floats(0, 60)
states = st.sampled_from(("closed", "open", "half_open"))


def score(seen: Counts, *, p99: float | None = None, state: State = "closed") -> int:
    return health_score(seen, p99_seconds=p99, state=state, objectives=Objectives())


@given(counts, speeds, states)
def test_it_lies_between_0_and_100_and_is_never_better_for_a_failure(
    seen: Counts, p99: float | None, state: State
) -> None:
    assert 0 <= score(seen.plus(Counts(failed=1)), p99=p99, state=state) <= score(seen, p99=p99, state=state) <= 100


@given(counts, st.floats(0, 60), st.floats(0, 60))
def test_it_is_never_better_for_being_slower(seen: Counts, one: float, other: float) -> None:
    assert score(seen, p99=max(one, other)) <= score(seen, p99=min(one, other))


@pytest.mark.parametrize(
    ("seen", "p99", "state", "expected"),
    [
        (Counts(), None, "closed", 100),
        (Counts(succeeded=99, failed=1), 1.0, "closed", 90),
        (Counts(succeeded=95, refused=5), None, "closed", 50),
        (Counts(failed=3), None, "closed", 0),
        (Counts(succeeded=10), 3.0, "closed", 75),
        (Counts(succeeded=10), 50.0, "closed", 50),
        (Counts(succeeded=10), None, "half_open", 50),
        (Counts(succeeded=10), None, "open", 25),
    ],
)
def test_it_is_what_the_formula_says(seen: Counts, p99: float | None, state: State, expected: int) -> None:
    assert expected == score(seen, p99=p99, state=state)
