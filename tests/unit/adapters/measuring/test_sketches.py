"""
Percentiles that are as exact as promised, and add up over processes.
"""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.measuring.sketches import ACCURACY, LONGEST, SHORTEST, Sketch, read_sketch

durations = st.floats(SHORTEST, LONGEST)
many = st.lists(durations, min_size=1, max_size=200)
shares = st.sampled_from((0.0, 0.5, 0.95, 0.99, 1.0))


def sketch(seconds: list[float]) -> Sketch:
    made = Sketch()
    for one in seconds:
        made.add(one)
    return made


def exactly(seconds: list[float], share: float) -> float:
    return sorted(seconds)[math.floor(share * (len(seconds) - 1))]


def shown(found: Sketch) -> list[float | None]:
    return [found.count, *(found.quantile(share) for share in (0, 0.1, 0.5, 0.95, 0.99, 1))]


@given(many, shares)
def test_a_percentile_is_within_one_per_cent_of_the_true_one(seconds: list[float], share: float) -> None:
    true = exactly(seconds, share)

    assert sketch(seconds).quantile(share) == pytest.approx(true, rel=ACCURACY * (1 + 1e-6))


@given(st.lists(many, min_size=1, max_size=4))
def test_sketches_of_several_processes_are_the_sketch_of_all_their_calls(processes: list[list[float]]) -> None:
    together = Sketch()
    for one in processes:
        together.merge(sketch(one))
    whole = sketch([seconds for one in processes for seconds in one])

    assert shown(whole) == shown(together)
    assert (whole.shortest, whole.longest) == (together.shortest, together.longest)
    assert together.mean == pytest.approx(whole.mean)


@given(many, many)
def test_what_was_stored_is_what_is_read_and_goes_on_adding_up(seconds: list[float], more: list[float]) -> None:
    stored = orjson.loads(orjson.dumps(sketch(seconds).document()))
    read = read_sketch(stored)

    assert shown(sketch(seconds)) == shown(read)
    assert stored == orjson.loads(orjson.dumps(read.document()))
    read.merge(sketch(more))
    assert shown(sketch(seconds + more)) == shown(read)


@given(many)
def test_merging_leaves_the_other_one_as_it_was(seconds: list[float]) -> None:
    one, other = Sketch(), sketch(seconds)
    one.merge(other)
    one.add(1.0)

    assert shown(sketch(seconds)) == shown(other)


def test_without_calls_there_are_no_percentiles() -> None:
    empty = Sketch()
    empty.merge(Sketch())

    assert (0, None, None) == (empty.count, empty.mean, empty.quantile(0.99))
    assert 0 == read_sketch(empty.document()).count


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-300, 1e12, math.inf, math.nan])
def test_a_clock_gone_mad_takes_no_memory(seconds: float) -> None:
    found = sketch([seconds, 1.0])

    assert len(found.document()["places"]) == 2
    assert SHORTEST <= found.shortest <= found.longest <= LONGEST
