"""
Which language somebody is told in.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.phrases import LANGUAGES, chosen


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("DE-AT, en;q=0.8", "de"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("fr, de;q=0.5, en;q=0.4", "de"),
        ("fr;q=1.0", "en"),
        ("*", "en"),
        ("de;q=0, en;q=0.1", "en"),
        ("de;q=0", "en"),
        ("*;q=0.9, de;q=0.5", "en"),
        ("de ; q = 0.7 , en;q=0.600", "de"),
        ("de;q=2, en", "en"),
        ("german", "en"),
        ("de," * 1000, "en"),
    ],
)
def test_the_one_that_is_liked_best_of_those_there_are(header: str | None, language: str) -> None:
    assert language == chosen(header)


@given(st.text() | st.from_regex(r"([a-z*-]{1,3}(;q=[0-9.]{1,4})?,?){1,5}"))
def test_whatever_is_sent_some_language_is_spoken(header: str) -> None:
    assert chosen(header) in LANGUAGES
