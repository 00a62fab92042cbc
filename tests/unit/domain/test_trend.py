from __future__ import annotations

import pytest

from domain.service_level import Counts
from domain.trend import direction


@pytest.mark.parametrize(
    ("recent", "before", "expected"),
    [
        (Counts(), Counts(succeeded=9), "unknown"),
        (Counts(succeeded=9), Counts(), "unknown"),
        (Counts(succeeded=99, failed=1), Counts(succeeded=500), "steady"),
        (Counts(succeeded=98, failed=2), Counts(succeeded=500), "worse"),
        (Counts(succeeded=500), Counts(succeeded=98, refused=2), "better"),
    ],
)
def test_a_trend_is_a_noticeable_change_of_the_share_that_goes_wrong(
    recent: Counts, before: Counts, expected: str
) -> None:
    assert expected == direction(recent, before)
