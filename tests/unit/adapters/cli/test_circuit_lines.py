"""
A line about a breaker says what opened it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.cli.circuit_lines import moved_in_a_line
from tests.unit.adapters.web.given import BREAKER_EVENT


@pytest.mark.parametrize(
    ("cause", "failures", "said"),
    [("failures", 5, "5 of 7 failed"), ("slow_calls", 0, "0 of 7 failed, too many were slow")],
)
def test_calls_that_were_slow_are_told_as_slow(cause: str, failures: int, said: str) -> None:
    line = moved_in_a_line(replace(BREAKER_EVENT, cause=cause, failures=failures))

    assert f"\t{said}" == line[line.rindex("\t") :]
