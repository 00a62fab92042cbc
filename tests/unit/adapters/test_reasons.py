"""
What callers are told of a booking that failed.
"""

from __future__ import annotations

import inspect
import re
from typing import get_args

import pytest

import sagas.next_step
import sagas.recording
import sagas.run
from adapters.calcom import creation, refusals
from adapters.reasons import OTHERWISE, SENTENCES, sentence
from sagas.appending import RefusedBy

# A compensation without a reason of its own: nothing is known, and nothing more is said.
UNDESCRIBED = {"compensated", "refused"}


def reasons() -> set[str]:
    rows = (*refusals.CREATE, *refusals.CANCEL)
    sources = "".join(inspect.getsource(one) for one in (sagas.next_step, sagas.recording, sagas.run, creation))
    ended = re.findall(r"(?:BookingFailed|Refused)\(.*?\breason=\"(\w+)\"", sources)
    asked = re.findall(r"(?:_compensate|_ask_a_person|_review|_failed)\((?:\w+, )?\"(\w+)\"", sources)
    return {row.reason for row in rows} | set(get_args(RefusedBy)) | set(ended) | set(asked)


def test_every_reason_has_a_sentence() -> None:
    assert {"expired", "slot_taken", "compensation_failed", "needs_confirmation"} <= reasons()
    assert set() == reasons() - set(SENTENCES) - UNDESCRIBED


@pytest.mark.parametrize("words", [*SENTENCES.values(), OTHERWISE])
def test_a_sentence_is_one(words: str) -> None:
    assert re.fullmatch(r"[A-Z][^\n\"{}]*\.", words)


def test_an_unknown_reason_says_no_more_than_that_it_failed() -> None:
    assert OTHERWISE == sentence("http_418")
