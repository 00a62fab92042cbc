"""
Times as people write them.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.cli.durations import duration
from adapters.cli.failing import Misused

DAY = timedelta(days=1)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86_400), ("1d", 86_400)])
def test_a_number_with_its_unit_is_read(text: str, seconds: int) -> None:
    assert timedelta(seconds=seconds) == duration(text, option="--for", at_most=DAY, said="a day")


@pytest.mark.parametrize("text", ["", "30", "0m", "-1h", "1.5h", "25h", "2 h", "h"])
def test_anything_else_is_named(text: str) -> None:
    with pytest.raises(Misused, match=r"--for: must be a number .* and a day at most"):
        duration(text, option="--for", at_most=DAY, said="a day")
