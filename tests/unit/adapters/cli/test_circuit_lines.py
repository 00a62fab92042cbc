"""
A line about a breaker says what opened it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.cli.circuit_lines import moved_in_a_line
from tests.unit.adapters.web.given import BREAKER_EVENT


@pytest.mark.parametrize(
    ("cause", "failures", "slow", "said"),
    [
        ("failures", 5, None, "5 of 7 failed"),
        ("failures", 5, 0, "5 of 7 failed"),
        # From before it was counted.
        ("slow_calls", 0, None, "0 of 7 failed, too many were slow"),
        ("slow_calls", 0, 6, "0 of 7 failed, 6 slow, calls under way included"),
    ],
)
def test_calls_that_were_slow_are_told_as_slow(cause: str, failures: int, slow: int | None, said: str) -> None:
    line = moved_in_a_line(replace(BREAKER_EVENT, cause=cause, failures=failures, slow=slow))

    assert f"\t{said}" == line[line.rindex("\t") :]
