"""
Which rung of the chain answers.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.fallback import OLDEST, READ, WRITE, Rung, Ways, rung_of, should_retry

AGES = st.none() | st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=3))
WAYS = st.builds(Ways, primary=st.booleans(), stale=AGES, queued=st.booleans(), manual_review=st.booleans())


@given(WAYS)
def test_the_source_itself_answers_whatever_else_could(ways: Ways) -> None:
    for chain in (READ, WRITE):
        assert ways.primary == (rung_of(chain, ways) == "primary")


@given(WAYS)
def test_a_question_is_answered_by_what_was_known_less_than_an_hour_ago_or_refused(ways: Ways) -> None:
    rung = rung_of(READ, ways)

    assert rung in {"primary", "stale", "refused"}
    if not ways.primary:
        assert ("stale" if ways.stale is not None and ways.stale < OLDEST else "refused") == rung


@given(WAYS)
def test_what_is_to_be_done_is_never_answered_by_what_was_known(ways: Ways) -> None:
    expected: Rung = "queued" if ways.queued else "manual_review" if ways.manual_review else "refused"

    assert ("primary" if ways.primary else expected) == rung_of(WRITE, ways)


def test_an_hour_is_too_old() -> None:
    assert "stale" == rung_of(READ, Ways(stale=OLDEST - timedelta.resolution))
    assert "refused" == rung_of(READ, Ways(stale=OLDEST))


def test_only_what_is_queued_is_tried_again_by_itself() -> None:
    rungs: tuple[Rung, ...] = ("primary", "stale", "queued", "manual_review", "refused")

    assert ["queued"] == [rung for rung in rungs if should_retry(rung)]
