"""
What the drill calls clean.
"""

from __future__ import annotations

import pytest

from tests.outage.drill import Outcome


@pytest.mark.parametrize(
    ("quick", "slow", "clean"), [(100, 0, True), (95, 5, True), (60, 40, True), (50, 50, False), (0, 100, False)]
)
def test_callers_who_wait_while_the_breaker_is_open_are_not_clean(quick: int, slow: int, clean: bool) -> None:
    outcome = Outcome(
        statuses={},
        bookings={"booked": 1},
        while_open=[0.01] * quick + [0.5] * slow,
        creates_while_open=0,
        herd=0,
        most=1,
        quiet_after=1,
        faults=(),
    )

    assert clean is outcome.is_clean
