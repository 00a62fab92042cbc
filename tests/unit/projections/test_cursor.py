from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections import cursor
from projections.booking_pages import BookingFilter

QUESTION = ("salon", None, "cut")


@given(values=st.lists(st.text(max_size=6), min_size=2, max_size=2))
def test_a_cursor_leads_back_to_where_the_page_ended(values: list[str]) -> None:
    made = cursor.encode(values, question=QUESTION)

    assert values == cursor.decode(made, question=QUESTION, length=2)


@given(text=st.text(max_size=60))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        cursor.decode(text, question=QUESTION, length=2)


@pytest.mark.parametrize("inside", ["1", "[]", '["a", "b", 3]', '["a", "b", "c"]', "[" * 5000, "NaN", '"\\ud800"'])
def test_what_only_looks_like_a_cursor_is_refused(inside: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        cursor.decode(urlsafe_b64encode(inside.encode()).decode(), question=QUESTION, length=2)


def test_a_cursor_of_another_question_is_refused() -> None:
    made = cursor.encode(["a", "b"], question=("salon", "booked", "cut"))

    with pytest.raises(ValueError, match="other filters"):
        cursor.decode(made, question=QUESTION, length=2)


@pytest.mark.parametrize(
    "wanted",
    [
        {"status": "nonsense"},
        {"service_id": "a\0b"},
        {"starts_from": datetime(2026, 1, 1)},  # noqa: DTZ001 - that it has no offset is the point
        {"starts_to": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
)
def test_a_filter_that_nothing_can_match_is_refused(wanted: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"status|service_id|offset"):
        BookingFilter(company_id="salon", **wanted)  # type: ignore[arg-type]
