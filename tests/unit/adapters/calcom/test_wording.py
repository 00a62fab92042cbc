from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calcom.wording import LONGEST, fit_for_log


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Booking with uid=abc was not found", "Booking with uid=abc was not found"),
        ("mail ada.l+x@sub.example.com now", "mail [e-mail] now"),
        ("call +49 (170) 123-4567.", "call [number]."),
        ("a\r\n\tb\x00c", "a b?c"),
    ],
)
def test_foreign_words_become_fit_for_the_log(text: str, expected: str) -> None:
    assert expected == fit_for_log(text)


@settings(deadline=None)
@given(st.text(max_size=3000))
def test_nothing_long_or_unprintable_passes(text: str) -> None:
    fit = fit_for_log(text)

    assert len(fit) <= LONGEST
    assert fit.isprintable()
