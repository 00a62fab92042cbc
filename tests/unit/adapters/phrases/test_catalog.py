"""
What people are told, in every language.
"""

from __future__ import annotations

import re

import pytest

from adapters.phrases import LANGUAGES, Language, Phrase, phrase, reason_in
from adapters.phrases.catalog import PHRASES, REASONS
from adapters.reasons import SENTENCES
from domain.fallback import READ, WRITE

NOTICES = [Phrase.STALE, Phrase.QUEUED, Phrase.MANUAL_REVIEW]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_anything(language: Language) -> None:
    assert set(Phrase) == set(PHRASES[language])
    assert set(SENTENCES) == set(REASONS[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_a_sentence_but_for_the_names_of_rungs(language: Language) -> None:
    said = [text for key, text in PHRASES[language].items() if key not in NOTICES]

    for text in (*said, *REASONS[language].values()):
        assert re.fullmatch(r"[A-ZÄÖÜ][^\n\"{}]*\.", text), text
    for key in NOTICES:
        assert re.fullmatch(r"[A-Z][^\n\"{}]*[a-z)]", PHRASES[language][key])


def test_nothing_is_said_in_the_wrong_language() -> None:
    assert set() == {*PHRASES["en"].values()} & {*PHRASES["de"].values()}
    assert set() == {*REASONS["en"].values()} & {*REASONS["de"].values()}


def test_every_rung_below_the_first_has_a_name() -> None:
    assert {*READ, *WRITE, "refused"} - {"primary"} <= set(Phrase)


def test_the_rungs_are_called_as_they_must_be() -> None:
    assert [
        "Availability from cache (may be stale)",
        "Request queued, will retry automatically",
        "Critical - requires manual action",
        "System experiencing issues. We are working to restore service.",
    ] == [phrase(key) for key in (*NOTICES, Phrase.REFUSED)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_reason_says_no_more_than_that_it_failed(language: Language) -> None:
    assert PHRASES[language][Phrase.OTHERWISE] == reason_in("http_418", language)
